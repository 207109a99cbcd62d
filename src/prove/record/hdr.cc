#include "prove/record/hdr.h"

#include <algorithm>
#include <cmath>

namespace prove {

void Hdr::add(const Hdr& other) {
  if (other.count() == 0) return;
  if (!counts_) counts_ = std::make_unique<Counts>();
  Counts& to = *counts_;
  const Counts& from = *other.counts_;
  for (std::size_t p = other.first_cell() / kPart; p <= other.last_cell() / kPart; ++p) {
    if (!from.parts[p]) continue;
    std::uint64_t* const sums = &count_at(p * kPart);
    for (std::size_t i = 0; i < kPart; ++i) sums[i] += from.parts[p][i];
  }
  to.count += from.count;
  to.sum += from.sum;
  to.min = std::min(to.min, from.min);
  to.max = std::max(to.max, from.max);
}

void Hdr::reset() {
  if (!counts_) return;
  Counts& c = *counts_;
  for (std::size_t p = first_cell() / kPart; c.count > 0 && p <= last_cell() / kPart; ++p)
    if (c.parts[p]) std::fill_n(c.parts[p].get(), kPart, 0);
  c.count = c.max = 0;
  c.sum = 0;
  c.min = ~std::uint64_t{0};
}

base::Nanos Hdr::mean() const {
  return base::Nanos(count() ? static_cast<std::int64_t>(sum() / static_cast<double>(count())) : 0);
}

double Hdr::stddev() const {
  if (count() == 0) return 0;
  const double mean = sum() / static_cast<double>(count());
  double squares = 0;
  for (std::size_t i = first_cell(); i <= last_cell(); ++i) {
    const std::uint64_t n = cell(i);
    if (n == 0) continue;
    const double off = static_cast<double>(highest_of(i)) - mean;
    squares += off * off * static_cast<double>(n);
  }
  return std::sqrt(squares / static_cast<double>(count()));
}

base::Nanos Hdr::percentile(double percentile) const {
  if (count() == 0) return base::Nanos(0);
  const double wanted =
      std::ceil(std::clamp(percentile, 0.0, 100.0) / 100.0 * static_cast<double>(count()) - 1e-9);
  const std::uint64_t rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = first_cell(); i <= last_cell(); ++i) {
    seen += cell(i);
    if (seen >= rank) return base::Nanos(static_cast<std::int64_t>(std::min(highest_of(i), counts_->max)));
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
  if (count() == 0) return;
  counts_->min = min;
  counts_->max = max;
  counts_->sum = sum;
}

}  // namespace prove
