// What the terminal shows while a campaign runs: a few lines that are drawn anew each second, or, where
// nobody watches, one line each ten seconds.
//
// Problem:  a run of ten minutes in silence is stopped after two; ten minutes of lines hide the verdict in a
//           CI log.
// Owner:    prove::run(). show() as often as one likes; end() before anything else is printed.
// Thread:   one.
// Failures: none; what cannot be written is not shown.
// Units:    seconds, requests a second, percent.
#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "prove/model/outcome.h"

namespace prove {

struct Progress {
  std::string campaign, phase;
  bool warm_up = false;
  double elapsed = 0, total = 0;
  double offered_rate = 0, done_rate = 0;           // of the last interval; offered 0: closed model
  base::Nanos p50{0}, p99{0};                       // of the last interval, response
  std::array<std::uint64_t, kOutcomes> outcomes{};  // since the beginning
  std::vector<std::string> faults;                  // active now
  std::uint64_t waiting = 0;                        // arrivals without a connection
  double busy = 0;                                  // of the busiest generator
  bool ending = false;                              // what is in flight comes back
};

// At most `width` columns a line; with `colour`, escape sequences beside. Each line ends with a line feed.
std::string progress_lines(const Progress& progress, std::size_t width, bool colour);
std::string progress_line(const Progress& progress);  // the same in one line for a log

class ProgressDisplay {
 public:
  enum class Mode { kQuiet, kLog, kTerminal };
  // kTerminal where `out` is a terminal that can move its cursor, else kLog.
  static Mode mode_for(std::FILE* out, bool quiet);

  ProgressDisplay(std::FILE* out, Mode mode) : out_(out), mode_(mode) {}
  ~ProgressDisplay() { end(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  bool due(base::Mono now) const;  // whether show() would write; for who must gather the figures first
  void show(const Progress& progress, base::Mono now);
  void end();  // takes the lines away; those of a log stay

 private:
  std::FILE* out_;
  Mode mode_;
  bool shown_ = false;
  base::Mono last_{};
  std::size_t lines_ = 0;
};

}  // namespace prove
