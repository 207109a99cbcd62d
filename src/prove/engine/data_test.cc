#include "prove/engine/data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace prove {
namespace {

DataSpec range(std::uint64_t from, std::uint64_t to, Choice choose, double exponent = 1) {
  DataSpec spec;
  spec.name = "n";
  spec.columns = {""};
  spec.range = true;
  spec.from = from;
  spec.to = to;
  spec.choose = choose;
  spec.exponent = exponent;
  return spec;
}

TEST(Zipf, FollowsItsLawWhateverTheExponent) {
  constexpr std::uint64_t kRanks = 50;
  constexpr int kSamples = 400'000;
  for (const double exponent : {0.5, 0.9, 1.0, 1.0000001, 1.3, 3.0}) {
    double all = 0;
    for (std::uint64_t k = 1; k <= kRanks; ++k) all += std::pow(static_cast<double>(k), -exponent);
    const Zipf zipf(kRanks, exponent);
    Random random(7);
    std::map<std::uint64_t, int> seen;
    for (int i = 0; i < kSamples; ++i) ++seen[zipf(random)];
    EXPECT_GE(seen.begin()->first, 1u);
    EXPECT_LE(seen.rbegin()->first, kRanks);
    // Chi square with 49 degrees of freedom lies below 90 with a probability of 0.9997; ranks expected less
    // than five times are left out.
    double chi = 0;
    for (std::uint64_t k = 1; k <= kRanks; ++k) {
      const double expected = kSamples * std::pow(static_cast<double>(k), -exponent) / all;
      if (expected < 5) continue;
      chi += (seen[k] - expected) * (seen[k] - expected) / expected;
    }
    EXPECT_LT(chi, 90) << "exponent " << exponent;
  }
}

TEST(Zipf, ReachesAllOfABillionRanks) {
  const Zipf zipf(1'000'000'000, 0.8);
  Random random(1);
  std::uint64_t largest = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t rank = zipf(random);
    ASSERT_GE(rank, 1u);
    ASSERT_LE(rank, 1'000'000'000u);
    largest = std::max(largest, rank);
  }
  EXPECT_GT(largest, 900'000'000u);
  const Zipf one(1, 1.2);
  EXPECT_EQ(one(random), 1u);
}

TEST(Dataset, WritesTheRowIntoTheSlotsThatTemplatesName) {
  Slots slots;
  slots.slot_of("other");
  const std::size_t name = slots.slot_of("users.name");
  DataSpec spec;
  spec.name = "users";
  spec.columns = {"name", "password"};
  spec.rows = {{"ann", "x"}, {"bob", "y"}};
  spec.choose = Choice::kSequence;
  const Dataset data(spec, slots);
  EXPECT_TRUE(data.used());
  Values values(slots.size());
  Random random(1);
  Cursor cursor;
  std::string all;
  for (int i = 0; i < 3; ++i) {
    data.pick(random, cursor, values);
    all += values[name] + " ";
  }
  EXPECT_EQ(all, "ann bob ann ");
  EXPECT_EQ(values[0], "");
}

TEST(Dataset, IsNotUsedWhenNoTemplateNamesIt) {
  const Slots slots;
  const DataSpec spec = range(1, 5, Choice::kUniform);
  EXPECT_FALSE(Dataset(spec, slots).used());
}

TEST(Dataset, LetsGeneratorsTakeTurnsInASequence) {
  Slots slots;
  const std::size_t slot = slots.slot_of("n");
  const DataSpec spec = range(10, 13, Choice::kSequence);
  const Dataset data(spec, slots);
  Values values(slots.size());
  Random random(1);
  Cursor second{.next = 1, .stride = 3};
  std::string all;
  for (int i = 0; i < 4; ++i) {
    data.pick(random, second, values);
    all += values[slot] + " ";
  }
  EXPECT_EQ(all, "11 10 13 12 ");
}

TEST(Dataset, PicksEvenlyFromARange) {
  Slots slots;
  const std::size_t slot = slots.slot_of("n");
  const DataSpec spec = range(0, 9, Choice::kUniform);
  const Dataset data(spec, slots);
  Values values(slots.size());
  Random random(3);
  Cursor cursor;
  std::map<std::string, int> seen;
  for (int i = 0; i < 10'000; ++i) {
    data.pick(random, cursor, values);
    ++seen[values[slot]];
  }
  EXPECT_EQ(seen.size(), 10u);
  for (const auto& [text, times] : seen) EXPECT_NEAR(times, 1'000, 150) << text;
}

TEST(Dataset, MakesTheSameChoicesForTheSameSeed) {
  Slots slots;
  const std::size_t slot = slots.slot_of("n");
  const DataSpec spec = range(1, 1'000'000, Choice::kZipf, 0.9);
  const Dataset data(spec, slots);
  Values a(slots.size()), b(slots.size());
  Random first(42), second(42);
  Cursor cursor;
  for (int i = 0; i < 100; ++i) {
    data.pick(first, cursor, a);
    data.pick(second, cursor, b);
    ASSERT_EQ(a[slot], b[slot]);
  }
}

}  // namespace
}  // namespace prove
