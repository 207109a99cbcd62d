// `sekisho prove selftest`: whether this harness, on this machine, tells the truth about a target that
// stalls.
//
// Problem:  most load generators do not: while the target hangs they send nothing, so the requests that would
//           have waited are missing from the figures. Here a target of our own hangs for a second of ten, and
//           what the engine reports has to be what arithmetic says; then that sends go out when they are due.
// Owner:    cli.  Thread: the caller's, beside the target's and the generator's.
// Failure:  1 where a figure is not what it has to be, 2 where the test could not be run, with one line.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "prove/record/hdr.h"

namespace prove {

struct SelftestFigure {
  std::string name;
  base::Nanos measured{};
  base::Nanos least{}, most{};
  bool held() const { return measured >= least && measured <= most; }
};

// What the stall must look like; the rest of the run is quick.
std::vector<SelftestFigure> judge_stall(const Hdr& response, const Hdr& service);
std::vector<SelftestFigure> judge_lag(const Hdr& lag);

// Takes some 14 seconds. `json_file`: where the figures go as well; "": nowhere.
int run_selftest(std::ostream& out, const std::string& json_file = {});

}  // namespace prove
