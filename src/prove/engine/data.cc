#include "prove/engine/data.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace prove {
namespace {

// (e^t - 1) / t and ln(1 + t) / t, which near 0 are 1 and not 0 / 0: so an exponent of 1 needs no case of its
// own.
double grown(double t) {
  return std::abs(t) > 1e-8 ? std::expm1(t) / t : 1 + t / 2;
}
double shrunk(double t) {
  return std::abs(t) > 1e-8 ? std::log1p(t) / t : 1 - t / 2;
}

}  // namespace

Zipf::Zipf(std::uint64_t n, double exponent) : n_(static_cast<double>(n)), exponent_(exponent) {
  first_ = integral(1.5) - 1;
  last_ = integral(n_ + 0.5);
  sure_ = 2 - inverse(integral(2.5) - h(2));
}

double Zipf::h(double x) const {
  return std::exp(-exponent_ * std::log(x));
}

double Zipf::integral(double x) const {
  const double log = std::log(x);
  return grown((1 - exponent_) * log) * log;
}

double Zipf::inverse(double area) const {
  const double t = std::max(area * (1 - exponent_), -1.0);  // rounding may leave the domain by a hair
  return std::exp(shrunk(t) * area);
}

std::uint64_t Zipf::operator()(Random& random) const {
  for (;;) {
    const double area = last_ + random.unit() * (first_ - last_);
    const double x = inverse(area);
    const double rank = std::clamp(std::floor(x + 0.5), 1.0, n_);
    if (rank - x <= sure_ || area >= integral(rank + 0.5) - h(rank)) return static_cast<std::uint64_t>(rank);
  }
}

Dataset::Dataset(const DataSpec& spec, const Slots& slots)
    : spec_(spec),
      size_(spec.range ? spec.to - spec.from + 1 : spec.rows.size()),
      zipf_(size_, spec.exponent) {
  for (std::size_t i = 0; i < spec.columns.size(); ++i) {
    const std::string name = spec.captured             ? spec.columns[i]
                             : spec.columns[i].empty() ? spec.name
                                                       : spec.name + "." + spec.columns[i];
    if (const auto slot = slots.find(name)) slots_.push_back({i, *slot});
  }
}

void Dataset::pick(Random& random, Cursor& cursor, Values& values) const {
  std::uint64_t row = 0;
  switch (spec_.choose) {
    case Choice::kUniform:
      row = random.below(size_);
      break;
    case Choice::kZipf:
      row = zipf_(random) - 1;
      break;
    case Choice::kSequence:
      row = cursor.next % size_;
      cursor.next += cursor.stride;
      break;
  }
  if (!spec_.range) {
    for (const Column& c : slots_) values[c.slot] = spec_.rows[row][c.column];
    return;
  }
  char text[20];
  const char* end = std::to_chars(text, text + sizeof text, spec_.from + row).ptr;
  for (const Column& c : slots_) values[c.slot].assign(text, static_cast<std::size_t>(end - text));
}

}  // namespace prove
