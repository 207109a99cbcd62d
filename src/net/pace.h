// Whether somebody who is waited for moves as much as the least that is asked of him.
//
// Owner:    whoever waits: a session, of its client.  Thread: its own.
// Units:    bytes; only the time of waiting counts, so that a pause of our own is nobody's fault.
// Failure:  none.
//
// A deadline between two bytes is no bound for who sends one byte a deadline. This is the other bound: on the
// average of each span of waiting, so many bytes a second. One wait counts for half a span at the most, so
// that who goes on after a pause is not measured by the pause; and who says nothing at all is left to the
// deadline.
//
//   if (!pace.holds(least, so_far)) give up;
//   … a wait …
//   pace.waited(least, loop.now() - before);
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace net {

struct LeastRate {
  std::uint64_t per_second = 0;  // 0: nothing is asked
  base::Nanos span = base::Seconds(10);
};

class Pace {
 public:
  void start(std::uint64_t so_far) {  // bytes that had moved by then
    from_ = so_far;
    waited_ = base::Nanos(0);
  }
  void waited(const LeastRate& least, base::Nanos time) { waited_ += std::min(time, least.span / 2); }
  bool holds(const LeastRate& least, std::uint64_t so_far) {
    if (least.per_second == 0 || waited_ < least.span) return true;
    const auto millis = static_cast<std::uint64_t>(waited_ / base::Millis(1));
    const bool enough = so_far - from_ >= least.per_second * millis / 1000;
    start(so_far);
    return enough;
  }

 private:
  std::uint64_t from_ = 0;
  base::Nanos waited_{0};
};

}  // namespace net
