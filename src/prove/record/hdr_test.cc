#include "prove/record/hdr.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace prove {
namespace {

using base::Nanos;

TEST(Hdr, PutsEveryValueIntoACellThatIsNarrowEnough) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> values = {0, 1, 511, 512, 1'048'575, 1'048'576, 1'048'577, Hdr::kHighest};
  for (int bit = 0; bit < 41; ++bit)
    for (int i = 0; i < 200; ++i)
      values.push_back((std::uint64_t{1} << bit) + random() % (std::uint64_t{1} << bit));
  for (const std::uint64_t v : values) {
    const std::size_t cell = Hdr::cell_of(v);
    ASSERT_LT(cell, Hdr::kCells) << v;
    const std::uint64_t highest = Hdr::highest_of(cell);
    ASSERT_GE(highest, v);
    ASSERT_EQ(Hdr::cell_of(highest), cell);
    ASSERT_EQ(Hdr::cell_of(highest + 1), cell + 1);
    // Three digits from where the lowest cells of half a microsecond are fine enough for them.
    if (v >= 1'048'576) ASSERT_LE(highest - v, v / 1'000) << v;
    if (v < 1'048'576) ASSERT_LT(highest - v, 512u) << v;
  }
}

TEST(Hdr, TellsPercentilesWithinAThousandth) {
  std::mt19937_64 random(2);
  std::vector<std::int64_t> values;
  Hdr h;
  for (int i = 0; i < 20'000; ++i) {
    const auto v = static_cast<std::int64_t>(std::exp(std::normal_distribution<>(15, 1.5)(random)));
    values.push_back(v);
    h.record(Nanos(v));
  }
  std::ranges::sort(values);
  for (const double p : {0.0, 1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(p / 100 * 20'000 - 1e-9)));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto told = static_cast<double>(h.percentile(p).count());
    EXPECT_GE(told, exact) << p;
    EXPECT_LE(told, exact * 1.001 + 512) << p;
  }
  EXPECT_EQ(h.min().count(), values.front());
  EXPECT_EQ(h.max().count(), values.back());
  EXPECT_EQ(h.count(), 20'000u);
}

TEST(Hdr, TakesTheRankThatThePercentileMeans) {
  Hdr h;
  for (int ms = 1; ms <= 100; ++ms) h.record(Nanos(ms * 1'000'000LL));
  const auto ms = [&](double p) { return std::lround(static_cast<double>(h.percentile(p).count()) / 1e6); };
  EXPECT_EQ(ms(0), 1);
  EXPECT_EQ(ms(50), 50);
  EXPECT_EQ(ms(50.1), 51);
  EXPECT_EQ(ms(99), 99);
  EXPECT_EQ(ms(99.9), 100);
  EXPECT_EQ(ms(100), 100);
  EXPECT_EQ(ms(-5), 1);
  EXPECT_EQ(ms(500), 100);
}

TEST(Hdr, IsEmptyAtFirst) {
  const Hdr h;
  EXPECT_EQ(h.count(), 0u);
  EXPECT_EQ(h.percentile(99).count(), 0);
  EXPECT_EQ(h.min().count(), 0);
  EXPECT_EQ(h.max().count(), 0);
  EXPECT_EQ(h.mean().count(), 0);
  EXPECT_EQ(h.stddev(), 0);
}

TEST(Hdr, CountsWhatLiesOutsideAtTheEdge) {
  Hdr h;
  h.record(Nanos(-5));
  h.record(Nanos(Hdr::kHighest + 5));
  EXPECT_EQ(h.min().count(), 0);
  EXPECT_EQ(h.max().count(), Hdr::kHighest);
  EXPECT_EQ(h.percentile(100).count(), Hdr::kHighest);
  EXPECT_EQ(h.count(), 2u);
}

TEST(Hdr, AddsUpWithoutLoss) {
  std::mt19937_64 random(3);
  Hdr whole, a, b;
  for (int i = 0; i < 5'000; ++i) {
    const Nanos v(static_cast<std::int64_t>(random() % 5'000'000'000));
    whole.record(v);
    (i % 3 == 0 ? a : b).record(v);
  }
  Hdr sum;
  sum.add(a);
  sum.add(Hdr());
  sum.add(b);
  EXPECT_EQ(sum.count(), whole.count());
  EXPECT_EQ(sum.min(), whole.min());
  EXPECT_EQ(sum.max(), whole.max());
  EXPECT_EQ(sum.mean(), whole.mean());
  for (std::size_t i = 0; i < Hdr::kCells; ++i) ASSERT_EQ(sum.cell(i), whole.cell(i)) << i;
}

TEST(Hdr, CostsAPointerWhileItIsEmpty) {
  static_assert(sizeof(Hdr) == sizeof(void*));
  Hdr sum;
  sum.add(Hdr());
  EXPECT_EQ(sum.count(), 0u);
  EXPECT_EQ(sum.cell(Hdr::kCells - 1), 0u);
  EXPECT_EQ(sum.percentile(99).count(), 0);
}

TEST(Hdr, RecordsManyAtOnce) {
  Hdr once, many;
  for (int i = 0; i < 7; ++i) once.record(Nanos(3'000'000));
  many.record(Nanos(3'000'000), 7);
  EXPECT_EQ(many.count(), 7u);
  EXPECT_EQ(many.sum(), once.sum());
  EXPECT_EQ(many.cell(many.first_cell()), 7u);
}

TEST(Hdr, ForgetsOnReset) {
  Hdr h;
  h.record(Nanos(5'000'000'000), 3);
  h.record(Nanos(50), 3);
  h.reset();
  EXPECT_EQ(h.count(), 0u);
  EXPECT_EQ(h.max().count(), 0);
  h.record(Nanos(7'000'000));
  EXPECT_EQ(h.count(), 1u);
  EXPECT_EQ(h.min().count(), 7'000'000);
  for (std::size_t i = 0; i < Hdr::kCells; ++i) ASSERT_EQ(h.cell(i), i == h.first_cell() ? 1u : 0u);
}

TEST(Hdr, KnowsItsSpread) {
  Hdr h;
  for (const int ms : {10, 20, 30, 40}) h.record(Nanos(ms * 1'000'000));
  EXPECT_EQ(h.mean().count(), 25'000'000);
  EXPECT_NEAR(h.stddev(), 11.18e6, 0.02e6);
}

}  // namespace
}  // namespace prove
