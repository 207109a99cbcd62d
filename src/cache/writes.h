// When what was last written, so that a fetch that a write overtook is neither stored nor joined.
//
// Owner:    cache::Memory.
// Thread:   any; atomic.
// Failure:  none. The table is small and lossy: a write may also count for another resource, which costs that
//           one a fetch.
// Standard: RFC 9111 §4.4.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

#include "base/clock.h"
#include "cache/key.h"

namespace cache {

class Writes {
 public:
  void note(Resource resource, base::Mono now) {
    std::atomic<Rep>& at = slot(resource);
    const Rep time = now.time_since_epoch().count();
    Rep last = at.load();
    while (last < time && !at.compare_exchange_weak(last, time)) {
    }
  }
  // Whether what was asked for at that moment may be from before a write.
  bool overtook(Resource resource, base::Mono asked_at) const {
    return slot(resource).load() >= std::max<Rep>(1, asked_at.time_since_epoch().count());
  }

 private:
  using Rep = base::Nanos::rep;
  static constexpr std::size_t kSlots = 8192;
  std::atomic<Rep>& slot(Resource resource) { return slots_[resource % kSlots]; }
  const std::atomic<Rep>& slot(Resource resource) const { return slots_[resource % kSlots]; }

  std::array<std::atomic<Rep>, kSlots> slots_{};
};

}  // namespace cache
