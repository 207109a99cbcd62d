// The two clocks, and the seam that lets a test turn them.
//
// Thread:   any; the offsets are process-wide and are set by tests only, before threads start.
//
// Mono is for durations and deadlines, Wall for what standards express as dates (exp, Age, Date). Both are
// nanoseconds in strong types of std::chrono, so that they cannot be mixed.
#pragma once

#include <time.h>

#include <atomic>
#include <chrono>

namespace base {

using Nanos = std::chrono::nanoseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

struct MonoClock {
  using duration = Nanos;
  using rep = Nanos::rep;
  using period = Nanos::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
struct WallClock {
  using duration = Nanos;
  using rep = Nanos::rep;
  using period = Nanos::period;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};
using Mono = MonoClock::time_point;
using Wall = WallClock::time_point;

namespace clock_seam {
inline std::atomic<Nanos::rep> offset{0};  // added to both clocks
}

namespace detail {
inline Nanos read_clock(clockid_t id) {
  timespec ts;
  ::clock_gettime(id, &ts);
  return Nanos(ts.tv_sec * 1'000'000'000LL + ts.tv_nsec + clock_seam::offset.load(std::memory_order_relaxed));
}
}  // namespace detail

inline Mono mono_now() {
  return Mono(detail::read_clock(CLOCK_MONOTONIC));
}
inline Wall wall_now() {
  return Wall(detail::read_clock(CLOCK_REALTIME));
}

// The wall clock as of the kernel's last tick, a few milliseconds ago: a quarter of the price, and enough
// where seconds matter.
inline Wall wall_tick() {
  return Wall(detail::read_clock(CLOCK_REALTIME_COARSE));
}

inline std::int64_t unix_seconds(Wall t) {
  return std::chrono::duration_cast<Seconds>(t.time_since_epoch()).count();
}

// Turns both clocks forward for the life of the object. For tests.
class ClockShift {
 public:
  explicit ClockShift(Nanos by) : by_(by.count()) { clock_seam::offset.fetch_add(by_); }
  ~ClockShift() { clock_seam::offset.fetch_sub(by_); }
  ClockShift(const ClockShift&) = delete;
  ClockShift& operator=(const ClockShift&) = delete;

 private:
  Nanos::rep by_;
};

}  // namespace base
