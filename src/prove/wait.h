// How long to sleep so as to be awake in time: timers come late, so the end of a wait may be spent awake.
//
// Problem:  a sleeping thread wakes 40 to 150 µs after its time here, which every response time from the intended
//           start would show. Waking early and asking the clock until the time has come costs CPU time instead.
// Owner:    a generator.  Thread: one.
//
// How early is learnt from how late the last wake-ups were. The price is bounded: no more than kSpend of the time
// between two deadlines, so that at higher rates, where it would not pay, nothing is spent.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace prove {

class Waiter {
 public:
  using Nanos = base::Nanos;
  static constexpr int kSpend = 7;  // a seventh: 14 %

  // How long the loop may wait for `due`; zero while the rest is spent awake.
  Nanos until(Nanos due, Nanos now) {
    if (due != due_) {
      if (due > due_ && due_.count() >= 0) gap_ += (due - due_ - gap_) / 16;
      due_ = due;
      slept_until_ = Nanos(-1);
    }
    if (slept_until_.count() >= 0 && now >= slept_until_) {
      // Nine in ten wake-ups shall be no later than this.
      early_ += now - slept_until_ > early_ ? Nanos(9 * kStep) : Nanos(-kStep);
      early_ = std::clamp(early_, Nanos(10'000), Nanos(250'000));
      slept_until_ = Nanos(-1);
    }
    const Nanos left = due - now;
    if (left.count() <= 0) return Nanos(0);
    const Nanos early = std::min(early_, gap_ / kSpend);
    if (early < kLeast) return left;
    if (left <= early) return Nanos(0);
    slept_until_ = due - early;
    return left - early;
  }

 private:
  static constexpr Nanos::rep kStep = 500;
  static constexpr Nanos kLeast{20'000};  // less is not worth a turn

  Nanos due_{-1};
  Nanos gap_{1'000'000};  // between two deadlines, a moving average
  Nanos early_{100'000};
  Nanos slept_until_{-1};
};

}  // namespace prove
