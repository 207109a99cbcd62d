#include "limit/buckets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "base/siphash.h"
#include "limit/testing.h"

namespace limit {
namespace {

using Class = Buckets::Class;

Quota quota(std::uint64_t count, base::Nanos per, std::uint64_t burst) {
  return Quota::of({count, per}, burst);
}
Buckets::Key key(std::uint64_t n, Class kind = Class::kStranger) {
  return {base::siphash({reinterpret_cast<const char*>(&n), sizeof n}), kind};
}

// ---- one bucket, any rate

struct Rate {
  std::uint64_t count;
  base::Nanos per;
  std::uint64_t burst;
};
constexpr base::Nanos kDay = std::chrono::hours(24);
const Rate kRates[] = {
    {1, base::Seconds(1), 1},         {3, base::Seconds(1), 7},
    {100, base::Seconds(60), 20},     {1, kDay, 5},
    {999'983, base::Seconds(1), 50},  {1'000'000'000, base::Seconds(1), 1'000},
    {7, base::Millis(1), 1'000'000},  {1, 365 * kDay, 1'000'000'000},
    {~0ULL, base::Seconds(1), ~0ULL},
};

TEST(QuotaTest, OverflowsNowhere) {
  for (const Rate& rate : kRates) {
    const Quota q = quota(rate.count, rate.per, rate.burst);
    EXPECT_GE(q.interval, 1);
    EXPECT_GE(q.window, 0);
    EXPECT_LE(q.window, Quota::kLongest);
    EXPECT_LE(q.burst(), rate.burst);
  }
  EXPECT_EQ(quota(100, base::Seconds(60), 20).burst(), 20);
  EXPECT_EQ(quota(0, base::Seconds(1), 10).burst(), 0);
}

TEST(QuotaTest, RefusesEverythingWithoutARateOrABurst) {
  for (const Quota& q : {quota(0, base::Seconds(1), 10), quota(10, base::Seconds(1), 0)}) {
    Buckets buckets(0);
    SingleBucket single;
    EXPECT_FALSE(buckets.take(key(1), q, at(base::Seconds(5))).granted);
    EXPECT_FALSE(single.take(q, at(base::Seconds(5))).granted);
    EXPECT_EQ(buckets.stats().entries, 0);
  }
}

// Whatever the pattern of requests: in no interval more than burst + rate × T. The worst interval for each
// end begins at some request, so that trying all pairs is trying all intervals.
TEST(GcraTest, AdmitsNoMoreThanBurstAndRateInAnyInterval) {
  std::mt19937_64 random(1);
  for (const Rate& rate : kRates) {
    const Quota q = quota(rate.count, rate.per, rate.burst);
    std::int64_t full_at = 0, now = 1'000'000'000;
    std::vector<std::int64_t> admitted;
    for (int i = 0; i < 3'000; ++i) {
      const std::int64_t step = std::int64_t{1} << std::uniform_int_distribution<int>(0, 40)(random);
      if (random() % 4 == 0) now += std::min(step, q.interval * 3);
      if (Gcra::take(full_at, q, now).granted) admitted.push_back(now);
    }
    for (std::size_t first = 0; first < admitted.size(); ++first)
      for (std::size_t last = first; last < admitted.size(); ++last) {
        const auto nanos = static_cast<double>(admitted[last] - admitted[first]);
        const double most = static_cast<double>(rate.burst) +
                            nanos * static_cast<double>(rate.count) / static_cast<double>(rate.per.count());
        ASSERT_LE(static_cast<double>(last - first + 1), most + 1e-6)
            << rate.count << " burst " << rate.burst;
      }
  }
}

TEST(GcraTest, AdmitsNoMoreThanItsRateOverALongTime) {
  for (const Rate& rate : kRates) {
    const Quota q = quota(rate.count, rate.per, 1);
    std::int64_t full_at = 0, now = 1'000'000'000;
    Gcra::take(full_at, q, now);
    for (std::int64_t n = 1; n < 100'000 && now < Quota::kLongest; ++n) {
      now += q.until_token(Gcra::look(full_at, q, now).debt);
      ASSERT_TRUE(Gcra::take(full_at, q, now).granted);
      const auto tokens = static_cast<__int128>(n) * rate.per.count();
      if (rate.count <= 1'000'000'000)
        ASSERT_LE(tokens, static_cast<__int128>(now - 1'000'000'000) * rate.count);
    }
  }
}

TEST(GcraTest, NeverRefusesACallerBelowItsRate) {
  std::mt19937_64 random(2);
  for (const Rate& rate : kRates) {
    const Quota q = quota(rate.count, rate.per, rate.burst);
    std::int64_t full_at = 0, now = 1'000'000'000;
    for (int i = 0; i < 10'000 && now < Quota::kLongest; ++i) {
      ASSERT_TRUE(Gcra::take(full_at, q, now).granted) << rate.count << " at request " << i;
      now += q.interval + static_cast<std::int64_t>(random() % 3);
    }
  }
}

TEST(GcraTest, GrantsTheWholeBurstAtOnceAndThenOneAnInterval) {
  const Quota q = quota(10, base::Seconds(1), 5);
  std::int64_t full_at = 0, now = 1'000'000'000;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Gcra::take(full_at, q, now).granted);
  Level level = Gcra::take(full_at, q, now);
  EXPECT_FALSE(level.granted);
  EXPECT_EQ(q.until_token(level.debt), 100'000'000);
  EXPECT_FALSE(Gcra::take(full_at, q, now + 99'999'999).granted);
  EXPECT_TRUE(Gcra::take(full_at, q, now + 100'000'000).granted);
}

TEST(GcraTest, ACallerDoesNotPayForWhatItOwedUnderAnOlderSlowerRate) {
  std::int64_t full_at = 0;
  const std::int64_t now = 1'000'000'000;
  for (int i = 0; i < 5; ++i) Gcra::take(full_at, quota(5, kDay, 5), now);
  const Quota faster = quota(10, base::Seconds(1), 10);
  EXPECT_FALSE(Gcra::take(full_at, faster, now).granted);  // still empty, but of the new bucket
  EXPECT_TRUE(Gcra::take(full_at, faster, now + faster.interval).granted);
}

// A worker reads its clock once a turn, so another's stamps may be ahead of its own.
TEST(GcraTest, AClockThatIsBehindWinsNothing) {
  const Quota q = quota(1'000, base::Seconds(1), 3);
  std::int64_t full_at = 0, now = 10'000'000'000;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Gcra::take(full_at, q, now).granted);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(Gcra::take(full_at, q, now - 500'000'000).granted);
  EXPECT_FALSE(Gcra::take(full_at, q, now).granted);
  EXPECT_TRUE(Gcra::take(full_at, q, now + q.interval).granted);
}

// ---- the table

TEST(BucketsTest, KeysDoNotShareABucketAndClassesNeither) {
  Buckets buckets(0);
  const Quota q = quota(1, base::Seconds(1), 1);
  EXPECT_TRUE(buckets.take(key(1), q, at(base::Seconds(1))).granted);
  EXPECT_FALSE(buckets.take(key(1), q, at(base::Seconds(1))).granted);
  EXPECT_TRUE(buckets.take(key(2), q, at(base::Seconds(1))).granted);
  EXPECT_TRUE(buckets.take(key(1, Class::kVerified), q, at(base::Seconds(1))).granted);
}

TEST(BucketsTest, LookingTakesNothingAndGivingBackRestores) {
  Buckets buckets(0);
  const Quota q = quota(1, base::Seconds(1), 2);
  const base::Mono now = at(base::Seconds(1));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(buckets.look(key(1), q, now).granted);
  EXPECT_TRUE(buckets.take(key(1), q, now).granted);
  EXPECT_TRUE(buckets.take(key(1), q, now).granted);
  EXPECT_FALSE(buckets.look(key(1), q, now).granted);
  buckets.give_back(key(1), q);
  EXPECT_TRUE(buckets.take(key(1), q, now).granted);
  EXPECT_FALSE(buckets.take(key(1), q, now).granted);
}

TEST(BucketsTest, SeveralThreadsOnOneBucketAreAdmittedExactly) {
  const Quota q = quota(1, kDay, 5'000);
  Buckets buckets(0);
  SingleBucket single;
  std::atomic<int> of_table{0}, of_single{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        of_table += buckets.take(key(1), q, at(base::Seconds(1))).granted;
        of_single += single.take(q, at(base::Seconds(1))).granted;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(of_table, 5'000);
  EXPECT_EQ(of_single, 5'000);
}

TEST(BucketsTest, SeveralThreadsThatGiveBackLoseAndWinNothing) {
  const Quota q = quota(1, kDay, 100);
  Buckets buckets(0);
  SingleBucket single;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100'000; ++i) {
        if (buckets.take(key(1), q, at(base::Seconds(1))).granted) buckets.give_back(key(1), q);
        if (single.take(q, at(base::Seconds(1))).granted) single.give_back(q);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(buckets.look(key(1), q, at(base::Seconds(1))).debt, 0);
  EXPECT_EQ(single.look(q, at(base::Seconds(1))).debt, 0);
}

TEST(BucketsTest, KeepsItsMemoryUnderAFloodOfKeys) {
  Buckets buckets(Buckets::kLeast);
  const Quota q = quota(1, base::Seconds(60), 10);
  const std::uint64_t before = resident_bytes();
  for (std::uint64_t i = 0; i < 1'200'000; ++i) buckets.take(key(i), q, at(base::Seconds(1)));
  const BucketStats stats = buckets.stats();
  EXPECT_EQ(stats.capacity * 16, Buckets::kLeast);
  EXPECT_EQ(stats.entries, stats.capacity);
  EXPECT_EQ(stats.entries + stats.evicted, 1'200'000);
  EXPECT_LT(resident_bytes(), before + 2 * Buckets::kLeast);
}

TEST(BucketsTest, AFloodTakesNothingFromAPrincipal) {
  Buckets buckets(Buckets::kLeast);
  const Quota principals = quota(1, base::Seconds(10), 1);
  const Quota addresses = quota(1, kDay, 3);  // owes more with one token than a principal ever does
  // Two a set on average: hardly one has more than the six that are kept.
  const std::uint64_t limited = buckets.stats().capacity / 4;
  const base::Mono now = at(base::Seconds(1));
  for (std::uint64_t i = 0; i < limited; ++i) buckets.take(key(i, Class::kVerified), principals, now);
  const std::uint64_t lost_by_themselves = buckets.stats().evicted;
  EXPECT_LT(lost_by_themselves, limited / 100);
  for (std::uint64_t i = 0; i < 1'000'000; ++i) buckets.take(key(i), addresses, now);
  std::uint64_t anew = 0;
  for (std::uint64_t i = 0; i < limited; ++i)
    anew += buckets.look(key(i, Class::kVerified), principals, now).granted;
  EXPECT_EQ(anew, lost_by_themselves);
}

TEST(BucketsTest, AnAddressAtItsLimitOutlivesAFloodOfOthers) {
  Buckets buckets(Buckets::kLeast);
  const Quota q = quota(1, base::Seconds(60), 10);
  const base::Mono now = at(base::Seconds(1));
  const std::uint64_t limited = buckets.stats().capacity / 64;  // eight in one set are not to be expected
  for (std::uint64_t i = 0; i < limited; ++i)
    for (int n = 0; n < 10; ++n) buckets.take(key(i), q, now);
  for (std::uint64_t i = limited; i < 1'000'000; ++i) buckets.take(key(i), q, now);
  std::uint64_t anew = 0;
  for (std::uint64_t i = 0; i < limited; ++i) anew += buckets.look(key(i), q, now).granted;
  EXPECT_EQ(anew, 0);
}

TEST(BucketsTest, PrincipalsLeaveRoomForStrangers) {
  Buckets buckets(Buckets::kLeast);
  const Quota q = quota(1, kDay, 1);
  const base::Mono now = at(base::Seconds(1));
  for (std::uint64_t i = 0; i < 500'000; ++i) buckets.take(key(i, Class::kVerified), q, now);
  EXPECT_EQ(buckets.stats().entries, buckets.stats().capacity * 6 / 8);
  EXPECT_TRUE(buckets.take(key(1), q, now).granted);
  EXPECT_FALSE(buckets.take(key(1), q, now).granted);
}

TEST(BucketsTest, PrincipalsWithAFullBucketMakeWayForStrangers) {
  Buckets buckets(Buckets::kLeast);
  const Quota q = quota(1, base::Seconds(1), 1);
  for (std::uint64_t i = 0; i < 500'000; ++i) buckets.take(key(i, Class::kVerified), q, at(base::Seconds(1)));
  const BucketStats before = buckets.stats();
  for (std::uint64_t i = 0; i < 500'000; ++i) buckets.take(key(i), q, at(base::Seconds(10)));
  EXPECT_EQ(buckets.stats().reclaimed - before.reclaimed, before.entries);
  EXPECT_EQ(buckets.stats().entries, before.capacity);
}

// A worker whose clock is behind sees buckets as owing that another has found to be full.
TEST(BucketsTest, AClockThatIsBehindFindsAPlaceToo) {
  Buckets buckets(Buckets::kLeast);
  const Quota q = quota(1, base::Seconds(1), 1);
  for (std::uint64_t i = 0; i < 500'000; ++i) buckets.take(key(i, Class::kVerified), q, at(base::Seconds(1)));
  for (std::uint64_t i = 0; i < 500'000; ++i)
    buckets.take(key(~i, Class::kVerified), q, at(base::Seconds(2)));
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_TRUE(buckets.take(key(i), q, at(base::Millis(1'500))).granted);
    EXPECT_FALSE(buckets.take(key(i), q, at(base::Millis(1'500))).granted);
  }
}

TEST(BucketsTest, ReclaimsFullBucketsBeforeAnybodyLoses) {
  Buckets buckets(Buckets::kLeast);
  const Quota brief = quota(1, base::Seconds(1), 1), lasting = quota(1, base::Seconds(600), 1);
  const std::uint64_t many = buckets.stats().capacity;
  for (std::uint64_t i = 0; i < 3 * many; ++i) buckets.take(key(i), brief, at(base::Seconds(1)));
  const auto [entries, capacity, reclaimed, evicted] = buckets.stats();
  for (std::uint64_t i = 0; i < many / 32; ++i) buckets.take(key(~i), lasting, at(base::Seconds(10)));
  EXPECT_EQ(buckets.stats().reclaimed - reclaimed + buckets.stats().entries - entries, many / 32);
  EXPECT_EQ(buckets.stats().evicted, evicted);
}

TEST(BucketsTest, ResizingLosesNothingThatFits) {
  const Quota q = quota(1, base::Seconds(60), 10);
  const base::Mono now = at(base::Seconds(1));
  Buckets buckets(4 * Buckets::kLeast);
  const std::uint64_t many = buckets.stats().capacity / 64;
  for (std::uint64_t i = 0; i < many; ++i)
    for (std::uint64_t n = 0; n <= i % 10; ++n) buckets.take(key(i), q, now);
  for (const std::uint64_t memory : {16 * Buckets::kLeast, 5 * Buckets::kLeast, 2 * Buckets::kLeast}) {
    buckets.resize(memory, now);
    EXPECT_EQ(buckets.stats().capacity * 16, memory);
    EXPECT_EQ(buckets.stats().entries, many);
    for (std::uint64_t i = 0; i < many; ++i)
      ASSERT_EQ(buckets.look(key(i), q, now).debt, static_cast<std::int64_t>(i % 10 + 1) * q.interval);
  }
  buckets.resize(Buckets::kLeast, now + base::Seconds(180));  // three tokens later
  std::uint64_t less_than_full = 0;
  for (std::uint64_t i = 0; i < many; ++i) less_than_full += i % 10 >= 3;
  EXPECT_EQ(buckets.stats().entries, less_than_full);
}

TEST(BucketsTest, ASizeThatCannotBeHadChangesNothing) {
  const Quota q = quota(1, kDay, 1);
  Buckets buckets(0);
  buckets.take(key(1), q, at(base::Seconds(1)));
  EXPECT_FALSE(buckets.resize(std::uint64_t{1} << 52, at(base::Seconds(1))));
  EXPECT_EQ(buckets.stats().capacity * 16, Buckets::kLeast);
  EXPECT_FALSE(buckets.look(key(1), q, at(base::Seconds(1))).granted);
}

TEST(BucketsTest, ResizingKeepsTheEmptiestOfWhatDoesNotFit) {
  const Quota q = quota(1, base::Seconds(60), 10);
  const base::Mono now = at(base::Seconds(1));
  Buckets buckets(16 * Buckets::kLeast);
  const std::uint64_t many = 2 * Buckets(0).stats().capacity;
  for (std::uint64_t i = 0; i < many; ++i)
    for (std::uint64_t n = 0; n < (i % 100 == 0 ? 10 : 1); ++n) buckets.take(key(i), q, now);
  buckets.resize(0, now);  // the least there is
  EXPECT_GT(buckets.stats().evicted, many / 3);
  for (std::uint64_t i = 0; i < many; i += 100) EXPECT_FALSE(buckets.look(key(i), q, now).granted);
}

TEST(BucketsTest, NobodyIsAdmittedTwiceWhileTheTableIsResized) {
  const Quota q = quota(1, kDay, 1);
  const base::Mono now = at(base::Seconds(1));
  constexpr std::uint64_t kLater = 500, kMost = 60'000;
  Buckets buckets(16 * Buckets::kLeast);
  std::atomic<std::uint64_t> twice{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (std::uint64_t t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      for (std::uint64_t n = 0; !done; ++n) {
        if (n < kMost) buckets.take(key(t << 32 | n), q, now);
        if (n >= kLater) twice += buckets.take(key(t << 32 | (n - kLater) % kMost), q, now).granted;
      }
    });
  for (int i = 0; i < 8; ++i) buckets.resize((i % 2 ? 16 : 33) * Buckets::kLeast, now);
  done = true;
  for (auto& thread : threads) thread.join();
  EXPECT_LE(twice, buckets.stats().evicted);
}

}  // namespace
}  // namespace limit
