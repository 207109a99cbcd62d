// How long to sleep so as to be awake in time.
//
// Problem:  a sleeping thread wakes 40 to 150 µs after its time here, which every response time from the
//           intended start would show. Waking early and asking the clock until the time has come costs CPU
//           time instead. And at tens of thousands of deadlines a second most of the CPU time goes into
//           falling asleep and waking up.
// Owner:    a generator.  Thread: one.  Units: nanoseconds since the first phase began.
//
// At low rates the end of a wait is spent awake: how early, is learnt from how late the last wake-ups were,
// and the price is bounded to a seventh of the time between two deadlines. As the thread becomes busy,
// deadlines that are close together are served together, by up to kMostTogether late, which the send lag
// says. In between both rest. The replies of a busy open load are taken at the same times, so they too read
// up to that much late.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "prove/engine/cpu_clock.h"

namespace prove {

class Waiter {
 public:
  using Nanos = base::Nanos;

  explicit Waiter(Nanos (*cpu)() = &cpu_of_thread) : cpu_clock_(cpu) {}

  // The loop is awake, for whatever reason, and has done nothing yet.
  void woke(Nanos now) {
    if (slept_until_ == kNone || now < slept_until_) return;
    // Nine in ten wake-ups shall be no later than this.
    early_ += now - slept_until_ > early_ ? 9 * kStep : -kStep;
    early_ = std::clamp(early_, kLeast, Nanos(250'000));
    slept_until_ = kNone;
  }

  // How far apart deadlines are met; 0 while the thread is not busy.
  Nanos together() const { return together_; }

  // How long the loop may wait for `due`; zero while the rest is spent awake.
  Nanos until(Nanos due, Nanos now) {
    if (due != due_) {
      if (due > due_ && due_.count() >= 0) gap_ += (due - due_ - gap_) / 16;
      due_ = due;
      served_ = now;
      slept_until_ = kNone;
    }
    if (now - sampled_ >= kSample) sample(now);
    if (together_.count() > 0) return std::max(Nanos(0), std::max(due, served_ + together_) - now);

    const Nanos left = due - now;
    if (left.count() <= 0) return Nanos(0);
    const Nanos early = std::min(early_, gap_ / kSpend);
    if (early < kLeast) return left;
    if (left <= early) return Nanos(0);
    slept_until_ = due - early;
    return left - early;
  }

 private:
  static constexpr Nanos kNone{-1};
  static constexpr int kSpend = 7;  // a seventh: 14 %
  static constexpr Nanos kStep{500};
  static constexpr Nanos kLeast{20'000};  // less is not worth a turn
  static constexpr Nanos kSample{10'000'000};
  static constexpr Nanos kMostTogether{100'000};

  // Between 45 and 60 % of a CPU everything stays as it is.
  void sample(Nanos now) {
    const Nanos cpu = cpu_clock_();
    const Nanos busy = 100 * (cpu - cpu_);
    const Nanos wall = now - sampled_;
    if (busy > 60 * wall)
      together_ = std::min(together_ + Nanos(10'000), kMostTogether);
    else if (busy < 45 * wall)
      together_ = std::max(together_ - Nanos(10'000), Nanos(0));
    cpu_ = cpu;
    sampled_ = now;
  }

  Nanos (*cpu_clock_)();
  Nanos due_ = kNone;
  Nanos gap_{1'000'000};  // between two deadlines, a moving average
  Nanos early_{100'000};
  Nanos slept_until_ = kNone;
  Nanos served_{};    // when the last deadline had been met
  Nanos together_{};  // how far apart deadlines are met
  Nanos sampled_{}, cpu_{};
};

}  // namespace prove
