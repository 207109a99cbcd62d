#include "telemetry/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

namespace telemetry {
namespace {

std::size_t by_search(std::uint64_t ns) {  // the definition: the first bound that is not below
  return static_cast<std::size_t>(std::ranges::lower_bound(kBounds, ns) - kBounds.begin());
}

TEST(Histogram, PutsEverySampleUnderTheFirstBoundThatIsNotBelowIt) {
  for (const std::uint64_t bound : kBounds)
    for (const std::uint64_t ns : {bound - 1, bound, bound + 1})
      EXPECT_EQ(Histogram::bucket_of(ns), by_search(ns)) << ns;
  for (int shift = 0; shift < 64; ++shift)
    for (const std::uint64_t ns : {(1ULL << shift) - 1, 1ULL << shift})
      EXPECT_EQ(Histogram::bucket_of(ns), by_search(ns)) << ns;
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t ns = random() >> (random() % 64);
    ASSERT_EQ(Histogram::bucket_of(ns), by_search(ns)) << ns;
  }
  EXPECT_EQ(Histogram::bucket_of(UINT64_MAX), kBounds.size());
}

TEST(Histogram, CountsNegativeDurationsAsZero) {
  Histogram h;
  h.record(base::Nanos(-5));
  HistogramSum sum;
  h.read_into(sum);
  EXPECT_EQ(sum.buckets[0], 1U);
  EXPECT_EQ(sum.nanos, 0U);
}

TEST(Histogram, IsReadWholeWhileItsWriterGoesOn) {
  constexpr std::uint64_t kSamples = 200'000;
  Histogram h;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kSamples; ++i) h.record(base::Nanos(20'000));
  });
  std::uint64_t seen = 0;
  while (seen < kSamples) {
    HistogramSum sum;
    h.read_into(sum);
    ASSERT_GE(sum.count(), seen);
    ASSERT_EQ(sum.nanos % 20'000, 0U);
    seen = sum.count();
  }
  writer.join();
  HistogramSum sum;
  h.read_into(sum);
  EXPECT_EQ(sum.nanos, kSamples * 20'000);
}

}  // namespace
}  // namespace telemetry
