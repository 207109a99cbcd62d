// Numbers that one thread writes and any thread may read.
//
// Owner:    a worker's WorkerMetrics.
// Thread:   add() and set() from the one writer only; read() from any. A second writer would lose counts,
//           silently: what several threads count is a SharedCounter.
// Failures: none.
//
// A load and a store instead of fetch_add: the same guarantee for one writer, without the locked
// instruction (about 5 ns and a full fence). There is no padding here; the blocks that hold counters are
// aligned to cache lines, so that no two workers share one.
#pragma once

#include <atomic>
#include <cstdint>

namespace telemetry {

inline constexpr std::size_t kCacheLine = 64;

class Counter {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void add(std::int64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::int64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Any number of writers; for what happens rarely (reloads, dropped buffers).
class SharedCounter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace telemetry
