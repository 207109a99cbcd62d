// The dates of a worker's replies and log lines: the wall clock without a system call a request.
//
// Owner:    a worker.  Thread: its own.  Failure: none.
//
// The wall's distance from the monotonic clock is taken as the loop turns; a step of the clock shows within a
// tenth of a second. What a token is held against is the clock itself.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "http/date.h"

namespace gateway {

class Dates {
 public:
  Dates() { read(); }

  void refresh(base::Mono now) {
    if (now - taken_ > base::Millis(100)) read();
  }
  base::Wall wall(base::Mono at) const { return base::Wall(at.time_since_epoch() + offset_); }
  // For Date; valid until the next call.
  std::string_view http(base::Mono now) {
    const std::int64_t second = base::unix_seconds(wall(now));
    if (second != second_) {
      second_ = second;
      http::write_date(second, text_);
    }
    return {text_, sizeof text_};
  }

 private:
  void read() {
    taken_ = base::mono_now();
    offset_ = base::wall_now().time_since_epoch() - taken_.time_since_epoch();
  }

  base::Mono taken_{};
  base::Nanos offset_{0};
  std::int64_t second_ = -1;
  char text_[29];
};

}  // namespace gateway
