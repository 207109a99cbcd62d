// A high dynamic range histogram of durations: three significant digits from 1 µs to an hour, in bounded
// memory, mergeable without loss.
//
// Problem:  a percentile of percentiles is no percentile. Workers, intervals and runs must be added up as
//           histograms, and an hour of 100,000 requests a second must cost what one second costs.
// Layout:   that of HdrHistogram with lowest 1,000 ns, highest 3.6e12 ns and 3 digits, so that .hlog files
//           can be read by its tools: 2,048 linear cells of 512 ns, then 1,024 cells for each doubling.
// Owner:    whoever records. Most of the many that a run has are empty, and cost a pointer; another has cells
//           only where something was recorded, 128 at a time.
// Thread:   one.
// Units:    nanoseconds. Negative counts as 0, more than an hour as an hour.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>

#include "base/clock.h"

namespace prove {

class Hdr {
 public:
  static constexpr std::int64_t kLowest = 1'000;
  static constexpr std::int64_t kHighest = 3'600'000'000'000;
  static constexpr int kDigits = 3;
  static constexpr int kUnitBits = 9;   // floor(log2(kLowest))
  static constexpr int kCellBits = 11;  // 2,048 cells tell 3 digits apart
  static constexpr std::size_t kHalf = std::size_t{1} << (kCellBits - 1);
  static constexpr std::size_t kBuckets = 23;
  static constexpr std::size_t kCells = (kBuckets + 1) * kHalf;
  static constexpr std::size_t kPart = 128;  // cells that are allocated together
  static_assert((std::uint64_t{2 * kHalf} << (kUnitBits + kBuckets - 1)) >
                static_cast<std::uint64_t>(kHighest));

  void record(base::Nanos duration, std::uint64_t times = 1) {
    const auto ns = static_cast<std::uint64_t>(duration.count() < 0          ? 0
                                               : duration.count() > kHighest ? kHighest
                                                                             : duration.count());
    if (!counts_) counts_ = std::make_unique<Counts>();
    Counts& c = *counts_;
    count_at(cell_of(ns)) += times;
    c.count += times;
    c.sum += static_cast<double>(ns) * static_cast<double>(times);
    if (ns < c.min) c.min = ns;
    if (ns > c.max) c.max = ns;
  }

  void add(const Hdr& other);
  void reset();  // keeps the memory

  std::uint64_t count() const { return counts_ ? counts_->count : 0; }
  base::Nanos min() const { return base::Nanos(count() ? static_cast<std::int64_t>(counts_->min) : 0); }
  base::Nanos max() const { return base::Nanos(counts_ ? static_cast<std::int64_t>(counts_->max) : 0); }
  base::Nanos mean() const;
  double stddev() const;  // nanoseconds
  double sum() const { return counts_ ? counts_->sum : 0; }

  // The least recorded value (to the resolution) that `percentile` percent of all do not exceed; 0 when
  // empty.
  base::Nanos percentile(double percentile) const;

  // For encoders: the cells from the first to the last that counts anything.
  std::uint64_t cell(std::size_t i) const {
    const std::uint64_t* part = counts_ ? counts_->parts[i / kPart].get() : nullptr;
    return part ? part[i % kPart] : 0;
  }
  std::size_t first_cell() const { return count() ? cell_of(counts_->min) : 0; }
  std::size_t last_cell() const { return count() ? cell_of(counts_->max) : 0; }
  static std::uint64_t highest_of(std::size_t cell);  // the largest value that falls into the cell

  // For decoders: adds to one cell; the exact minimum, maximum and sum come from restore().
  void add_cell(std::size_t i, std::uint64_t times);
  void restore(std::uint64_t min, std::uint64_t max, double sum);

  static constexpr std::size_t cell_of(std::uint64_t ns) {
    const int bucket =
        static_cast<int>(std::bit_width(ns | ((2 * kHalf << kUnitBits) - 1))) - (kUnitBits + kCellBits);
    const std::size_t sub = ns >> (bucket + kUnitBits);  // [kHalf, 2 kHalf) but in the first bucket
    return (static_cast<std::size_t>(bucket + 1) * kHalf) + sub - kHalf;
  }

 private:
  using Part = std::unique_ptr<std::uint64_t[]>;
  struct Counts {
    std::uint64_t count = 0, min = ~std::uint64_t{0}, max = 0;
    double sum = 0;
    std::array<Part, kCells / kPart> parts;
  };
  std::uint64_t& count_at(std::size_t cell) {
    Part& part = counts_->parts[cell / kPart];
    if (!part) part = std::make_unique<std::uint64_t[]>(kPart);
    return part[cell % kPart];
  }

  std::unique_ptr<Counts> counts_;
};

}  // namespace prove
