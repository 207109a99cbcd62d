// Ends whatever waits with it: when its time is over, or when its caller's is.
//
// Owner:    a coroutine's frame, around what it bounds.
// Thread:   the loop's own.
// Lifetime: outlives the waits that were given `end`.
// Units:    the loop's clock; up to 32 ms late (timer.h).
//
//   net::TimeLimit limit(loop, deadline);
//   const net::CancelLink link(cancel, limit);         // where a caller may give up, too
//   auto done = co_await something(&limit.end);
//   if (!done && limit.passed()) …                     // it was the time
#pragma once

#include "base/clock.h"
#include "net/loop.h"
#include "net/timer.h"

namespace net {

class TimeLimit final : Timer, public Cancellable {
 public:
  TimeLimit(Loop& loop, base::Mono deadline)
      : Timer(&TimeLimit::on_time), Cancellable(&TimeLimit::on_cancel) {
    loop.set(*this, deadline);
  }
  bool passed() const { return passed_; }

  Cancel end;

 private:
  static void on_time(Timer& timer) {
    auto& limit = static_cast<TimeLimit&>(timer);
    limit.passed_ = true;
    limit.end.request();
  }
  static void on_cancel(Cancellable& target) { static_cast<TimeLimit&>(target).end.request(); }

  bool passed_ = false;
};

}  // namespace net
