#include "identity/remembered.h"

#include <gtest/gtest.h>

#include <array>

#include "identity/testing.h"
#include "identity/verifier.h"

namespace identity {
namespace {

constexpr std::uint64_t kVerifier = 7;
const std::atomic<std::uint64_t> kEpoch{0};
const std::array kBy{Verifiers::Accepted{kVerifier, &kEpoch, nullptr}};
const std::array kByOther{Verifiers::Accepted{kVerifier + 1, &kEpoch, nullptr}};

base::Ref<const Principal> principal_of(std::string_view name, base::Wall until = base::Wall::max(),
                                        std::uint64_t verifier = kVerifier) {
  auto principal = base::make_ref<Principal>();
  principal->verifier = verifier;
  principal->subject = name;
  principal->usable_until = until;
  return principal;
}

std::string token_of(int i) {
  return "token " + std::string(300, 'x') + std::to_string(i);
}

TEST(Remembered, FindsWhatWasInserted) {
  Remembered remembered;
  EXPECT_EQ(remembered.find(kBy, "a", kNow), nullptr);
  remembered.insert("a", principal_of("ann"), kNow);
  remembered.insert("b", principal_of("bob"), kNow);
  ASSERT_NE(remembered.find(kBy, "a", kNow), nullptr);
  EXPECT_EQ(remembered.find(kBy, "a", kNow)->subject, "ann");
  EXPECT_EQ(remembered.find(kBy, "b", kNow)->subject, "bob");
  EXPECT_EQ(remembered.entries(), 2U);
}

TEST(Remembered, ComparesTheWholeToken) {
  Remembered remembered;
  const std::string token = token_of(1);
  remembered.insert(token, principal_of("ann"), kNow);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] ^= 1;
    EXPECT_EQ(remembered.find(kBy, other, kNow), nullptr);
  }
  EXPECT_EQ(remembered.find(kBy, token.substr(1), kNow), nullptr);
  EXPECT_EQ(remembered.find(kBy, token + "x", kNow), nullptr);
}

TEST(Remembered, AnswersOnlyForTheVerifierThatVerified) {
  Remembered remembered;
  remembered.insert("a", principal_of("ann"), kNow);
  EXPECT_EQ(remembered.find(kByOther, "a", kNow), nullptr);
  remembered.insert("a", principal_of("other", base::Wall::max(), kVerifier + 1), kNow);
  EXPECT_EQ(remembered.find(kBy, "a", kNow)->subject, "ann");
  EXPECT_EQ(remembered.find(kByOther, "a", kNow)->subject, "other");
}

TEST(Remembered, AnswersForAnyOfSeveralVerifiers) {
  Remembered remembered;
  const std::array both{kByOther[0], kBy[0]};
  remembered.insert("a", principal_of("ann"), kNow);
  remembered.insert("b", principal_of("bob", base::Wall::max(), kVerifier + 1), kNow);
  EXPECT_EQ(remembered.find(both, "a", kNow)->subject, "ann");
  EXPECT_EQ(remembered.find(both, "b", kNow)->subject, "bob");
}

TEST(Remembered, ReplacesSameToken) {
  Remembered remembered;
  remembered.insert("a", principal_of("ann"), kNow);
  remembered.insert("a", principal_of("eve"), kNow);
  EXPECT_EQ(remembered.find(kBy, "a", kNow)->subject, "eve");
  EXPECT_EQ(remembered.entries(), 1U);
}

TEST(Remembered, HonoursExpiryWithLeeway) {
  Remembered remembered;
  const Verifiers verifier({std::make_shared<const Verifier>(hs256_rules())});
  const std::string payload = with_claim("\"exp\":1900000010");
  const std::string token = hs256_token(kHsHeader, payload);
  const auto principal = verifier.verify(token, kNow);
  ASSERT_TRUE(principal);
  remembered.insert(token, *principal, kNow);
  EXPECT_NE(remembered.find(verifier, token, kNow + base::Seconds(39)), nullptr);
  EXPECT_EQ(remembered.find(verifier, token, kNow + base::Seconds(40)), nullptr);
  EXPECT_FALSE(verifier.verify(token, kNow + base::Seconds(40)));
}

TEST(Remembered, HonoursNotBeforeWhenTheClockIsSetBack) {
  Remembered remembered;
  auto principal = base::make_ref<Principal>();
  principal->verifier = kVerifier;
  principal->usable_from = kNow;
  remembered.insert("a", principal, kNow);
  EXPECT_NE(remembered.find(kBy, "a", kNow), nullptr);
  EXPECT_EQ(remembered.find(kBy, "a", kNow - base::Seconds(1)), nullptr);
}

TEST(Remembered, ForgetsWithTheTurnedClock) {
  Remembered remembered;
  const base::Wall now = base::wall_now();
  remembered.insert("a", principal_of("ann", now + base::Seconds(60)), now);
  EXPECT_NE(remembered.find(kBy, "a", base::wall_now()), nullptr);
  const base::ClockShift later{base::Seconds(120)};
  EXPECT_EQ(remembered.find(kBy, "a", base::wall_now()), nullptr);
}

TEST(Remembered, StaysWithinItsEntries) {
  Remembered remembered({.entries = 100, .bytes = 1 << 20});
  for (int i = 0; i < 5000; ++i) {
    remembered.insert(token_of(i), principal_of("ann"), kNow);
    ASSERT_LE(remembered.entries(), 100U);
    ASSERT_NE(remembered.find(kBy, token_of(i), kNow), nullptr);
  }
  EXPECT_EQ(remembered.entries(), 100U);
}

TEST(Remembered, StaysWithinItsBytes) {
  Remembered remembered({.entries = 1 << 20, .bytes = 64 << 10});
  for (int i = 0; i < 1000; ++i) {
    remembered.insert(token_of(i), principal_of("ann"), kNow);
    ASSERT_LE(remembered.bytes(), 64U << 10);
  }
  EXPECT_GT(remembered.entries(), 50U);
  const std::size_t before = remembered.entries();
  remembered.insert(std::string(65 << 10, 'x'), principal_of("ann"), kNow);
  EXPECT_EQ(remembered.entries(), before);
}

TEST(Remembered, GrowsToManyTokens) {
  Remembered remembered;
  for (int i = 0; i < 20'000; ++i) remembered.insert(token_of(i), principal_of("ann"), kNow);
  EXPECT_EQ(remembered.entries(), 20'000U);
  for (int i = 0; i < 20'000; i += 7) EXPECT_NE(remembered.find(kBy, token_of(i), kNow), nullptr);
}

TEST(Remembered, KeepsWhatIsAskedForThroughAScan) {
  Remembered remembered({.entries = 100, .bytes = 1 << 20});
  for (int i = 0; i < 50; ++i) remembered.insert(token_of(i), principal_of("ann"), kNow);
  for (int i = 1000; i < 3000; ++i) {
    remembered.insert(token_of(i), principal_of("once"), kNow);
    remembered.find(kBy, token_of(i % 50), kNow);
  }
  int kept = 0;
  for (int i = 0; i < 50; ++i) kept += remembered.find(kBy, token_of(i), kNow) != nullptr;
  EXPECT_EQ(kept, 50);
}

TEST(Remembered, SurvivesReloadThatChangesNothing) {
  Remembered remembered;
  const std::string token = hs256_token(kHsHeader, kGoodPayload);
  {
    const Verifier before(hs256_rules());
    remembered.insert(token, *before.verify(token, kNow), kNow);
  }
  const auto after = [](const config::JwtIdentity& rules) {
    return Verifiers({std::make_shared<const Verifier>(rules)});
  };
  EXPECT_NE(remembered.find(after(hs256_rules()), token, kNow), nullptr);
  config::JwtIdentity changed = hs256_rules();
  changed.audience = {"other"};
  EXPECT_EQ(remembered.find(after(changed), token, kNow), nullptr);
}

}  // namespace
}  // namespace identity
