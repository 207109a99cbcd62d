#include "gateway/snapshot.h"

#include <gtest/gtest.h>

#include "config/load.h"
#include "net/dns.h"
#include "net/loop.h"

namespace gateway {
namespace {

config::Config configuration(const std::string& origins, const std::string& routes) {
  return config::load_text("listen: 0.0.0.0:1\norigins:\n" + origins + "routes:\n" + routes, "t.yaml",
                           [](const std::string&) -> std::optional<std::string> { return std::nullopt; });
}

std::string bucket(const std::string& name, const std::string& more) {
  return "  " + name + ": { type: s3, bucket: b, endpoint: 'http://127.0.0.1:9', " + more + " }\n";
}

class SnapshotTest : public testing::Test {
 protected:
  std::shared_ptr<const Snapshot> build(config::Config config) {
    return std::make_shared<const Snapshot>(
        std::move(config), Registries{.rates = rates_, .gates = gates_, .healths = healths_});
  }
  base::Ref<LocalSnapshot> local(std::shared_ptr<const Snapshot> shared,
                                 const LocalSnapshot* before = nullptr) {
    return base::make_ref<LocalSnapshot>(std::move(shared), before, origin::Env{loop_, resolver_});
  }

  net::Loop loop_;
  net::Dns look_ups_;
  net::Resolver resolver_{loop_, look_ups_};
  limit::Rates rates_{config::Limits{}};
  limit::Gates gates_;
  upstream::Healths healths_;
};

bool same(const cache::OriginId& a, const cache::OriginId& b) {
  return a.high == b.high && a.low == b.low;
}

TEST_F(SnapshotTest, GivesOneCacheToWhoeverAsksTheSameBucketWithTheSameCredential) {
  const auto shared = build(configuration(
      bucket("a", "access_key_id: A, secret_access_key: s") +
          bucket("b", "access_key_id: A, secret_access_key: s, pool: { idle: 1 }") +
          bucket("c", "access_key_id: C, secret_access_key: s"),
      "  - { path: /a/, origin: a }\n  - { path: /b/, origin: b }\n  - { path: /c/, origin: c }\n"));
  const auto& routes = shared->routes();
  EXPECT_TRUE(same(routes[0].cache_id, routes[1].cache_id));
  EXPECT_FALSE(same(routes[0].cache_id, routes[2].cache_id));
  EXPECT_FALSE(same(routes[0].cache_id, cache::OriginId{}));
}

TEST_F(SnapshotTest, KeepsTheOriginsThatAreAskedAsBefore) {
  const auto with = [](const std::string& more) {
    return configuration(bucket("a", more) + bucket("b", ""),
                         "  - { path: /a/, origin: a }\n  - { path: /b/, origin: b }\n");
  };
  const auto before = local(build(with("")));
  const auto after = local(build(with("timeouts: { idle: 9s }")), before.get());
  EXPECT_NE(after->routes[0].origin, before->routes[0].origin);
  EXPECT_EQ(after->routes[1].origin, before->routes[1].origin);
  EXPECT_TRUE(same(after->routes[0].cache_id, before->routes[0].cache_id)) << "what it said stays";
  EXPECT_EQ(after->routes[0].path(), "/a/");
  EXPECT_EQ(&after->config(), &after->snapshot->config());
}

TEST_F(SnapshotTest, HasNoOriginBehindARouteThatAnAppAnswers) {
  config::Config config = configuration("  a: { type: http, url: 'http://127.0.0.1:9' }\n",
                                        "  - { path: /, origin: a }\n  - { path: /status/, origin: a }\n");
  config.apps.emplace("status", config::App{.name = "status", .line = 1, .kind = {}});
  config.routes[1].origin.clear();
  config.routes[1].app = "status";
  const auto here = local(build(std::move(config)));
  EXPECT_TRUE(here->routes[0].origin && !here->routes[0].rules->app && here->routes[0].rules->cacheable);
  const Route& status = *here->routes[1].rules;
  EXPECT_EQ(here->routes[1].origin, nullptr);
  ASSERT_TRUE(status.app);
  EXPECT_EQ(status.app->name, "status");
  EXPECT_FALSE(status.cacheable || status.can.writes || status.can.forwards_fields);
}

TEST_F(SnapshotTest, TakesFromTheOriginWhatCanBeAskedOfIt) {
  const auto shared = build(configuration(
      "  dir: { type: dir, path: / }\n  http: { type: http, url: 'http://127.0.0.1:9' }\n" + bucket("s3", ""),
      "  - { path: /dir/, origin: dir }\n  - { path: /kept/, origin: dir, cache: { ttl: 1s } }\n"
      "  - { path: /http/, origin: http }\n  - { path: /s3/, origin: s3 }\n"));
  const auto& routes = shared->routes();
  EXPECT_TRUE(!routes[0].cacheable && routes[1].cacheable) << "a folder says nothing of freshness";
  EXPECT_TRUE(routes[2].can.writes && routes[2].can.told_host && routes[2].can.upgrades);
  EXPECT_TRUE(!routes[3].can.writes && routes[3].can.path == origin::PathForm::kDecodedWhole &&
              routes[3].cacheable);
}

}  // namespace
}  // namespace gateway
