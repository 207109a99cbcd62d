// A histogram of durations with the bounds that /metrics shows.
//
// Owner:    a worker's WorkerMetrics.
// Thread:   record() from the one writer; read() from any. A reader sees each counter whole; a sample under
//           way may already be in a bucket and not yet in the sum.
// Failures: none; a negative duration (a clock that a test turned) counts as zero.
// Units:    nanoseconds in, seconds in the exposition.
//
// Bounds grow 1-2-5, so each is at least twice the one before and every octave [2^k, 2^(k+1)) holds at most
// one. The bit width of a sample therefore names the only bound that it has to be compared with: a table
// look-up and one comparison, and the counts are exact, not interpolated.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/clock.h"
#include "telemetry/counter.h"

namespace telemetry {

inline constexpr std::array<std::uint64_t, 22> kBounds = {
    5'000,         10'000,         20'000,         50'000,        100'000,       200'000,
    500'000,       1'000'000,      2'000'000,      5'000'000,     10'000'000,    20'000'000,
    50'000'000,    100'000'000,    200'000'000,    500'000'000,   1'000'000'000, 2'000'000'000,
    5'000'000'000, 10'000'000'000, 30'000'000'000, 60'000'000'000};  // inclusive, as `le` is

// What a scrape adds up: per-bucket counts (not cumulative), the last one without a bound.
struct HistogramSum {
  std::array<std::uint64_t, kBounds.size() + 1> buckets{};
  std::uint64_t nanos = 0;

  std::uint64_t count() const {
    std::uint64_t n = 0;
    for (const std::uint64_t b : buckets) n += b;
    return n;
  }
};

class Histogram {
 public:
  void record(base::Nanos duration) {
    const auto ns = static_cast<std::uint64_t>(duration.count() > 0 ? duration.count() : 0);
    buckets_[bucket_of(ns)].add();
    nanos_.add(ns);
  }

  void read_into(HistogramSum& sum) const {
    for (std::size_t i = 0; i < buckets_.size(); ++i) sum.buckets[i] += buckets_[i].read();
    sum.nanos += nanos_.read();
  }

  static constexpr std::size_t bucket_of(std::uint64_t ns) {
    const std::size_t first = kFirst[static_cast<std::size_t>(std::bit_width(ns))];
    return first + (first < kBounds.size() && ns > kBounds[first] ? 1 : 0);
  }

 private:
  // For each bit width: the first bound that is not below the smallest number of that width.
  static constexpr std::array<std::uint8_t, 65> kFirst = [] {
    std::array<std::uint8_t, 65> first{};
    for (std::size_t width = 1; width < first.size(); ++width) {
      const std::uint64_t least = 1ULL << (width - 1);
      while (first[width] < kBounds.size() && kBounds[first[width]] < least) ++first[width];
    }
    return first;
  }();
  static_assert([] {
    for (std::size_t i = 1; i < kBounds.size(); ++i)
      if (kBounds[i] < 2 * kBounds[i - 1]) return false;
    return true;
  }());

  std::array<Counter, kBounds.size() + 1> buckets_;
  Counter nanos_;
};

}  // namespace telemetry
