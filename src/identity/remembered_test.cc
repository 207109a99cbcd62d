#include "identity/remembered.h"

#include <gtest/gtest.h>

#include "identity/testing.h"
#include "identity/verifier.h"

namespace identity {
namespace {

constexpr std::uint64_t kVerifier = 7;

base::Ref<const Principal> principal_of(std::string_view name, base::Wall until = base::Wall::max()) {
  auto principal = base::make_ref<Principal>();
  principal->subject = name;
  principal->usable_until = until;
  return principal;
}

std::string token_of(int i) {
  return "token " + std::string(300, 'x') + std::to_string(i);
}

TEST(Remembered, FindsWhatWasInserted) {
  Remembered remembered;
  EXPECT_EQ(remembered.find(kVerifier, "a", kNow), nullptr);
  remembered.insert(kVerifier, "a", principal_of("ann"), kNow);
  remembered.insert(kVerifier, "b", principal_of("bob"), kNow);
  ASSERT_NE(remembered.find(kVerifier, "a", kNow), nullptr);
  EXPECT_EQ(remembered.find(kVerifier, "a", kNow)->subject, "ann");
  EXPECT_EQ(remembered.find(kVerifier, "b", kNow)->subject, "bob");
  EXPECT_EQ(remembered.entries(), 2U);
}

TEST(Remembered, ComparesTheWholeToken) {
  Remembered remembered;
  const std::string token = token_of(1);
  remembered.insert(kVerifier, token, principal_of("ann"), kNow);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] ^= 1;
    EXPECT_EQ(remembered.find(kVerifier, other, kNow), nullptr);
  }
  EXPECT_EQ(remembered.find(kVerifier, token.substr(1), kNow), nullptr);
  EXPECT_EQ(remembered.find(kVerifier, token + "x", kNow), nullptr);
}

TEST(Remembered, AnswersOnlyForTheVerifierThatVerified) {
  Remembered remembered;
  remembered.insert(kVerifier, "a", principal_of("ann"), kNow);
  EXPECT_EQ(remembered.find(kVerifier + 1, "a", kNow), nullptr);
  remembered.insert(kVerifier + 1, "a", principal_of("other"), kNow);
  EXPECT_EQ(remembered.find(kVerifier, "a", kNow)->subject, "ann");
  EXPECT_EQ(remembered.find(kVerifier + 1, "a", kNow)->subject, "other");
}

TEST(Remembered, ReplacesSameToken) {
  Remembered remembered;
  remembered.insert(kVerifier, "a", principal_of("ann"), kNow);
  remembered.insert(kVerifier, "a", principal_of("eve"), kNow);
  EXPECT_EQ(remembered.find(kVerifier, "a", kNow)->subject, "eve");
  EXPECT_EQ(remembered.entries(), 1U);
}

TEST(Remembered, HonoursExpiryWithLeeway) {
  Remembered remembered;
  const Verifier verifier(hs256_rules());
  const std::string payload = with_claim("\"exp\":1900000010");
  const std::string token = hs256_token(kHsHeader, payload);
  const auto principal = verifier.verify(token, kNow);
  ASSERT_TRUE(principal);
  remembered.insert(verifier.id(), token, *principal, kNow);
  EXPECT_NE(remembered.find(verifier.id(), token, kNow + base::Seconds(39)), nullptr);
  EXPECT_EQ(remembered.find(verifier.id(), token, kNow + base::Seconds(40)), nullptr);
  EXPECT_FALSE(verifier.verify(token, kNow + base::Seconds(40)));
}

TEST(Remembered, HonoursNotBeforeWhenTheClockIsSetBack) {
  Remembered remembered;
  auto principal = base::make_ref<Principal>();
  principal->usable_from = kNow;
  remembered.insert(kVerifier, "a", principal, kNow);
  EXPECT_NE(remembered.find(kVerifier, "a", kNow), nullptr);
  EXPECT_EQ(remembered.find(kVerifier, "a", kNow - base::Seconds(1)), nullptr);
}

TEST(Remembered, ForgetsWithTheTurnedClock) {
  Remembered remembered;
  const base::Wall now = base::wall_now();
  remembered.insert(kVerifier, "a", principal_of("ann", now + base::Seconds(60)), now);
  EXPECT_NE(remembered.find(kVerifier, "a", base::wall_now()), nullptr);
  const base::ClockShift later{base::Seconds(120)};
  EXPECT_EQ(remembered.find(kVerifier, "a", base::wall_now()), nullptr);
}

TEST(Remembered, StaysWithinItsEntries) {
  Remembered remembered({.entries = 100, .bytes = 1 << 20});
  for (int i = 0; i < 5000; ++i) {
    remembered.insert(kVerifier, token_of(i), principal_of("ann"), kNow);
    ASSERT_LE(remembered.entries(), 100U);
    ASSERT_NE(remembered.find(kVerifier, token_of(i), kNow), nullptr);
  }
  EXPECT_EQ(remembered.entries(), 100U);
}

TEST(Remembered, StaysWithinItsBytes) {
  Remembered remembered({.entries = 1 << 20, .bytes = 64 << 10});
  for (int i = 0; i < 1000; ++i) {
    remembered.insert(kVerifier, token_of(i), principal_of("ann"), kNow);
    ASSERT_LE(remembered.bytes(), 64U << 10);
  }
  EXPECT_GT(remembered.entries(), 50U);
  const std::size_t before = remembered.entries();
  remembered.insert(kVerifier, std::string(65 << 10, 'x'), principal_of("ann"), kNow);
  EXPECT_EQ(remembered.entries(), before);
}

TEST(Remembered, GrowsToManyTokens) {
  Remembered remembered;
  for (int i = 0; i < 20'000; ++i) remembered.insert(kVerifier, token_of(i), principal_of("ann"), kNow);
  EXPECT_EQ(remembered.entries(), 20'000U);
  for (int i = 0; i < 20'000; i += 7) EXPECT_NE(remembered.find(kVerifier, token_of(i), kNow), nullptr);
}

TEST(Remembered, KeepsWhatIsAskedForThroughAScan) {
  Remembered remembered({.entries = 100, .bytes = 1 << 20});
  for (int i = 0; i < 50; ++i) remembered.insert(kVerifier, token_of(i), principal_of("ann"), kNow);
  for (int i = 1000; i < 3000; ++i) {
    remembered.insert(kVerifier, token_of(i), principal_of("once"), kNow);
    remembered.find(kVerifier, token_of(i % 50), kNow);
  }
  int kept = 0;
  for (int i = 0; i < 50; ++i) kept += remembered.find(kVerifier, token_of(i), kNow) != nullptr;
  EXPECT_EQ(kept, 50);
}

TEST(Remembered, ForgetsOneVerifier) {
  Remembered remembered;
  for (int i = 0; i < 200; ++i)
    remembered.insert(static_cast<std::uint64_t>(i % 2), token_of(i), principal_of("ann"), kNow);
  remembered.forget(1);
  EXPECT_EQ(remembered.entries(), 100U);
  EXPECT_EQ(remembered.find(1, token_of(1), kNow), nullptr);
  EXPECT_NE(remembered.find(0, token_of(0), kNow), nullptr);
  remembered.forget(0);
  EXPECT_EQ(remembered.entries(), 0U);
  EXPECT_EQ(remembered.bytes(), 0U);
}

TEST(Remembered, SurvivesReloadThatChangesNothing) {
  Remembered remembered;
  const std::string token = hs256_token(kHsHeader, kGoodPayload);
  {
    const Verifier before(hs256_rules());
    remembered.insert(before.id(), token, *before.verify(token, kNow), kNow);
  }
  EXPECT_NE(remembered.find(Verifier(hs256_rules()).id(), token, kNow), nullptr);
  config::JwtIdentity changed = hs256_rules();
  changed.audience = {"other"};
  EXPECT_EQ(remembered.find(Verifier(changed).id(), token, kNow), nullptr);
}

}  // namespace
}  // namespace identity
