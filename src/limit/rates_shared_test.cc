// Rates with policies that are counted in Redis: a real redis-server, or these tests are skipped.
#include <gtest/gtest.h>

#include <optional>

#include "limit/rates.h"
#include "limit/shared.h"
#include "net/testing.h"
#include "redis/testing.h"

namespace limit {
namespace {

using base::Seconds;
using config::RateKey;
using Outcome = Standing::Outcome;
using redis::testing::RedisServer;

struct SharedWorld {
  std::shared_ptr<const Policies> route(
      const std::vector<std::pair<std::uint64_t, bool>>& bursts) {  // burst, shared
    config::Route route;
    route.path = "/";
    for (const auto& [burst, shared] : bursts) {
      config::RateLimit limit;
      limit.name = "limit-" + std::to_string(route.rates.size());
      limit.rate = {1, Seconds(1'000)};
      limit.burst = burst;
      limit.per = {RateKey::kAddress};
      limit.shared = shared;
      config.rates[limit.name] = limit;
      route.rates.push_back(limit.name);
    }
    return rates.compile(config, route);
  }
  net::Task<Standing> check(const Policies& policies, net::Loop& loop, SharedLink& link) {
    Standing standing = rates.check(policies, Caller{}, loop.now(), &link);
    for (; standing.outcome == Outcome::kWait;
         standing = rates.check(policies, Caller{}, loop.now(), &link, standing.wait_until)) {
      ++waits;
      co_await Rates::wait(standing, link, nullptr);
    }
    co_return standing;
  }

  config::Config config;
  Rates rates{config.limits};
  int waits = 0;
};

class RatesSharedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::available()) GTEST_SKIP() << "redis-server is not installed";
    server.emplace();
    redis::Options options;
    options.host = "127.0.0.1";
    options.port = server->port();
    options.greeting.prelude = SharedLink::prelude();
    connection.emplace(test.loop, test.resolver, options, metrics);
    connection->start();
    link.emplace(shared, *connection, "t:", shared_metrics);
    ASSERT_TRUE(test.until([&] { return connection->ready(); }));
  }
  void TearDown() override {
    if (!connection) return;
    connection->stop();
    test.await(connection->drained());
  }
  Standing check(const Policies& policies) { return test.await(world.check(policies, test.loop, *link)); }

  SharedWorld world;
  net::testing::TestLoop test;
  std::optional<RedisServer> server;
  redis::Metrics metrics;
  SharedMetrics shared_metrics;
  SharedBuckets shared{1 << 20};
  std::optional<redis::Connection> connection;
  std::optional<SharedLink> link;
};

TEST(RatesWithoutRedisTest, ASharedLimitCountsHereAlone) {
  SharedWorld world;
  const auto policies = world.route({{2, true}});
  const base::Mono now{Seconds(1)};
  EXPECT_EQ(world.rates.check(*policies, {}, now).outcome, Outcome::kGranted);
  EXPECT_EQ(world.rates.check(*policies, {}, now).outcome, Outcome::kGranted);
  EXPECT_EQ(world.rates.check(*policies, {}, now).outcome, Outcome::kRefused);
}

TEST_F(RatesSharedTest, ASharedLimitIsDrawnFromRedis) {
  const auto policies = world.route({{3, true}});
  for (int i = 0; i < 3; ++i) {
    const Standing standing = check(*policies);
    EXPECT_EQ(standing.outcome, Outcome::kGranted);
    EXPECT_EQ(standing.items[0].remaining(), 2 - i);
  }
  const Standing refused = check(*policies);
  EXPECT_EQ(refused.outcome, Outcome::kRefused);
  EXPECT_GT(refused.retry_after(), Seconds(900));
  EXPECT_LE(refused.retry_after(), Seconds(1'000));
  EXPECT_GT(world.waits, 0);
  EXPECT_EQ(world.rates.stats().buckets.entries, 0);
  EXPECT_EQ(world.rates.stats().policies[0].allowed, 3);
  EXPECT_EQ(world.rates.stats().policies[0].refused, 1);
}

TEST_F(RatesSharedTest, WhoWaitsOrIsRefusedPaysNoOtherLimit) {
  const auto policies = world.route({{5, true}, {2, true}, {9, false}});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(check(*policies).outcome, Outcome::kGranted);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(check(*policies).outcome, Outcome::kRefused);
  const auto wide = world.route({{5, true}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(check(*wide).outcome, Outcome::kGranted);
  EXPECT_EQ(check(*wide).outcome, Outcome::kRefused);
  const Standing last = check(*policies);  // the local one comes first, whatever the order of names
  EXPECT_FALSE(last.items[0].policy->shared);
  EXPECT_EQ(last.items[0].remaining(), 7);
}

TEST_F(RatesSharedTest, WithoutRedisTheLocalBucketsAnswer) {
  const auto policies = world.route({{2, true}});
  server.reset();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(check(*policies).outcome, Outcome::kGranted);
  EXPECT_EQ(check(*policies).outcome, Outcome::kRefused);
  EXPECT_EQ(world.rates.stats().buckets.entries, 1);
}

}  // namespace
}  // namespace limit
