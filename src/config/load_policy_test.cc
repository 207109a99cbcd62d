// What the keys of identities, rules over claims, limits, the audit log and Redis become.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "config/address.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/schema.h"

namespace config {
namespace {

using namespace std::chrono_literals;

Config load(const std::string& text) {
  return load_text(text, "etc/t.yaml", [](const std::string& name) -> std::optional<std::string> {
    if (name == "ROLE") return "admin";
    if (name == "LEVEL") return "3";
    return std::nullopt;
  });
}

constexpr const char* kLeast = R"(
listen: 0.0.0.0:8080
origins: { site: { type: dir, path: ./public } }
)";
constexpr const char* kStaff = R"(
identities: { staff: { type: jwt, algorithms: ES256, keys: { inline: x } } }
)";

JwtIdentity jwt(const std::string& keys) {
  return load(std::string(kLeast) + "routes: { path: /, origin: site }\nidentities: { i: { type: jwt, " +
              keys + " } }\n")
      .identities.at("i");
}
std::vector<ClaimRule> rules(const std::string& text) {
  return load(std::string(kLeast) + kStaff +
              "routes: { path: /, origin: site, identity: staff, require: " + text + " }\n")
      .routes[0]
      .require;
}
Redis redis(const std::string& text) {
  return load(std::string(kLeast) + "routes: { path: /, origin: site }\nredis: " + text + "\n").redis;
}

TEST(Identity, TakesTheUrlOfAKeySet) {
  const Jwks jwks =
      *jwt("issuer: any, audience: any, algorithms: [RS256, ES256], jwks: 'https://id.test/keys'").jwks;
  EXPECT_EQ(UrlText::show(*jwks.url), "https://id.test/keys");
  EXPECT_EQ(jwks.timeout, 5s);
  EXPECT_EQ(jwks.min_ttl, 60s);
  EXPECT_EQ(jwks.max_ttl, 1h);
  EXPECT_EQ(jwks.ttl, 5min);
  EXPECT_EQ(jwks.cooldown, 10s);
  EXPECT_EQ(jwks.max_stale, 24h);
  EXPECT_TRUE(jwks.tls.verify);
}

TEST(Identity, LeavesAKeySetsPathAndQueryAsTheyAre) {
  const auto path = [](const std::string& url) {
    return jwt("issuer: any, audience: any, algorithms: RS256, jwks: '" + url + "'").jwks->url->path;
  };
  EXPECT_EQ(path("https://id.test"), "");
  EXPECT_EQ(path("https://id.test/"), "");
  EXPECT_EQ(path("https://id.test/keys/"), "/keys/");
  EXPECT_EQ(path("https://id.test/keys?p=b2c_1&x=%20/?"), "/keys?p=b2c_1&x=%20/?");
  EXPECT_EQ(path("https://id.test?p=1"), "/?p=1");
  EXPECT_THROW(path("https://id.test/keys?p=a b"), ConfigError);
  EXPECT_THROW(path("https://id.test/keys?p=%2"), ConfigError);
  EXPECT_THROW(path("https://id.test/keys#x"), ConfigError);
}

TEST(Identity, TakesDiscoveryWithOptions) {
  const JwtIdentity plain =
      jwt("algorithms: RS256, issuer: 'https://id.test/a/', audience: a, discovery: on");
  ASSERT_TRUE(plain.jwks);
  EXPECT_FALSE(plain.jwks->url);
  EXPECT_EQ(plain.issuer, "https://id.test/a/");
  for (const char* order : {"discovery: on, jwks: { timeout: 2s, tls: { verify: false } }",
                            "jwks: { timeout: 2s, tls: { verify: false } }, discovery: on"}) {
    const JwtIdentity with =
        jwt("algorithms: RS256, issuer: 'https://id.test', audience: a, " + std::string(order));
    EXPECT_FALSE(with.jwks->url);
    EXPECT_EQ(with.jwks->timeout, 2s);
    EXPECT_FALSE(with.jwks->tls.verify);
  }
  EXPECT_FALSE(jwt("algorithms: RS256, discovery: off, keys: { inline: x }").jwks);
}

TEST(Identity, BoundsThatAreGivenMoveTheDefaultsOfTheOthers) {
  const auto times = [](const std::string& keys) {
    const Jwks jwks =
        *jwt("issuer: any, audience: any, algorithms: RS256, jwks: { url: 'https://a', " + keys + " }").jwks;
    return std::vector<Seconds>{jwks.min_ttl, jwks.ttl, jwks.max_ttl};
  };
  EXPECT_EQ(times("max_ttl: 30s"), (std::vector<Seconds>{30s, 30s, 30s}));
  EXPECT_EQ(times("min_ttl: 2h"), (std::vector<Seconds>{2h, 2h, 2h}));
  EXPECT_EQ(times("min_ttl: 1s, ttl: 2s, max_ttl: 3s"), (std::vector<Seconds>{1s, 2s, 3s}));
}

TEST(Identity, SettlesTheAlgorithmOfAKeyWhereOnlyOneIsPossible) {
  EXPECT_EQ(jwt("algorithms: [RS256, HS384], keys: { inline: x }").keys[0].algorithm, Algorithm::kHS384);
  EXPECT_EQ(jwt("algorithms: ES256, keys: { inline: x }").keys[0].algorithm, Algorithm::kES256);
  EXPECT_FALSE(jwt("algorithms: [RS256, ES256], keys: { inline: \"\\n-----BEGIN PUBLIC KEY-----\" }")
                   .keys[0]
                   .algorithm);
  EXPECT_FALSE(jwt("algorithms: [HS256, HS512], keys: { inline: '{\"kty\":\"oct\"}' }").keys[0].algorithm);
}

TEST(Identity, TakesAnybodysTokensWhereThatIsSpeltOut) {
  const JwtIdentity i = jwt("algorithms: ES256, keys: { inline: x }, issuer: any, audience: any");
  EXPECT_EQ(i.issuer, "");
  EXPECT_TRUE(i.audience.empty());
}

TEST(Identity, LooksForTokensInCookies) {
  const JwtIdentity i =
      jwt("algorithms: ES256, keys: { inline: x }, from: [bearer, { cookie: __Host-session }]");
  ASSERT_EQ(i.from.size(), 2U);
  EXPECT_EQ(i.from[1].kind, TokenSource::Kind::kCookie);
  EXPECT_EQ(i.from[1].name, "__Host-session");
  const JwtIdentity friends = jwt(
      "algorithms: ES256, keys: { inline: x }, from: { cookie: s, allowed_origins: [ 'https://A.test:443', "
      "'http://b.test:8080' ] }");
  EXPECT_EQ(friends.from[0].allowed_origins,
            (std::vector<std::string>{"https://a.test", "http://b.test:8080"}));
}

TEST(Require, IsARuleOrAListOfThem) {
  const auto one = rules("{ claim: sub, equals: ann }");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].kind, ClaimRule::Kind::kTest);
  EXPECT_EQ(one[0].test, ClaimRule::Test::kEquals);
  EXPECT_EQ(one[0].claim, "sub");
  EXPECT_EQ(one[0].values, std::vector{ClaimValue("ann")});
  EXPECT_EQ(rules("[ { claim: a, exists: true }, { claim: b, exists: false } ]").size(), 2U);
}

TEST(Require, ReadsEveryTest) {
  using enum ClaimRule::Test;
  const std::vector<std::pair<std::string, std::pair<ClaimRule::Test, std::vector<ClaimValue>>>> cases = {
      {"equals: 3", {kEquals, {ClaimValue(std::int64_t{3})}}},
      {"equals: '3'", {kEquals, {ClaimValue("3")}}},
      {"equals: \"true\"", {kEquals, {ClaimValue("true")}}},
      {"equals: true", {kEquals, {ClaimValue(true)}}},
      {"equals: 3.0", {kEquals, {ClaimValue(3.0)}}},
      {"equals: ''", {kEquals, {ClaimValue("")}}},
      {"in: [a, 1, '1', false]",
       {kIn, {ClaimValue("a"), ClaimValue(std::int64_t{1}), ClaimValue("1"), ClaimValue(false)}}},
      {"in: a", {kIn, {ClaimValue("a")}}},
      {"contains: admin", {kContains, {ClaimValue("admin")}}},
      {"substring: '4'", {kSubstring, {ClaimValue("4")}}},
      {"gt: 1", {kGt, {ClaimValue(std::int64_t{1})}}},
      {"lt: -1.5", {kLt, {ClaimValue(-1.5)}}},
      {"gte: 1e3", {kGte, {ClaimValue(1000.0)}}},
      {"lte: 0", {kLte, {ClaimValue(std::int64_t{0})}}},
      {"exists: false", {kExists, {ClaimValue(false)}}},
      {"equals: \"${ROLE}\"", {kEquals, {ClaimValue("admin")}}},
      {"equals: \"${LEVEL}\"", {kEquals, {ClaimValue("3")}}},
  };
  for (const auto& [text, wanted] : cases) {
    const auto read = rules("{ claim: a, " + text + " }");
    EXPECT_EQ(read[0].test, wanted.first) << text;
    EXPECT_EQ(read[0].values, wanted.second) << text;
  }
}

TEST(Require, TypesAVariableThatStandsWithoutQuotes) {
  const Config c = load(std::string(kLeast) + kStaff + R"(
routes:
  - path: /
    origin: site
    identity: staff
    require:
      - claim: level
        equals: ${LEVEL}
)");
  EXPECT_EQ(c.routes[0].require[0].values, std::vector{ClaimValue(std::int64_t{3})});
}

TEST(Require, Nests) {
  const auto read = rules(
      "{ any: [ { all: [ { claim: a, equals: 1 }, { not: { claim: b, equals: 2 } } ] }, { claim: c, exists: "
      "on } ] }");
  ASSERT_EQ(read[0].kind, ClaimRule::Kind::kAny);
  ASSERT_EQ(read[0].rules.size(), 2U);
  EXPECT_EQ(read[0].rules[0].kind, ClaimRule::Kind::kAll);
  EXPECT_EQ(read[0].rules[0].rules[1].kind, ClaimRule::Kind::kNot);
  EXPECT_EQ(read[0].rules[0].rules[1].rules[0].claim, "b");
  EXPECT_EQ(read[0].rules[1].claim, "c");
  EXPECT_GT(read[0].rules[1].line, 1);
}

TEST(Rates, AreReadByName) {
  const Config c = load(std::string(kLeast) + kStaff + R"(
redis: redis://r.test
rates:
  everybody: { requests: 1000/s, burst: 50 }
  caller: { requests: 10/m, per: [principal, route], shared: on }
limits: { rates: everybody, failures: off, lag: 0s, memory: 1MiB, ipv6_prefix: 56, headers: standard }
routes: { path: /, origin: site, identity: staff, rates: caller, concurrency: { max: 3, queue: 4, wait: 5s } }
)");
  EXPECT_EQ(c.rates.at("everybody").burst, 50U);
  EXPECT_TRUE(c.rates.at("everybody").per.empty());
  const RateLimit& caller = c.rates.at("caller");
  EXPECT_EQ(caller.name, "caller");
  EXPECT_EQ(caller.line, 10);
  EXPECT_EQ(caller.rate.count, 10U);
  EXPECT_EQ(caller.burst, 10U);
  EXPECT_EQ(caller.per, (std::vector{RateKey::kPrincipal, RateKey::kRoute}));
  EXPECT_TRUE(caller.shared);
  EXPECT_EQ(c.limits.rates, std::vector<std::string>{"everybody"});
  EXPECT_EQ(c.limits.failures.rate.count, 0U);
  EXPECT_EQ(c.limits.lag, 0s);
  EXPECT_EQ(c.limits.memory, 1U << 20);
  EXPECT_EQ(c.limits.ipv6_prefix, 56U);
  EXPECT_EQ(c.limits.rate_fields, RateFields::kStandard);
  EXPECT_EQ(c.routes[0].rates, std::vector<std::string>{"caller"});
  EXPECT_EQ(c.routes[0].concurrency->max, 3U);
  EXPECT_EQ(c.routes[0].concurrency->queue, 4U);
  EXPECT_EQ(c.routes[0].concurrency->wait, 5s);
}

TEST(Rates, FailuresAreARateOrAMap) {
  const auto failures = [](const std::string& text) {
    return load(std::string(kLeast) + "routes: { path: /, origin: site }\nlimits: { failures: " + text +
                " }\n")
        .limits.failures;
  };
  EXPECT_EQ(failures("20/m").rate.count, 20U);
  EXPECT_EQ(failures("20/m").burst, 50U);
  EXPECT_EQ(failures("{ rate: 5/s, burst: 7 }").burst, 7U);
}

TEST(Origins, AllTakeALimitOfRequestsAtATime) {
  const Config c = load(R"(
listen: 0.0.0.0:8080
origins:
  a: { type: dir, path: p, concurrency: 7 }
  b: { type: http, url: "http://b", concurrency: { max: 1, wait: 2s } }
  c: { concurrency: 2, type: s3, bucket: b }
  d: { type: dir, path: p }
routes: { path: /, origin: a }
)");
  EXPECT_EQ(c.origins.at("a").concurrency->max, 7U);
  EXPECT_EQ(c.origins.at("a").concurrency->queue, 0U);
  EXPECT_EQ(c.origins.at("b").concurrency->wait, 2s);
  EXPECT_EQ(c.origins.at("c").concurrency->max, 2U);
  EXPECT_FALSE(c.origins.at("d").concurrency);
}

TEST(Admin, KeepsItsTokenBesideTheConfiguration) {
  const auto admin = [](const std::string& keys) {
    return load(std::string(kLeast) + kStaff + "routes: { path: /, origin: site }\n" + keys).admin;
  };
  EXPECT_EQ(admin("").token_file, "etc/admin.token");
  EXPECT_EQ(admin("admin: { listen: '127.0.0.1:1' }").token_file, "etc/admin.token");
  EXPECT_EQ(admin("admin: { token_file: /run/t }").token_file, "/run/t");
  const Admin with = admin("admin: { identity: staff, require: [ { claim: role, equals: admin } ] }");
  EXPECT_EQ(with.identity, std::vector<std::string>{"staff"});
  EXPECT_EQ(with.require.size(), 1U);
}

TEST(Audit, IsAFileOrMore) {
  const auto audit = [](const std::string& text) {
    return load(std::string(kLeast) + "routes: { path: /, origin: site }\n" + text + "\n").audit;
  };
  EXPECT_EQ(audit("").output, "");
  EXPECT_EQ(audit("audit: audit.log").output, "etc/audit.log");
  EXPECT_EQ(audit("audit: stdout").output, "stdout");
  EXPECT_EQ(audit("audit: off").output, "");
  const Audit file = audit(
      "audit: { output: /var/a.log, requests: all, when_full: block, buffer: 1MiB, rotate: { size: 64MiB, "
      "every: 1h, "
      "keep: 3 } }");
  EXPECT_EQ(file.output, "/var/a.log");
  EXPECT_EQ(file.requests, AuditRequests::kAll);
  EXPECT_EQ(file.when_full, WhenFull::kBlock);
  EXPECT_EQ(file.buffer, 1U << 20);
  EXPECT_EQ(file.rotate_size, 64U << 20);
  EXPECT_EQ(file.rotate_every, 1h);
  EXPECT_EQ(file.keep, 3U);
  EXPECT_EQ(audit("audit: { output: syslog, syslog: { address: 'log.test:514' } }").syslog_address,
            "log.test:514");
  EXPECT_EQ(audit("audit: { output: syslog, syslog: /run/log }").syslog_address, "/run/log");
  EXPECT_EQ(audit("audit: syslog").syslog_address, "/dev/log");
}

TEST(RedisKeys, AreAUrlOrAMap) {
  const Redis plain = redis("redis://r.test");
  EXPECT_FALSE(plain.url->tls);
  EXPECT_EQ(plain.url->host, "r.test");
  EXPECT_EQ(plain.url->port, 6'379);
  EXPECT_TRUE(plain.password.empty());
  const Redis full = redis("'rediss://u%40:p%3A%2fw@[::1]:80/7'");
  EXPECT_TRUE(full.url->tls);
  EXPECT_EQ(full.url->host, "::1");
  EXPECT_EQ(full.url->port, 80);
  EXPECT_EQ(full.user, "u@");
  EXPECT_EQ(full.password.reveal(), "p:/w");
  EXPECT_EQ(full.database, 7U);
  const std::string authorities = ::testing::TempDir() + "load_policy_test.pem";
  std::ofstream(authorities) << "-----BEGIN CERTIFICATE-----\n";
  const Redis map = redis(
      "{ url: 'rediss://r.test/', user: u, password: 'p w', database: 2, prefix: '', connect: 2s, timeout: "
      "50ms, tls: { verify: false, ca_file: '" +
      authorities + "' } }");
  EXPECT_EQ(map.user, "u");
  EXPECT_EQ(map.password.reveal(), "p w");
  EXPECT_EQ(map.database, 2U);
  EXPECT_EQ(map.prefix, "");
  EXPECT_EQ(map.connect, 2s);
  EXPECT_EQ(map.timeout, 50ms);
  EXPECT_FALSE(map.tls.verify);
  EXPECT_EQ(map.tls.ca_file, authorities);
  std::filesystem::remove(authorities);
  EXPECT_EQ(redis("'redis://:p@r.test'").user, "");
}

TEST(PolicyReload, NamesTheFixedKeysThatDifferAndShowsNoPassword) {
  const auto with = [](const std::string& text) {
    return load(std::string(kLeast) + "routes: { path: /, origin: site }\n" + text);
  };
  const Config before = with("redis: { url: 'redis://a', password: one }\naudit: a.log\n");
  EXPECT_TRUE(
      changed_but_fixed(before, with("redis: 'redis://:one@a:6379/0'\naudit: { output: a.log }\n")).empty());
  EXPECT_EQ(changed_but_fixed(before, with("redis: { url: 'redis://b', password: two, timeout: 1s }\n"
                                           "audit: { output: a.log, rotate: { size: 1MiB } }\n"
                                           "admin: { token_file: t }\n")),
            (std::vector<std::string>{"admin.token_file", "audit.rotate.size", "redis.url", "redis.password",
                                      "redis.timeout"}));
  for (const Row& row : root_section().find("redis")->sections[0]->rows)
    if (row.show != nullptr) EXPECT_FALSE(row.show(&before.redis).contains("one")) << row.name;
  EXPECT_EQ(changed_but_fixed(before, with("limits: { failures: off, memory: 1MiB }\nredis: { url: "
                                           "'redis://a', password: one }\naudit: a.log\n")),
            std::vector<std::string>{});
}

TEST(PolicySchema, RefersToRulesFromWithinRules) {
  const boost::json::value schema = boost::json::parse(json_schema());
  const auto& definitions = schema.at("$defs").as_object();
  for (const auto& [name, definition] : definitions) EXPECT_TRUE(definition.is_object()) << name;
  const auto& rule = definitions.at("claim_rule").at("properties");
  EXPECT_EQ(rule.at("not").at("$ref"), "#/$defs/claim_rule");
  EXPECT_EQ(rule.at("all").at("anyOf").at(1).at("items").at("$ref"), "#/$defs/claim_rule");
  for (const char* kind : {"dir", "s3", "http"})
    EXPECT_TRUE(definitions.at(kind).at("properties").as_object().contains("concurrency")) << kind;
}

}  // namespace
}  // namespace config
