// One run of a campaign from its processes to its verdict.
//
// Owner:    the command.  Thread: the calling one leads; generators, observer and faults have threads of
//           their own.
// Failures: std::runtime_error (config::ConfigError among them) with one line for what goes wrong before the
//           load begins; after that everything ends in a Result with its verdict.
#pragma once

#include <iosfwd>
#include <map>
#include <string>

#include "prove/model/model.h"
#include "prove/record/result.h"
#include "prove/stage/interrupt.h"

namespace prove {

struct RunOptions {
  std::string campaign;                    // file
  std::string out;                         // folder of reports and logs; "": prove-<campaign's name>
  std::map<std::string, std::string> set;  // ${NAME} of the campaign
  double time_scale = 1;
  bool quiet = false;
  std::string command;   // as it was typed, to do it again
  std::string save;      // also write the result there, as a baseline; "": no
  std::string baseline;  // compare with this result; "": no
};

struct RunEnd {
  Result result;
  std::string folder;        // of the reports
  std::string report_error;  // why there are none, in one line; "": there are
};

// Loads, conducts, judges and writes the reports.
// One iteration of each scenario, without load, goals, faults or reports; prints it whole. The exit code: 0
// when each step went as it expects, else 1; 3 when it was interrupted or something unforeseen happened.
int run_debug(const RunOptions& options, Interrupt& interrupt);

RunEnd run_and_report(const RunOptions& options, Interrupt& interrupt);

// The same for a person: says what came of it. The exit code: 0 PASS, 1 FAIL, 2 no run or no report, 3
// INVALID.
int run_campaign(const RunOptions& options, Interrupt& interrupt);

}  // namespace prove
