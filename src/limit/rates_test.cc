#include "limit/rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/siphash.h"
#include "config/error.h"
#include "limit/address.h"
#include "limit/failures.h"
#include "limit/fields.h"
#include "limit/testing.h"

namespace limit {
namespace {

using base::Millis;
using base::Seconds;
using config::RateKey;
using Outcome = Standing::Outcome;

constexpr base::Nanos kDay = std::chrono::hours(24);
const base::Mono kNow = at(Seconds(100));

std::array<std::uint8_t, 16> ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}
std::array<std::uint8_t, 16> ipv6(std::uint8_t seventh, std::uint8_t ninth) {
  return {0x20, 1, 0xd, 0xb8, 0, 0, seventh, 0, ninth, 0, 0, 0, 0, 0, 0, 1};
}
Caller from(std::array<std::uint8_t, 16> address, std::string_view issuer = {},
            std::string_view subject = {}) {
  return {.address = address, .issuer = issuer, .subject = subject};
}

struct World {
  World& rate(const std::string& name, std::uint64_t count, base::Nanos per, std::uint64_t burst,
              std::vector<RateKey> by) {
    config::RateLimit limit;
    limit.name = name;
    limit.rate = {count, per};
    limit.burst = burst;
    limit.per = std::move(by);
    config.rates[name] = limit;
    return *this;
  }
  std::shared_ptr<const Policies> route(std::vector<std::string> names, std::string path = "/") {
    config::Route route;
    route.path = std::move(path);
    route.rates = std::move(names);
    return rates.compile(config, route);
  }
  bool granted(const Policies& policies, const Caller& caller, base::Mono now = kNow) {
    return rates.check(policies, caller, now).outcome == Outcome::kGranted;
  }

  config::Config config;
  Rates rates{config.limits};
};

std::string fields_of(const Standing& standing, config::RateFields which = config::RateFields::kBoth) {
  std::string out;
  append_rate_fields(standing, which, out);
  return out;
}

// ---- by what it counts

TEST(RatesTest, CountsEachAddressForItself) {
  World world;
  const auto policies = world.rate("one", 1, kDay, 1, {RateKey::kAddress}).route({"one"});
  EXPECT_TRUE(world.granted(*policies, from(ipv4(10, 0, 0, 1))));
  EXPECT_FALSE(world.granted(*policies, from(ipv4(10, 0, 0, 1), "issuer", "somebody")));
  EXPECT_TRUE(world.granted(*policies, from(ipv4(10, 0, 0, 2))));
}

TEST(RatesTest, CountsAnIpv6NetworkAsOne) {
  World world;
  world.rate("one", 1, kDay, 1, {RateKey::kAddress});
  world.config.limits.ipv6_prefix = 64;
  const auto policies = world.route({"one"});
  EXPECT_TRUE(world.granted(*policies, from(ipv6(0, 1))));
  EXPECT_FALSE(world.granted(*policies, from(ipv6(0, 2))));
  EXPECT_TRUE(world.granted(*policies, from(ipv6(1, 1))));
}

TEST(AddressTest, IsMaskedAtAnyPrefixAndIpv4NotAtAll) {
  std::array<std::uint8_t, 16> all;
  all.fill(0xff);
  for (unsigned prefix = 0; prefix <= 128; ++prefix) {
    const auto kept = masked(all, prefix);
    for (unsigned bit = 0; bit < 128; ++bit)
      ASSERT_EQ(kept[bit / 8] >> (7 - bit % 8) & 1, bit < prefix) << prefix;
    EXPECT_EQ(masked(ipv4(192, 0, 2, 255), prefix), ipv4(192, 0, 2, 255));
  }
}

TEST(RatesTest, TellsPrincipalsApartByIssuerAndSubject) {
  World world;
  const auto policies = world.rate("one", 1, kDay, 1, {RateKey::kPrincipal}).route({"one"});
  const auto address = ipv4(10, 0, 0, 1);
  EXPECT_TRUE(world.granted(*policies, from(address, "ab", "c")));
  EXPECT_TRUE(world.granted(*policies, from(address, "a", "bc")));
  EXPECT_TRUE(world.granted(*policies, from(address, "abc", "")));
  EXPECT_TRUE(world.granted(*policies, from(address, "", "abc")));
  EXPECT_FALSE(world.granted(*policies, from(ipv4(10, 0, 0, 2), "ab", "c")));  // wherever it comes from
}

TEST(RatesTest, CountsACallerWithoutAPrincipalByItsAddress) {
  World world;
  const auto policies = world.rate("one", 1, kDay, 1, {RateKey::kPrincipal}).route({"one"});
  EXPECT_TRUE(world.granted(*policies, from(ipv4(10, 0, 0, 1))));
  EXPECT_FALSE(world.granted(*policies, from(ipv4(10, 0, 0, 1))));
  EXPECT_TRUE(world.granted(*policies, from(ipv4(10, 0, 0, 2))));
}

TEST(RatesTest, CountsAPrincipalAtEachAddressWhereBothAreNamed) {
  World world;
  const auto policies =
      world.rate("one", 1, kDay, 1, {RateKey::kPrincipal, RateKey::kAddress}).route({"one"});
  EXPECT_TRUE(world.granted(*policies, from(ipv4(10, 0, 0, 1), "i", "s")));
  EXPECT_FALSE(world.granted(*policies, from(ipv4(10, 0, 0, 1), "i", "s")));
  EXPECT_TRUE(world.granted(*policies, from(ipv4(10, 0, 0, 2), "i", "s")));
  EXPECT_TRUE(world.granted(*policies, from(ipv4(10, 0, 0, 1), "i", "t")));
}

TEST(RatesTest, CountsEverybodyTogetherOrByRoute) {
  World world;
  world.rate("all", 1, kDay, 1, {}).rate("each", 1, kDay, 1, {RateKey::kRoute});
  world.rate("here", 1, kDay, 1, {RateKey::kRoute, RateKey::kAddress});
  for (const auto& [name, elsewhere] : {std::pair{"all", false}, {"each", true}, {"here", true}}) {
    const auto a = world.route({name}, "/a/"), b = world.route({name}, "/b/");
    EXPECT_TRUE(world.granted(*a, from(ipv4(10, 0, 0, 1))));
    EXPECT_FALSE(world.granted(*a, from(ipv4(10, 0, 0, 1))));
    EXPECT_EQ(world.granted(*b, from(ipv4(10, 0, 0, 1))), elsewhere) << name;
  }
}

// ---- several at once

TEST(RatesTest, TakesNothingFromTheOthersWhenOneRefuses) {
  World world;
  world.rate("wide", 1, kDay, 5, {RateKey::kAddress}).rate("all", 1, kDay, 9, {});
  world.rate("narrow", 1, kDay, 1, {RateKey::kPrincipal}).rate("last", 1, kDay, 5, {});
  const auto policies = world.route({"wide", "all", "narrow", "last"});
  const Caller caller = from(ipv4(10, 0, 0, 1), "i", "s");
  EXPECT_TRUE(world.granted(*policies, caller));
  for (int i = 0; i < 20; ++i) {
    const Standing standing = world.rates.check(*policies, caller, kNow);
    ASSERT_EQ(standing.outcome, Outcome::kRefused);
    EXPECT_EQ(standing.decisive().policy->name, "narrow");
    ASSERT_EQ(standing.count, 4);
    EXPECT_EQ(standing.items[0].remaining(), 4);
    EXPECT_EQ(standing.items[1].remaining(), 8);
    EXPECT_EQ(standing.items[2].remaining(), 0);
    EXPECT_EQ(standing.items[3].remaining(), 4);
  }
}

TEST(RatesTest, ARefusalTellsTheLongestWait) {
  World world;
  world.rate("short", 1, Seconds(10), 1, {})
      .rate("long", 1, Seconds(60), 1, {})
      .rate("mid", 1, Seconds(30), 1, {});
  const auto policies = world.route({"short", "long", "mid"});
  EXPECT_TRUE(world.granted(*policies, from(ipv4(10, 0, 0, 1))));
  const Standing standing = world.rates.check(*policies, from(ipv4(10, 0, 0, 1)), kNow + Seconds(1));
  EXPECT_EQ(standing.decisive().policy->name, "long");
  EXPECT_EQ(standing.retry_after(), Seconds(59));
  EXPECT_FALSE(world.granted(*policies, from(ipv4(10, 0, 0, 1)), kNow + Seconds(59)));
  EXPECT_TRUE(world.granted(*policies, from(ipv4(10, 0, 0, 1)), kNow + Seconds(60)));
}

TEST(RatesTest, TheGeneralLimitsComeWithTheRoutesOwnAndOnceEach) {
  World world;
  world.rate("a", 1, kDay, 2, {}).rate("b", 1, kDay, 2, {});
  world.config.limits.rates = {"a"};
  const auto policies = world.route({"b", "a"});
  ASSERT_EQ(policies->list.size(), 2);
  EXPECT_TRUE(world.granted(*policies, {}));
  EXPECT_TRUE(world.granted(*policies, {}));
  EXPECT_FALSE(world.granted(*policies, {}));
  for (const char* name : {"c", "d", "e"}) world.rate(name, 1, kDay, 1, {});
  EXPECT_THROW(world.route({"b", "c", "d", "e"}), config::ConfigError);
}

TEST(RatesTest, ARouteWithoutLimitsGrantsAndSaysNothing) {
  World world;
  const auto policies = world.route({});
  const Standing standing = world.rates.check(*policies, {}, kNow);
  EXPECT_EQ(standing.outcome, Outcome::kGranted);
  EXPECT_EQ(fields_of(standing), "");
  EXPECT_EQ(fields_of(Standing{}), "");
}

// ---- over a reload

TEST(RatesTest, AReloadKeepsBucketsAndAChangedRateHoldsForThem) {
  World world;
  const auto before =
      world.rate("a", 1, kDay, 3, {RateKey::kAddress}).rate("g", 1, kDay, 3, {}).route({"a", "g"});
  const Caller caller = from(ipv4(10, 0, 0, 1));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(world.granted(*before, caller));
  const auto same = world.route({"a", "g"});
  EXPECT_FALSE(world.granted(*same, caller));
  const auto faster = world.rate("a", 10, Seconds(1), 5, {RateKey::kAddress})
                          .rate("g", 10, Seconds(1), 5, {})
                          .route({"a", "g"});
  EXPECT_FALSE(world.granted(*faster, caller));
  EXPECT_TRUE(world.granted(*faster, caller, kNow + Millis(100)));
  const auto renamed = world.rate("b", 10, Seconds(1), 5, {RateKey::kAddress}).route({"b"});
  EXPECT_TRUE(world.granted(*renamed, caller));
}

TEST(RatesTest, CountsAllowedAndRefusedByName) {
  World world;
  const auto policies = world.rate("b", 1, kDay, 2, {}).rate("a", 1, kDay, 9, {}).route({"b", "a"});
  for (int i = 0; i < 5; ++i) world.granted(*policies, {});
  const RateStats stats = world.rates.stats();
  ASSERT_EQ(stats.policies.size(), 2);
  EXPECT_EQ(stats.policies[0].name, "a");
  EXPECT_EQ(stats.policies[0].allowed, 2);
  EXPECT_EQ(stats.policies[0].refused, 0);
  EXPECT_EQ(stats.policies[1].allowed, 2);
  EXPECT_EQ(stats.policies[1].refused, 3);
}

// ---- what the reply says

TEST(RateFieldsTest, SayThePolicyAndWhatIsLeftOfIt) {
  World world;
  const auto policies = world.rate("minute", 100, Seconds(60), 100, {}).route({"minute"});
  const Standing standing = world.rates.check(*policies, {}, kNow);
  EXPECT_EQ(fields_of(standing),
            "RateLimit-Policy: \"minute\";q=100;w=60\r\n"
            "RateLimit: \"minute\";r=99;t=60\r\n"
            "x-ratelimit-limit: 100\r\n"
            "x-ratelimit-remaining: 99\r\n"
            "x-ratelimit-reset: 60\r\n");
  EXPECT_EQ(fields_of(standing, config::RateFields::kStandard),
            "RateLimit-Policy: \"minute\";q=100;w=60\r\nRateLimit: \"minute\";r=99;t=60\r\n");
  EXPECT_EQ(fields_of(standing, config::RateFields::kOff), "");
}

TEST(RateFieldsTest, NameThePolicyWithTheLeastLeft) {
  World world;
  world.rate("many", 1000, Seconds(60), 1000, {}).rate("few", 1, Seconds(10), 3, {});
  const auto policies = world.route({"many", "few"});
  const Standing standing = world.rates.check(*policies, {}, kNow);
  EXPECT_EQ(fields_of(standing),
            "RateLimit-Policy: \"many\";q=1000;w=60,\"few\";q=3;w=30\r\n"
            "RateLimit: \"many\";r=999;t=60,\"few\";r=2;t=20\r\n"
            "x-ratelimit-limit: 3\r\n"
            "x-ratelimit-remaining: 2\r\n"
            "x-ratelimit-reset: 20\r\n");
}

TEST(RateFieldsTest, OfARefusalSayWhenAndBecauseOfWhat) {
  World world;
  world.rate("many", 1000, Seconds(60), 1000, {}).rate("few", 1, Seconds(10), 1, {});
  const auto policies = world.route({"many", "few"});
  EXPECT_TRUE(world.granted(*policies, {}));
  const Standing refused = world.rates.check(*policies, {}, kNow + Millis(2'500));
  EXPECT_EQ(fields_of(refused),
            "RateLimit-Policy: \"many\";q=1000;w=60,\"few\";q=1;w=10\r\n"
            "RateLimit: \"few\";r=0;t=8\r\n"
            "x-ratelimit-limit: 1\r\n"
            "x-ratelimit-remaining: 0\r\n"
            "x-ratelimit-reset: 8\r\n"
            "Retry-After: 8\r\n");
  EXPECT_EQ(fields_of(refused, config::RateFields::kOff), "Retry-After: 8\r\n");
}

// Whoever spends what is left evenly until then stays below the rate, however little of the window is gone.
TEST(RateFieldsTest, NeverInviteMoreThanTheRate) {
  World world;
  const auto policies = world.rate("day", 1000, Seconds(1000), 200, {}).route({"day"});
  for (int i = 0; i < 200; ++i) {
    const Standing standing = world.rates.check(*policies, {}, kNow);
    const auto& item = standing.items[0];
    EXPECT_LE(item.reset(), Seconds(200));
    if (item.remaining() > 0) EXPECT_GE(item.reset(), Seconds(item.remaining()));
  }
}

TEST(RateFieldsTest, EscapeANameAndBoundANumber) {
  World world;
  world.rate("a\"b\\c\xc3\xa9", ~0ULL, Seconds(1), ~0ULL, {}).rate("fast", 1000, Seconds(1), 1, {});
  const auto policies = world.route({"a\"b\\c\xc3\xa9", "fast"});
  const std::string out = fields_of(world.rates.check(*policies, {}, kNow), config::RateFields::kStandard);
  EXPECT_THAT(out, testing::HasSubstr(R"("a\"b\\c??";q=999999999999999;w=)"));
  EXPECT_THAT(out, testing::HasSubstr(R"("fast";q=1;w=1)"));  // a window is not shorter than a second
}

// ---- failures

TEST(FailuresTest, ExhaustAnAddressAndLetItBackIn) {
  config::Limits limits;
  limits.failures = {.rate = {1, Seconds(10)}, .burst = 3};
  Failures failures(limits);
  const auto address = ipv4(192, 0, 2, 1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(failures.exhausted(address, kNow));
    failures.charge(address, kNow);
  }
  EXPECT_TRUE(failures.exhausted(address, kNow));
  EXPECT_FALSE(failures.exhausted(ipv4(192, 0, 2, 2), kNow));
  EXPECT_EQ(failures.retry_after(address, kNow + Seconds(4)), Seconds(6));
  EXPECT_EQ(failures.retry_after(ipv4(192, 0, 2, 2), kNow), Seconds(0));
  EXPECT_TRUE(failures.exhausted(address, kNow + Seconds(9)));
  EXPECT_FALSE(failures.exhausted(address, kNow + Seconds(10)));
  EXPECT_EQ(failures.stats().charged, 3);
  EXPECT_EQ(failures.stats().refused, 2);
  EXPECT_EQ(failures.stats().buckets.entries, 1);
}

TEST(FailuresTest, AChargeBeyondTheLimitDoesNotProlongIt) {
  config::Limits limits;
  limits.failures = {.rate = {1, Seconds(10)}, .burst = 2};
  Failures failures(limits);
  for (int i = 0; i < 100; ++i) failures.charge(ipv4(192, 0, 2, 1), kNow);
  EXPECT_EQ(failures.retry_after(ipv4(192, 0, 2, 1), kNow), Seconds(10));
}

TEST(FailuresTest, KnowATokenThatHasVerifiedUntilItFails) {
  Failures failures(config::Limits{});
  const std::string token = std::string(200, 'a') + std::string(48, 's');
  EXPECT_FALSE(failures.vouched(token));
  failures.vouch(token);
  EXPECT_TRUE(failures.vouched(token));
  EXPECT_FALSE(failures.vouched(token.substr(0, token.size() - 1) + "t"));
  failures.forget(token.substr(0, token.size() - 1) + "t");
  EXPECT_TRUE(failures.vouched(token));
  failures.forget(token);
  EXPECT_FALSE(failures.vouched(token));
  EXPECT_FALSE(failures.vouched(""));
}

TEST(FailuresTest, AReloadKeepsThemAndZeroTurnsThemOff) {
  config::Limits limits;
  limits.failures = {.rate = {1, Seconds(10)}, .burst = 1};
  limits.memory = 16 << 20;
  Failures failures(limits);
  const auto address = ipv6(0, 1);
  failures.charge(address, kNow);
  limits.memory = 64 << 20;
  failures.configure(limits, kNow);
  EXPECT_TRUE(failures.exhausted(address, kNow));
  EXPECT_EQ(failures.stats().buckets.capacity * 16, limits.memory / 8);
  limits.ipv6_prefix = 128;
  failures.configure(limits, kNow);
  EXPECT_FALSE(failures.exhausted(address, kNow));  // it is another key now
  limits.failures.rate.count = 0;
  failures.configure(limits, kNow);
  for (int i = 0; i < 10; ++i) failures.charge(address, kNow);
  EXPECT_FALSE(failures.exhausted(address, kNow));
  EXPECT_EQ(failures.retry_after(address, kNow), Seconds(0));
}

}  // namespace
}  // namespace limit
