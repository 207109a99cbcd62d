// `sekisho prove selftest`: whether this harness, on this machine, tells the truth about a target that
// stalls.
//
// Problem:  most load generators do not: while the target hangs they send nothing, so the requests that would
//           have waited are missing from the figures. Here a target of our own hangs for a second of ten, and
//           what the engine reports has to be what arithmetic says; then that sends go out when they are due.
// Owner:    cli.  Thread: the caller's, beside the target's and the generator's.
// Failure:  1 where a figure is not what it has to be, 2 where the test could not be run, with one line; 3
//           where figures are only longer than they have to be and threads waited for a CPU meanwhile, or
//           this machine for its host: then it was busy, and nothing is said of the harness.
#pragma once

#include <cstdint>
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

enum class SelftestVerdict : std::uint8_t { kTrue = 0, kFalse = 1, kBusy = 3 };  // the exit codes
// `whole`: no request is missing, though some may have come to no end; `waited`: percent of the time that a
// thread waited for a CPU, or the machine for its host.
SelftestVerdict judge_selftest(const std::vector<SelftestFigure>& figures, bool whole, double waited);

// Takes some 14 seconds. `json_file`: where the figures go as well; "": nowhere.
int run_selftest(std::ostream& out, const std::string& json_file = {});

}  // namespace prove
