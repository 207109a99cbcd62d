// Counters that an origin keeps for the metrics.
//
// Owner:    shared by the origin, its pool and whoever scrapes, so that a scrape may outlive a reload.
// Thread:   the worker of the origin writes, any thread reads; each number is exact, together they need not
//           be of one moment.
// Failure:  none.
#pragma once

#include <atomic>
#include <cstdint>

namespace origin {

struct OriginStats {
  // One writer, so adding is a load and a store, not a locked instruction.
  class Counter {
   public:
    void add(std::uint64_t n = 1) {
      n_.store(n_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    void sub(std::uint64_t n = 1) {
      n_.store(n_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
    }
    std::uint64_t get() const { return n_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> n_{0};
  };

  Counter opened;   // connections made
  Counter reused;   // exchanges begun on a kept connection
  Counter retried;  // exchanges repeated because a kept connection had died
  Counter failed;   // exchanges that ended without a reply, by the origin's doing
  Counter idle;     // connections kept now: a gauge
};

}  // namespace origin
