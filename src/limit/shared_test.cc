// Against a real redis-server; without one these tests are skipped. Two instances in one thread are two
// tables of leases with a connection each, which is all that two processes would have.
#include "limit/shared.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "net/testing.h"
#include "redis/testing.h"

namespace limit {
namespace {

using base::Millis;
using base::Seconds;
using redis::testing::RedisServer;

constexpr std::int64_t kSecond = 1'000'000'000;

Policy per_second(std::uint64_t rate, std::uint64_t burst, std::uint64_t id = 7) {
  Policy policy;
  policy.id = id;
  policy.quota.interval = static_cast<std::int64_t>(kSecond / rate);
  policy.quota.window = policy.quota.interval * static_cast<std::int64_t>(burst);
  policy.shared = true;
  return policy;
}

struct Instance {
  Instance(net::testing::TestLoop& test, std::uint16_t port, Millis timeout, base::Nanos patience)
      : connection(test.loop, test.resolver, options(port, timeout), metrics),
        link(shared, connection, "t:", shared_metrics, patience) {
    connection.start();
  }
  static redis::Options options(std::uint16_t port, Millis timeout) {
    redis::Options out;
    out.host = "127.0.0.1";
    out.port = port;
    out.timeout = timeout;
    out.greeting.prelude = SharedLink::prelude();
    return out;
  }
  redis::Metrics metrics;
  SharedMetrics shared_metrics;
  SharedBuckets shared{1 << 20};
  redis::Connection connection;
  SharedLink link;
};

struct Tally {
  bool patient = false;  // asks again where Redis was late
  int granted = 0, refused = 0, lost = 0;
  base::Nanos longest{0};
};

class SharedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::available()) GTEST_SKIP() << "redis-server is not installed";
    server.emplace();
    for (auto& place : instances) place.emplace(test, server->port(), timeout, patience);
    ASSERT_TRUE(up(a()) && up(b()));
  }
  void TearDown() override {
    for (auto& instance : instances) {
      if (!instance) continue;
      instance->connection.stop();
      test.await(instance->connection.drained());
    }
  }
  Instance& a() { return *instances[0]; }
  Instance& b() { return *instances[1]; }
  bool up(Instance& instance) {
    return test.until([&] { return instance.connection.ready(); });
  }

  static net::Task<Draw> ask(Instance& instance, const Policy& policy, Buckets::Key key = {1},
                             std::span<const std::string_view> parts = {}, net::Cancel* cancel = nullptr) {
    base::Mono until{};
    for (;;) {
      const base::Mono now = instance.connection.loop().now();
      const auto answer = instance.link.draw(policy, key, parts, now, until);
      if (answer.draw != Draw::kWait) co_return answer.draw;
      if (until == base::Mono{}) until = now + instance.link.patience();
      co_await instance.link.wait_for_lease(policy, key, until, cancel);
      if (cancel && cancel->requested()) co_return Draw::kWait;
    }
  }
  // What Redis says, however busy the machine is.
  static net::Task<Draw> decide(Instance& instance, const Policy& policy, Buckets::Key key = {1},
                                std::span<const std::string_view> parts = {}) {
    const base::Mono give_up = base::mono_now() + Seconds(10);
    for (;;) {
      const Draw draw = co_await ask(instance, policy, key, parts);
      if (draw != Draw::kLost || base::mono_now() > give_up) co_return draw;
      co_await instance.connection.loop().yield();
    }
  }

  // Asks `times` or until `end`, without a pause but where it was refused.
  static net::Task<> hammer(Instance& instance, const Policy& policy, base::Mono end, int times,
                            Tally& tally) {
    net::Loop& loop = instance.connection.loop();
    net::Event pause(loop);
    for (int i = 0; i < times && base::mono_now() < end; ++i) {
      const base::Mono began = base::mono_now();
      const Draw draw = co_await ask(instance, policy, {1}, {});
      tally.longest = std::max(tally.longest, base::mono_now() - began);
      if (draw == Draw::kLost && tally.patient) --i;
      ++(draw == Draw::kGranted ? tally.granted : draw == Draw::kRefused ? tally.refused : tally.lost);
      if (draw == Draw::kRefused)
        co_await pause.wait(loop.now() + Millis(1));
      else
        co_await loop.yield();
    }
  }
  net::Task<> both(const Policy& policy, base::Nanos span, Tally& left, Tally& right) {
    net::Scope scope(test.loop);
    const base::Mono end = base::mono_now() + span;
    scope.spawn(hammer(a(), policy, end, 1 << 30, left));
    scope.spawn(hammer(b(), policy, end, 1 << 30, right));
    co_await scope.drained();
  }
  void expect_within_5_percent(const Policy& policy, base::Nanos span) {
    Tally left, right;
    const base::Mono began = base::mono_now();
    test.await(both(policy, span, left, right));
    const double seconds = std::chrono::duration<double>(base::mono_now() - began).count();
    const double limit = static_cast<double>(policy.quota.burst()) +
                         seconds * 1e9 / static_cast<double>(policy.quota.interval);
    EXPECT_NEAR(left.granted + right.granted, limit, limit * 0.05);
    EXPECT_GT(left.granted, 0);
    EXPECT_GT(right.granted, 0);
    EXPECT_GT(left.refused + right.refused, 0);
  }

  Millis timeout{250};
  base::Nanos patience = SharedLink::kPatience;
  net::testing::TestLoop test;
  std::optional<RedisServer> server;
  std::array<std::optional<Instance>, 2> instances;
};

// On a machine so busy that Redis is late now and then.
class SharingTest : public SharedTest {
 protected:
  SharingTest() { timeout = Seconds(10), patience = Seconds(10); }
};

TEST_F(SharingTest, TwoInstancesAdmitTogetherWhatOneMay) {
  expect_within_5_percent(per_second(200, 100), Seconds(2));
}

TEST_F(SharingTest, TwoInstancesAdmitTogetherWhatOneMayAtAHighRate) {
  expect_within_5_percent(per_second(5'000, 5'000), Seconds(2));
}

TEST_F(SharingTest, AnInstanceThatFallsIdleHoldsNothingBack) {
  const Policy policy = per_second(500, 500);
  Tally busy, idle;
  test.await(hammer(b(), policy, base::Mono::max(), 100, idle));
  const base::Mono began = base::mono_now();
  test.await(hammer(a(), policy, began + Seconds(2), 1 << 30, busy));
  const double limit = 500 + 500 * std::chrono::duration<double>(base::mono_now() - began).count();
  EXPECT_NEAR(busy.granted + idle.granted, limit, limit * 0.05);
}

TEST_F(SharingTest, ASmallLimitIsExact) {
  Policy policy = per_second(1, 10);
  policy.quota.interval = 60 * kSecond;
  policy.quota.window = 600 * kSecond;
  Tally left{.patient = true}, right{.patient = true};
  for (int i = 0; i < 30; ++i) {
    test.await(hammer(a(), policy, base::Mono::max(), 1, left));
    test.await(hammer(b(), policy, base::Mono::max(), 1, right));
  }
  EXPECT_EQ(left.granted, 5);
  EXPECT_EQ(right.granted, 5);
}

TEST_F(SharedTest, ARefusalKnowsForHowLongAndAsksRedisNoMore) {
  const Policy policy = per_second(1, 1);
  EXPECT_EQ(test.await(decide(a(), policy)), Draw::kGranted);
  EXPECT_EQ(test.await(decide(b(), policy)), Draw::kRefused);
  const auto commands = b().metrics.commands.read();
  const auto answer = b().link.draw(policy, {1}, {}, test.loop.now());
  EXPECT_EQ(answer.draw, Draw::kRefused);
  EXPECT_GT(answer.debt, 0);
  EXPECT_LE(answer.debt, kSecond);
  EXPECT_EQ(b().metrics.commands.read(), commands);
}

TEST_F(SharedTest, ABusyCallerSeldomWaits) {
  const Policy policy = per_second(1'000'000, 1'000'000);
  Tally tally{.patient = true};
  test.await(hammer(a(), policy, base::Mono::max(), 20'000, tally));
  EXPECT_EQ(tally.granted, 20'000);
  EXPECT_LT(a().shared_metrics.waits.read(), 200u) << "less than one in a hundred";
  EXPECT_LT(a().metrics.commands.read(), 2'000u);
}

TEST_F(SharedTest, RedisSeesNoCaller) {
  const Policy policy = per_second(10, 10);
  const std::string_view parts[] = {"https://id.example.com", "alice@example.com"};
  EXPECT_EQ(test.await(decide(a(), policy, {5}, parts)), Draw::kGranted);
  const redis::Reply keys = server->ask({"KEYS", "*"});
  ASSERT_EQ(keys.nodes().size(), 2u);
  const std::string_view name = keys.text(keys.nodes()[1]);
  EXPECT_TRUE(name.starts_with("t:rate:7:")) << name;
  EXPECT_FALSE(name.contains("alice")) << name;
  EXPECT_FALSE(name.contains("example")) << name;
  EXPECT_EQ(name.size(), 9u + 32u);
}

TEST_F(SharedTest, CallersWhosePartsJoinAlikeAreToldApart) {
  const Policy policy = per_second(1, 1);
  const std::string_view one[] = {"ab", "c"}, other[] = {"a", "bc"};
  EXPECT_EQ(test.await(decide(a(), policy, {5}, one)), Draw::kGranted);
  EXPECT_EQ(test.await(decide(a(), policy, {6}, other)), Draw::kGranted);
  EXPECT_EQ(test.await(decide(b(), policy, {77}, one)), Draw::kRefused) << "whatever its key is called there";
}

TEST_F(SharedTest, KeysGoWhenTheirBucketIsFull) {
  EXPECT_EQ(test.await(decide(a(), per_second(1, 100))), Draw::kGranted);
  const redis::Reply keys = server->ask({"KEYS", "*"});
  ASSERT_EQ(keys.nodes().size(), 2u);
  const redis::Reply left = server->ask({"PTTL", keys.text(keys.nodes()[1])});
  EXPECT_GT(left.root().integer, 0);
  EXPECT_LE(left.root().integer, 1'000);
}

TEST_F(SharedTest, BringsItsScriptBackWhereSomebodyFlushedIt) {
  server->ask({"SCRIPT", "FLUSH"});
  EXPECT_EQ(test.await(decide(a(), per_second(10, 10))), Draw::kGranted);
}

TEST_F(SharedTest, IsLostAtOnceWhenRedisDiesAndComesBackByItself) {
  const Policy policy = per_second(1'000'000, 1'000'000);
  Tally tally;
  test.await(hammer(a(), policy, base::mono_now() + Millis(200), 1 << 30, tally));
  EXPECT_GT(tally.granted, 0);
  server->end(SIGKILL);
  test.await(hammer(a(), policy, base::mono_now() + Millis(500), 1 << 30, tally));
  EXPECT_GT(tally.lost, 1000);
  EXPECT_LT(tally.longest, Millis(240)) << "nobody waited for a timeout";
  EXPECT_EQ(a().metrics.connected.read(), 0);
  EXPECT_GT(a().shared_metrics.fallbacks.read(), 1000u);
  server->start();
  ASSERT_TRUE(up(a()));
  EXPECT_EQ(test.await(decide(a(), policy)), Draw::kGranted);
  EXPECT_EQ(a().metrics.reconnects.read(), 1u);
}

TEST_F(SharedTest, ARedisThatDoesNotAnswerHoldsUpNoneButTheFirst) {
  const Policy policy = per_second(1'000'000, 1'000'000);
  server->ask({"CLIENT", "PAUSE", "1500", "ALL"});
  Tally tally;
  test.await(hammer(a(), policy, base::mono_now() + Seconds(1), 1 << 30, tally));
  EXPECT_GT(tally.granted, 1000) << "borrowed, until the connection was given up";
  EXPECT_GT(tally.lost, 1000);
  EXPECT_LT(tally.longest, Millis(240)) << "nobody waited for the command's timeout";
  EXPECT_EQ(a().shared_metrics.waits.read(), 1u);
  ASSERT_TRUE(up(a()));
  EXPECT_EQ(test.await(decide(a(), policy)), Draw::kGranted);
}

TEST_F(SharedTest, ARedisThatAnswersErrorsIsNotAskedForAWhile) {
  server->ask({"CONFIG", "SET", "maxmemory", "1"});
  const Policy policy = per_second(10, 10);
  EXPECT_EQ(test.await(ask(a(), policy)), Draw::kLost);
  const auto commands = a().metrics.commands.read();
  EXPECT_EQ(test.await(ask(a(), policy)), Draw::kLost);
  EXPECT_EQ(a().metrics.commands.read(), commands);
  server->ask({"CONFIG", "SET", "maxmemory", "0"});
  const base::ClockShift later(Seconds(2));
  test.turn();
  EXPECT_EQ(test.await(decide(a(), policy)), Draw::kGranted);
}

TEST_F(SharedTest, ARequestThatLeavesDoesNotHoldItsWait) {
  server->ask({"CLIENT", "PAUSE", "300", "ALL"});
  net::Cancel gone;
  gone.request();
  EXPECT_EQ(test.await(ask(a(), per_second(10, 10), {1}, {}, &gone)), Draw::kWait);
}

// Over a Redis that is there but slow, as much is admitted as over a fast one.
class SlowRedisTest : public SharedTest {
 protected:
  SlowRedisTest() { timeout = Seconds(10); }
};

TEST_F(SlowRedisTest, WhatWasBorrowedMeanwhileIsPaid) {
  const Policy policy = per_second(100, 100);
  server->ask({"CLIENT", "PAUSE", "400", "ALL"});
  Tally tally;
  const base::Mono began = base::mono_now();
  test.await(hammer(a(), policy, began + Seconds(2), 1 << 30, tally));
  const double limit = 100 + 100 * std::chrono::duration<double>(base::mono_now() - began).count();
  EXPECT_EQ(tally.lost, 0);
  EXPECT_NEAR(tally.granted, limit, limit * 0.05);
  EXPECT_GT(a().shared_metrics.fallbacks.read(), 50u);
  EXPECT_LT(tally.longest, Millis(240)) << "nobody waited for longer than its patience";
}

TEST_F(SharedTest, ManyAtOnceShareADraw) {
  const Policy policy = per_second(10'000, 10'000);
  Tally tally{.patient = true};
  net::Scope scope(test.loop);
  for (int i = 0; i < 100; ++i) scope.spawn(hammer(a(), policy, base::Mono::max(), 1, tally));
  test.await(scope.drained());
  EXPECT_EQ(tally.granted, 100) << tally.refused << " refused, " << tally.lost << " lost";
  EXPECT_LE(a().shared_metrics.leases.read(), 4u);
}

}  // namespace
}  // namespace limit
