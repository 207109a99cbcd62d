#include "limit/leases.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace limit {
namespace {

using base::Millis;
using base::Mono;
using base::Seconds;
using Outcome = Leases::Outcome;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kKey = 42;

Quota per_second(std::uint64_t rate, std::uint64_t burst) {
  return {.interval = static_cast<std::int64_t>(kSecond / rate),
          .window = static_cast<std::int64_t>(kSecond / rate * burst)};
}

class LeasesTest : public ::testing::Test {
 protected:
  Leases::Taken take() { return leases.take(kKey, quota, now, {round_trip}); }
  Leases::Taken take_again() { return leases.take(kKey, quota, now, {round_trip, true}); }
  void put(std::uint64_t asked, std::uint64_t granted, std::int64_t debt = 0, std::uint64_t waiting = 0) {
    leases.put(kKey, quota, asked, granted, debt, waiting, now);
  }
  // As from a caller that has been asking at this pace for a while.
  void warm(base::Nanos gap) {
    put(10'000, 10'000);
    for (int i = 0; i < 40; ++i) {
      now += gap;
      take();
    }
    leases.put(kKey, quota, 1, 1, 0, 0, now);
  }

  Leases leases{1 << 20};
  Quota quota = per_second(1000, 1000);
  Mono now{Seconds(100)};
  base::Nanos round_trip{0};
};

TEST_F(LeasesTest, AStrangerWaitsForASingleToken) {
  const auto first = take();
  EXPECT_EQ(first.outcome, Outcome::kEmpty);
  EXPECT_EQ(first.refill, 1u);
  put(1, 1, 0, 1);
  const auto second = take_again();
  EXPECT_EQ(second.outcome, Outcome::kGranted);
  EXPECT_EQ(second.refill, 0u) << "nobody knows that it will come again";
  EXPECT_EQ(take().outcome, Outcome::kEmpty);
}

TEST_F(LeasesTest, DrawsAheadWhatTheCallerUsesInTwentyMilliseconds) {
  warm(Millis(2));
  while (true) {  // up to where it runs low
    now += Millis(2);
    const auto taken = take();
    ASSERT_EQ(taken.outcome, Outcome::kGranted);
    if (taken.refill == 0) continue;
    EXPECT_GE(taken.refill, 4u);
    EXPECT_LE(taken.refill, 10u);
    break;
  }
}

TEST_F(LeasesTest, DrawsAtMostASmallShareOfTheBurstAhead) {
  EXPECT_EQ(Leases::largest(per_second(1000, 1000)), 20u) << "20 ms of the rate";
  EXPECT_EQ(Leases::largest(per_second(1000, 64)), 2u) << "1/32 of the burst";
  EXPECT_EQ(Leases::largest(per_second(1, 100)), 1u);
  EXPECT_EQ(Leases::largest(per_second(1000, 31)), 0u) << "one would be too large a share";
  EXPECT_EQ(Leases::largest(per_second(1'000'000, 1'000'000)), 20'000u);
}

TEST_F(LeasesTest, ARareCallerHasNothingDrawnAhead) {
  for (int i = 0; i < 20; ++i) {
    now += Millis(90);
    EXPECT_EQ(take().outcome, Outcome::kEmpty);
    put(1, 1, 0, 1);
    const auto taken = take_again();
    EXPECT_EQ(taken.outcome, Outcome::kGranted);
    EXPECT_EQ(taken.refill, 0u);
  }
}

TEST_F(LeasesTest, ALeaseThatIsNotUsedIsVoid) {
  put(5, 5);
  now += Millis(99);
  EXPECT_EQ(take().outcome, Outcome::kGranted);
  now += Millis(101);
  EXPECT_EQ(take().outcome, Outcome::kEmpty);
}

TEST_F(LeasesTest, RefusesAtOnceUntilRedisHasATokenAgain) {
  quota = per_second(10, 10);
  take();
  put(1, 0, quota.window, 1);  // empty: the next token in 100 ms
  auto refused = take();
  EXPECT_EQ(refused.outcome, Outcome::kRefused);
  EXPECT_EQ(refused.debt + quota.interval - quota.window, 100'000'000) << "that is how long to stay away";
  now += Millis(99);
  EXPECT_EQ(take().outcome, Outcome::kRefused);
  now += Millis(1);
  EXPECT_EQ(take().outcome, Outcome::kEmpty);
}

TEST_F(LeasesTest, UsesUpWhatItGotBeforeItRefuses) {
  quota = per_second(10, 10);
  put(3, 2, quota.window);
  EXPECT_EQ(take().outcome, Outcome::kGranted);
  const auto last = take();
  EXPECT_EQ(last.outcome, Outcome::kGranted);
  EXPECT_EQ(last.refill, 0u) << "there is nothing to draw";
  EXPECT_EQ(take().outcome, Outcome::kRefused);
}

TEST_F(LeasesTest, AtAHighRateItIsRefusedUntilThereIsALeaseOfTokens) {
  take();
  put(1, 0, quota.window, 1);
  now += Millis(19);
  EXPECT_EQ(take().outcome, Outcome::kRefused);
  now += Millis(1);
  EXPECT_EQ(take().outcome, Outcome::kEmpty);
}

TEST_F(LeasesTest, AsksForAsManyAsWaitedInVain) {
  quota = per_second(10, 10);
  EXPECT_EQ(take().refill, 1u);
  put(1, 1, 0, 7);
  EXPECT_EQ(take_again().outcome, Outcome::kGranted);
  EXPECT_EQ(take_again().refill, 6u);
}

TEST_F(LeasesTest, SaysHowFullTheBucketIsWithTheLeaseInIt) {
  quota = per_second(10, 100);
  put(4, 4, quota.interval * 30);
  EXPECT_EQ(take().debt, quota.interval * 27);
  now += Millis(50);
  EXPECT_EQ(take().debt, quota.interval * 28 - 50'000'000);
}

// A worker reads the time once a turn; an answer is stamped when it comes.
TEST_F(LeasesTest, AnAnswerFromTheFutureOfAWorkersTurnRefusesNobody) {
  leases.put(kKey, quota, 1, 1, 0, 2, now + Millis(1));
  EXPECT_EQ(take_again().outcome, Outcome::kGranted);
  EXPECT_EQ(take().outcome, Outcome::kEmpty);
}

TEST_F(LeasesTest, GivesBackIntoTheLease) {
  put(1, 1);
  EXPECT_EQ(take().outcome, Outcome::kGranted);
  leases.give_back(kKey, quota);
  EXPECT_EQ(take().outcome, Outcome::kGranted);
  EXPECT_EQ(take().outcome, Outcome::kEmpty);
}

TEST_F(LeasesTest, WhoHasWaitedComesBeforeWhoComesNow) {
  quota = per_second(10, 10);
  put(2, 2, 0, 2);
  EXPECT_EQ(take().outcome, Outcome::kEmpty) << "both are kept for those who waited";
  EXPECT_EQ(take_again().outcome, Outcome::kGranted);
  EXPECT_EQ(take_again().outcome, Outcome::kGranted);
  EXPECT_EQ(take_again().outcome, Outcome::kEmpty);
}

TEST_F(LeasesTest, DrawsAheadForTheRoundTripThatIsSeen) {
  EXPECT_EQ(Leases::largest(quota, Millis(40)), 100u) << "100 ms of the rate";
  EXPECT_EQ(Leases::largest(per_second(1000, 64), Millis(40)), 10u) << "5/32 of the burst";
  EXPECT_EQ(Leases::largest(per_second(1000, 64), Millis(200)), 16u) << "never more than a quarter";
  round_trip = Millis(40);
  warm(Millis(2));
  Leases::Taken taken;
  do {
    now += Millis(2);
    taken = take();
    ASSERT_EQ(taken.outcome, Outcome::kGranted);
  } while (taken.refill == 0);
  for (int i = 0; i < 20; ++i) {  // while the draw is under way
    now += Millis(2);
    EXPECT_EQ(take().outcome, Outcome::kGranted) << i;
  }
}

TEST_F(LeasesTest, BorrowsWhatRedisWouldHaveAndPaysWithTheNextDraw) {
  quota = per_second(10, 10);
  EXPECT_EQ(take().outcome, Outcome::kEmpty);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(leases.borrow(kKey, quota, now).outcome, Outcome::kGranted) << i;
  const auto refused = leases.borrow(kKey, quota, now);
  EXPECT_EQ(refused.outcome, Outcome::kRefused);
  EXPECT_EQ(refused.debt + quota.interval - quota.window, 100'000'000) << "that is how long to stay away";
  put(1, 1, quota.interval);
  now += Millis(100);
  EXPECT_EQ(leases.borrow(kKey, quota, now).outcome, Outcome::kGranted) << "one is there by now";
  EXPECT_EQ(take().refill, 10u) << "ten that were borrowed, of which one was paid, and one more, at most all";
  put(10, 9, quota.window);
  EXPECT_EQ(take().outcome, Outcome::kRefused) << "all of it went to what was borrowed";
}

TEST_F(LeasesTest, WhatRedisHasRefusedIsNotBorrowed) {
  quota = per_second(10, 10);
  put(1, 0, quota.window);
  now += Millis(99);
  EXPECT_EQ(leases.borrow(kKey, quota, now).outcome, Outcome::kRefused);
  now += Millis(1);
  EXPECT_EQ(leases.borrow(kKey, quota, now).outcome, Outcome::kGranted);
  leases.give_back(kKey, quota);
  EXPECT_EQ(leases.borrow(kKey, quota, now).outcome, Outcome::kGranted);
  EXPECT_EQ(leases.borrow(kKey, quota, now).outcome, Outcome::kRefused);
}

TEST_F(LeasesTest, OneWorkerAtATimeDrawsAhead) {
  warm(Millis(1));
  const auto next = [&] {
    now += Millis(1);
    return take();
  };
  while (next().refill == 0) {
  }
  for (int i = 0; i < 8; ++i) {
    const auto taken = next();
    EXPECT_EQ(taken.outcome, Outcome::kGranted);
    EXPECT_EQ(taken.refill, 0u) << "one is under way";
  }
  put(10, 10);
  int more = 0;
  while (next().refill == 0) ++more;
  EXPECT_LT(more, 15) << "answered, so that the next may go";
}

TEST_F(LeasesTest, ManyThreadsSpendEachTokenOnce) {
  constexpr int kThreads = 4;
  put(30'000, 30'000);
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n)
        if (take().outcome == Outcome::kGranted) ++granted;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, 30'000);
}

TEST_F(LeasesTest, ALimitOfNothingRefusesWithoutRedis) {
  quota = {.interval = 1, .window = 0};
  EXPECT_EQ(take().outcome, Outcome::kRefused);
}

TEST_F(LeasesTest, AFloodOfKeysTakesTheLeastUsedPlaces) {
  Leases small(1);                                          // four places in each shard
  const auto key = [](std::uint64_t n) { return n * 64; };  // all in one
  for (std::uint64_t n = 1; n <= 4; ++n) small.put(key(n), quota, 1, 1, 0, 0, now += Millis(1));
  small.put(key(5), quota, 1, 1, 0, 0, now += Millis(1));
  EXPECT_EQ(small.take(key(1), quota, now, {}).outcome, Outcome::kEmpty)
      << "was displaced, and displaces the next";
  EXPECT_EQ(small.take(key(5), quota, now, {}).outcome, Outcome::kGranted);
  EXPECT_EQ(small.take(key(4), quota, now, {}).outcome, Outcome::kGranted);
}

TEST_F(LeasesTest, AFloodOfKeysLeavesThePlacesThatOweRedisSomethingUntilTheBucketIsFull) {
  quota = per_second(10, 10);
  Leases small(1);
  const auto key = [](std::uint64_t n) { return n * 64; };
  for (int i = 0; i < 5; ++i) ASSERT_EQ(small.borrow(key(1), quota, now).outcome, Outcome::kGranted);
  for (std::uint64_t n = 2; n <= 9; ++n) small.put(key(n), quota, 1, 1, 0, 0, now += Millis(1));
  EXPECT_EQ(small.take(key(1), quota, now, {.waits = false}).refill, 6U) << "what it borrowed, and the next";
  now += Millis(500);
  for (std::uint64_t n = 2; n <= 9; ++n) small.put(key(n), quota, 1, 1, 0, 0, now += Millis(1));
  EXPECT_EQ(small.take(key(1), quota, now, {.waits = false}).refill, 1U) << "it was displaced";
}

}  // namespace
}  // namespace limit
