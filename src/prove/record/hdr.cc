#include "prove/record/hdr.h"

#include <algorithm>
#include <cmath>

namespace prove {

void Hdr::allocate() {
  cells_.reset(
      static_cast<std::uint64_t*>(std::calloc(kCells, sizeof(std::uint64_t))));  // NOLINT(*-no-malloc)
  if (!cells_) throw std::bad_alloc();
}

void Hdr::add(const Hdr& other) {
  if (other.count_ == 0) return;
  if (!cells_) allocate();
  for (std::size_t i = other.first_cell(); i <= other.last_cell(); ++i) cells_[i] += other.cells_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Hdr::reset() {
  if (count_ > 0) std::fill(&cells_[first_cell()], &cells_[last_cell()] + 1, 0);
  count_ = 0;
  sum_ = 0;
  min_ = ~std::uint64_t{0};
  max_ = 0;
}

base::Nanos Hdr::mean() const {
  return base::Nanos(count_ ? static_cast<std::int64_t>(sum_ / static_cast<double>(count_)) : 0);
}

double Hdr::stddev() const {
  if (count_ == 0) return 0;
  const double mean = sum_ / static_cast<double>(count_);
  double squares = 0;
  for (std::size_t i = first_cell(); i <= last_cell(); ++i) {
    const std::uint64_t n = cell(i);
    if (n == 0) continue;
    const double off = static_cast<double>(highest_of(i)) - mean;
    squares += off * off * static_cast<double>(n);
  }
  return std::sqrt(squares / static_cast<double>(count_));
}

base::Nanos Hdr::percentile(double percentile) const {
  if (count_ == 0) return base::Nanos(0);
  const double wanted =
      std::ceil(std::clamp(percentile, 0.0, 100.0) / 100.0 * static_cast<double>(count_) - 1e-9);
  const std::uint64_t rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = first_cell(); i <= last_cell(); ++i) {
    seen += cells_[i];
    if (seen >= rank) return base::Nanos(static_cast<std::int64_t>(std::min(highest_of(i), max_)));
  }
  return max();
}

std::uint64_t Hdr::highest_of(std::size_t cell) {
  if (cell < 2 * kHalf) return ((static_cast<std::uint64_t>(cell) + 1) << kUnitBits) - 1;
  const std::size_t bucket = cell / kHalf - 1;
  const std::uint64_t sub = cell % kHalf + kHalf;
  return ((sub + 1) << (bucket + kUnitBits)) - 1;
}

void Hdr::add_cell(std::size_t i, std::uint64_t times) {
  if (times == 0) return;
  const std::uint64_t highest = highest_of(i);
  record(base::Nanos(static_cast<std::int64_t>(std::min(highest, static_cast<std::uint64_t>(kHighest)))),
         times);
}

void Hdr::restore(std::uint64_t min, std::uint64_t max, double sum) {
  if (count_ == 0) return;
  min_ = min;
  max_ = max;
  sum_ = sum;
}

}  // namespace prove
