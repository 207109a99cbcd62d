#include "identity/key_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "config/address.h"
#include "identity/key_sources.h"
#include "identity/testing_jwks.h"
#include "identity/verification_key.h"

namespace identity {
namespace {

using base::Millis;
using base::Nanos;
using base::Seconds;
using testing::HasSubstr;

const TestSigner& old_one() {
  static const TestSigner signer("old");
  return signer;
}
const TestSigner& new_one() {
  static const TestSigner signer("new");
  return signer;
}
const std::string& old_set() {
  static const std::string text = jwks_of({&old_one()});
  return text;
}

constexpr base::Mono kStart{Seconds(1000)};

class KeySourceTest : public testing::Test {
 protected:
  explicit KeySourceTest(const config::Jwks& changes = {}) : source(with(changes), kStart) {}
  static config::JwtIdentity with(config::Jwks jwks) {
    config::JwtIdentity rules = published_rules();
    jwks.url = rules.jwks->url;
    rules.jwks = jwks;
    return rules;
  }
  bool give(const std::string& body, base::Mono now, std::optional<Seconds> lifetime = {}) {
    return refresh(source, reply_of(body, lifetime), now);
  }
  bool fail(base::Mono now) { return refresh(source, no_reply(), now); }
  std::uint64_t count(FetchResult result) {
    return source.figures(kStart).fetches[static_cast<std::size_t>(result)];
  }

  KeySource source;
};

// ---- when it is asked

TEST_F(KeySourceTest, IsDueAtOnce) {
  EXPECT_LE(source.due(), kStart);
  EXPECT_FALSE(source.figures(kStart).ready);
  EXPECT_THAT(source.figures(kStart).reason, HasSubstr("not been fetched yet"));
  const auto url = source.begin(kStart);
  ASSERT_TRUE(url);
  EXPECT_EQ(config::UrlText::show(*url), "https://id.test/keys");
}

TEST_F(KeySourceTest, IsAskedOnceAtATime) {
  EXPECT_TRUE(source.begin(kStart));
  EXPECT_FALSE(source.begin(kStart));
  EXPECT_EQ(source.due(), base::Mono::max());
  source.fetched(reply_of(old_set()), kStart);
  EXPECT_NE(source.due(), base::Mono::max());
}

struct Lifetime {
  std::optional<Seconds> says;
  Seconds ttl;  // what comes of it
};
class KeySourceLifetime : public KeySourceTest, public testing::WithParamInterface<Lifetime> {};

TEST_P(KeySourceLifetime, IsBoundedAndRenewedAheadOfItsEnd) {
  ASSERT_TRUE(give(old_set(), kStart, GetParam().says));
  const Nanos ahead = source.due() - kStart;
  const Nanos ttl = GetParam().ttl;
  EXPECT_LE(ahead, ttl * 3 / 4);
  EXPECT_GE(ahead, ttl * 6 / 10);
}
INSTANTIATE_TEST_SUITE_P(Says, KeySourceLifetime,
                         testing::Values(Lifetime{std::nullopt, Seconds(300)},
                                         Lifetime{Seconds(600), Seconds(600)},
                                         Lifetime{Seconds(1), Seconds(60)}, Lifetime{Seconds(0), Seconds(60)},
                                         Lifetime{Seconds(1 << 30), Seconds(3600)}));

TEST_F(KeySourceTest, SpreadsRenewals) {
  std::set<base::Mono> times;
  for (int i = 0; i < 20; ++i) {
    KeySource one(published_rules(), kStart);
    refresh(one, reply_of(old_set()), kStart);
    times.insert(one.due());
  }
  EXPECT_GT(times.size(), 15U);
}

TEST(KeySource, RenewsAMonthAheadOfItsEndToo) {
  config::JwtIdentity rules = published_rules();
  rules.jwks->max_ttl = Seconds(30 * 24 * 3600);
  for (int i = 0; i < 20; ++i) {  // how far ahead is drawn
    KeySource source(rules, kStart);
    refresh(source, reply_of(old_set(), rules.jwks->max_ttl), kStart);
    EXPECT_LE(source.due() - kStart, Nanos(rules.jwks->max_ttl) * 3 / 4);
  }
}

TEST(KeySource, IsNotAskedInALoopByAnIssuerThatAllowsNoKeeping) {
  config::JwtIdentity rules = published_rules();
  rules.jwks->min_ttl = Seconds(0);
  KeySource source(rules, kStart);
  refresh(source, reply_of(old_set(), Seconds(0)), kStart);
  EXPECT_GE(source.due() - kStart, Millis(500));
}

TEST_F(KeySourceTest, IsAskedAgainAfterAFailureLaterEachTime) {
  base::Mono now = kStart;
  for (const int seconds : {1, 2, 4, 8, 10, 10}) {
    ASSERT_TRUE(fail(now));
    EXPECT_EQ(source.due() - now, Seconds(seconds));
    EXPECT_FALSE(source.begin(source.due() - Nanos(1)));
    now = source.due();
  }
  give(old_set(), now);
  now = source.due();
  ASSERT_TRUE(fail(now));
  EXPECT_EQ(source.due() - now, Seconds(1)) << "from the beginning, after a success";
}

// ---- what it keeps

TEST_F(KeySourceTest, ServesTheLastGoodKeysUntilTheyAreTooOld) {
  ASSERT_TRUE(give(old_set(), kStart));  // good for 300 s, and a day more
  base::Mono now = source.due();
  while (now < kStart + Seconds(300) + Seconds(86'400)) {
    ASSERT_TRUE(fail(now));
    ASSERT_EQ(source.keys()->keys.size(), 1U);
    ASSERT_TRUE(source.figures(now).ready);
    ASSERT_EQ(source.figures(now).reason, "connection refused");
    now = source.due();
  }
  EXPECT_EQ(now, kStart + Seconds(86'700)) << "it wakes up when they become too old";
  const std::uint64_t before = source.epoch();
  source.begin(now);
  EXPECT_TRUE(source.keys()->keys.empty());
  EXPECT_NE(source.epoch(), before);
  EXPECT_FALSE(source.figures(now).ready);
  EXPECT_FALSE(source.figures(now).age);
}

TEST(KeySource, ServesForEverWhereMaxStaleIsZero) {
  config::JwtIdentity rules = published_rules();
  rules.jwks->max_stale = Seconds(0);
  KeySource source(rules, kStart);
  refresh(source, reply_of(old_set()), kStart);
  refresh(source, no_reply(), kStart + Seconds(10'000'000));
  EXPECT_EQ(source.keys()->keys.size(), 1U);
}

TEST_F(KeySourceTest, KeepsItsKeysThroughBadReplies) {
  ASSERT_TRUE(give(old_set(), kStart));
  const std::uint64_t epoch = source.epoch();
  const auto bad = [&](const KeySource::Reply& reply, FetchResult result) {
    const std::uint64_t before = count(result);
    ASSERT_TRUE(refresh(source, reply, source.due()));
    EXPECT_EQ(count(result), before + 1) << label(result);
    EXPECT_EQ(source.keys()->keys.size(), 1U);
    EXPECT_NE(source.figures(kStart).reason, "");
  };
  bad(no_reply(), FetchResult::kUnreachable);
  bad(reply_of("<html>"), FetchResult::kMalformed);
  bad(reply_of(R"({"keys":[]})"), FetchResult::kNoUsableKey);
  bad(reply_of(R"({"keys":[{"kty":"oct","k":"c2VjcmV0c2VjcmV0"}]})"), FetchResult::kNoUsableKey);
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{204, 203, 302, 304, 404, 500}) {
    KeySource::Reply reply = reply_of(jwks_of({&new_one()}));
    reply.status = status;
    bad(reply, FetchResult::kStatus);
  }
  KeySource::Reply large = reply_of(jwks_of({&new_one()}));
  large.too_large = true;
  bad(large, FetchResult::kTooLarge);
  EXPECT_EQ(source.epoch(), epoch);
  ASSERT_TRUE(give(old_set(), source.due()));
  EXPECT_EQ(source.figures(kStart).reason, "");
}

TEST_F(KeySourceTest, ChangesItsEpochOnlyWhenAKeyIsGone) {
  std::uint64_t epoch = source.epoch();
  const auto moves = [&] { return std::exchange(epoch, source.epoch().load()) != epoch; };
  give(old_set(), source.due());
  EXPECT_FALSE(moves()) << "the first keys";
  give(old_set(), source.due());
  EXPECT_FALSE(moves()) << "the same";
  give(jwks_of({&new_one(), &old_one()}), source.due());
  EXPECT_FALSE(moves()) << "one more, and in another order";
  const std::uint64_t old_key = source.keys()->keys[1]->fingerprint();
  EXPECT_TRUE(source.trusts(old_key));
  give(jwks_of({&new_one()}), source.due());
  EXPECT_TRUE(moves()) << "the old one is withdrawn";
  EXPECT_FALSE(source.trusts(old_key));
  EXPECT_EQ(source.keys()->epoch, source.epoch());
}

TEST_F(KeySourceTest, TakesAnotherKeyOfTheSameNameForAnother) {
  const TestSigner again("old");
  give(old_set(), kStart);
  const std::uint64_t epoch = source.epoch();
  give(jwks_of({&again}), source.due());
  EXPECT_NE(source.epoch(), epoch);
}

TEST(KeySource, SharesNoEpochWithAnother) {
  KeySource a(published_rules(), kStart), b(published_rules(), kStart);
  EXPECT_NE(a.epoch(), b.epoch());
}

// ---- on demand

class KeySourceWanted : public KeySourceTest {
 protected:
  KeySourceWanted() {
    source.on_wanted([this] { ++woken; });
    give(old_set(), kStart);
    now = kStart + Seconds(5);
  }
  int woken = 0;
  base::Mono now;
};

TEST_F(KeySourceWanted, IsFetchedOnceForAllWhoWait) {
  EXPECT_GT(source.due(), now);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(source.want(now));
  EXPECT_EQ(woken, 1);
  EXPECT_LE(source.due(), now);
  int called = 0;
  for (int i = 0; i < 3; ++i) source.on_fetched([&] { ++called; });
  ASSERT_TRUE(source.begin(now));
  EXPECT_TRUE(source.want(now)) << "joins";
  EXPECT_FALSE(source.begin(now));
  source.on_fetched([&] { ++called; });
  EXPECT_EQ(called, 0);
  source.fetched(reply_of(jwks_of({&new_one()})), now);
  EXPECT_EQ(called, 4);
  source.on_fetched([&] { ++called; });
  EXPECT_EQ(called, 5) << "at once, when there is nothing to wait for";
}

TEST_F(KeySourceWanted, CoolsDown) {
  ASSERT_TRUE(source.want(now));
  give(old_set(), now);
  EXPECT_FALSE(source.want(now));
  EXPECT_FALSE(source.may_want(now));
  EXPECT_FALSE(source.want(now + Seconds(10) - Nanos(1)));
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(source.may_want(now + Seconds(10)));
  EXPECT_TRUE(source.want(now + Seconds(10)));
  EXPECT_EQ(woken, 2);
}

TEST_F(KeySourceWanted, CoolsDownFromTheEndOfAFetchHoweverLongItTook) {
  ASSERT_TRUE(source.want(now));
  ASSERT_TRUE(source.begin(now));
  now += Seconds(60);
  source.fetched(no_reply(), now);
  EXPECT_FALSE(source.want(now));
  EXPECT_TRUE(source.want(now + Seconds(10)));
}

TEST_F(KeySourceWanted, IsAskedSoonForANameThatIsNew) {
  ASSERT_TRUE(source.want(now, 1));
  give(old_set(), now);
  EXPECT_FALSE(source.want(now, 2)) << "but not at once";
  now += KeySource::kApart;
  EXPECT_FALSE(source.may_want(now, 1)) << "asked for in vain a moment ago";
  EXPECT_FALSE(source.want(now, 1));
  EXPECT_TRUE(source.may_want(now, 2));
  EXPECT_TRUE(source.want(now, 2));
}

TEST_F(KeySourceWanted, IsFoundWithinSecondsWhateverNamesAreMadeUp) {
  std::uint64_t forged = 100;
  int fetches = 0;
  for (base::Mono end = now + Seconds(60); now < end; now += base::Millis(100)) {
    if (!source.want(now, ++forged)) continue;
    ++fetches;
    give(old_set(), now);
  }
  EXPECT_LE(fetches, 21) << "a bounded number, whatever is asked";
  EXPECT_GE(fetches, 20) << "each of which would have brought the new key";
}

TEST_F(KeySourceWanted, IsAskedOnceMoreForWhoJoinedAFetchThatMayHaveBeenTooEarly) {
  ASSERT_TRUE(source.want(now));
  ASSERT_TRUE(source.begin(now));
  EXPECT_TRUE(source.want(now));  // its key came to be after the issuer had answered, perhaps
  source.fetched(reply_of(old_set()), now);
  EXPECT_TRUE(source.want(now));
  ASSERT_TRUE(source.begin(now));
  EXPECT_TRUE(source.want(now));
  source.fetched(reply_of(old_set()), now);
  EXPECT_FALSE(source.want(now)) << "two within a cooldown, and no more";
}

TEST_F(KeySourceWanted, IsNotAskedOnceMoreAfterAFailure) {
  ASSERT_TRUE(source.want(now));
  ASSERT_TRUE(source.begin(now));
  EXPECT_TRUE(source.want(now));
  source.fetched(no_reply(), now);
  EXPECT_FALSE(source.want(now));
}

TEST_F(KeySourceWanted, CallsBackAlsoAfterAFailureAndWhenTheDriverStops) {
  int called = 0;
  ASSERT_TRUE(source.want(now));
  source.on_fetched([&] { ++called; });
  fail(now);
  EXPECT_EQ(called, 1);
  ASSERT_TRUE(source.want(now + Seconds(20)));
  source.on_fetched([&] { ++called; });
  ASSERT_TRUE(source.begin(now + Seconds(20)));
  source.abandon();
  EXPECT_EQ(called, 2);
  EXPECT_FALSE(source.fetched(reply_of(old_set()), now)) << "an answer to nobody's question";
  EXPECT_TRUE(source.begin(source.due())) << "goes on when it is driven again";
}

// A reload dropped the issuer while a request of the old snapshot waited: no fetch will ever end its wait.
TEST_F(KeySourceWanted, IsNotWorthAWaitWhenNobodyDrivesIt) {
  source.on_wanted([] {});
  ASSERT_TRUE(source.begin(source.due()));
  ASSERT_TRUE(source.want(now)) << "joins the fetch under way";
  source.on_wanted(nullptr);
  source.abandon();
  EXPECT_FALSE(source.want(now));
  EXPECT_FALSE(source.want(now + Seconds(20)));
  source.on_wanted([] {});
  EXPECT_TRUE(source.want(now + Seconds(20))) << "a later reload has brought it back";
}

TEST_F(KeySourceWanted, MayCallBackIntoItself) {
  ASSERT_TRUE(source.want(now));
  std::size_t seen = 0;
  source.on_fetched([&] {
    seen = source.keys()->keys.size();
    source.want(now);
  });
  give(jwks_of({&old_one(), &new_one()}), now);
  EXPECT_EQ(seen, 2U);
}

TEST_F(KeySourceWanted, ServesReadersWhileItChanges) {
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      const std::uint64_t epoch = source.epoch().load(std::memory_order_acquire);
      const auto keys = source.keys();
      EXPECT_GE(keys->epoch, epoch) << "whoever sees an epoch finds the keys that go with it, or later ones";
      source.may_want(base::mono_now());
    }
  });
  const std::string both = jwks_of({&old_one(), &new_one()});
  for (int i = 0; i < 200; ++i) give(i % 2 ? both : old_set(), source.due());
  stop = true;
  reader.join();
}

// ---- discovery

class Discovered : public testing::Test {
 protected:
  static config::JwtIdentity rules() {
    config::JwtIdentity made = published_rules();
    made.jwks->url.reset();
    return made;
  }
  static std::string document(const std::string& issuer = "https://id.test",
                              const std::string& keys = "keys") {
    return R"({"issuer":")" + issuer + R"(","jwks_uri":"https://id.test/)" + keys + R"("})";
  }
  std::string begin(base::Mono now) {
    const auto url = source.begin(now);
    return url ? url->path : "";
  }
  std::string fetched(const KeySource::Reply& reply, base::Mono now) {
    const auto url = source.fetched(reply, now);
    return url ? url->path : "";
  }
  KeySource source{rules(), kStart};
};

TEST_F(Discovered, AsksForTheDocumentOnceAndForKeysAgain) {
  EXPECT_EQ(begin(kStart), "/.well-known/openid-configuration");
  EXPECT_EQ(fetched(reply_of(document()), kStart), "/keys");
  EXPECT_EQ(source.due(), base::Mono::max());
  EXPECT_EQ(fetched(reply_of(old_set()), kStart), "");
  EXPECT_TRUE(source.figures(kStart).ready);
  EXPECT_EQ(begin(source.due()), "/keys");
}

TEST_F(Discovered, LooksForKeysAgainAfterAFailureAndAfterAWhile) {
  begin(kStart);
  fetched(reply_of(document()), kStart);
  fetched(reply_of(old_set()), kStart);
  base::Mono now = source.due();
  EXPECT_EQ(begin(now), "/keys");
  fetched(no_reply(), now);
  now = source.due();
  EXPECT_EQ(begin(now), "/.well-known/openid-configuration");
  EXPECT_EQ(fetched(reply_of(document("https://id.test", "moved")), now), "/moved");
  fetched(reply_of(old_set()), now);
  now += Seconds(3600);
  EXPECT_EQ(begin(now), "/.well-known/openid-configuration");
}

TEST_F(Discovered, BelievesNoDocumentOfAnother) {
  begin(kStart);
  int called = 0;
  source.on_fetched([&] { ++called; });
  EXPECT_EQ(fetched(reply_of(document("https://evil.test")), kStart), "");
  EXPECT_EQ(called, 1);
  const auto figures = source.figures(kStart);
  EXPECT_EQ(figures.fetches[static_cast<std::size_t>(FetchResult::kIssuerMismatch)], 1U);
  EXPECT_THAT(figures.reason, HasSubstr("'https://evil.test'"));
  EXPECT_EQ(begin(source.due()), "/.well-known/openid-configuration");
}

TEST_F(Discovered, NeedsAnIssuerThatIsAUrl) {
  config::JwtIdentity bad = rules();
  bad.issuer = "accounts";
  EXPECT_THROW(KeySource(bad, kStart), std::runtime_error);
}

// ---- the registry

TEST(KeySources, KeepsASourceThatNothingHasChanged) {
  KeySources sources;
  const auto before = sources.source_for(published_rules());
  EXPECT_EQ(sources.source_for(published_rules()), before);
  EXPECT_EQ(sources.source_for(hs256_rules()), nullptr);
}

TEST(KeySources, MakesAnotherForWhateverDecides) {
  KeySources sources;
  const auto before = sources.source_for(published_rules());
  const auto changed = [&](auto change) {
    config::JwtIdentity rules = published_rules();
    change(rules);
    return sources.source_for(rules) != before;
  };
  EXPECT_TRUE(changed([](auto& r) { r.name = "other"; }));
  EXPECT_TRUE(changed([](auto& r) { r.issuer = "https://other.test"; }));
  EXPECT_TRUE(changed([](auto& r) { r.algorithms.push_back(config::Algorithm::kRS256); }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->url->path = "/other"; }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->url.reset(); }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->timeout = Millis(1); }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->ttl = Seconds(1); }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->min_ttl = Seconds(1); }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->max_ttl = Seconds(1); }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->cooldown = Seconds(1); }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->max_stale = Seconds(1); }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->tls.verify = false; }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->tls.ca_file = "/ca"; }));
  EXPECT_TRUE(changed([](auto& r) { r.jwks->tls.server_name = "n"; }));
  EXPECT_FALSE(changed([](auto& r) { r.audience = {"other"}; })) << "of the tokens, not of the keys";
  EXPECT_FALSE(changed([](auto& r) { r.line = 7; }));
}

TEST(KeySources, LetsGoOfASourceThatNobodyHolds) {
  KeySources sources;
  const std::weak_ptr<KeySource> before = sources.source_for(published_rules());
  EXPECT_TRUE(before.expired());
  EXPECT_NE(sources.source_for(published_rules()), nullptr);
}

}  // namespace
}  // namespace identity
