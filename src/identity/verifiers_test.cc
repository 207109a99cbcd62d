#include "identity/verifiers.h"

#include <gtest/gtest.h>

#include "identity/challenge.h"
#include "identity/reason.h"
#include "identity/remembered.h"
#include "identity/testing_jwks.h"

namespace identity {
namespace {

using base::Code;

std::string_view reason_of(const base::Result<base::Ref<const Principal>>& result) {
  return result ? "accepted" : result.error().text;
}

config::JwtIdentity rules_of(std::string name, std::string issuer) {
  config::JwtIdentity rules = published_rules();
  rules.name = std::move(name);
  rules.issuer = std::move(issuer);
  return rules;
}

// An identity whose issuer publishes.
struct Issuer {
  explicit Issuer(const config::JwtIdentity& r)
      : rules(r),
        source(std::make_shared<KeySource>(rules, base::mono_now())),
        verifier(std::make_shared<const Verifier>(rules, source)) {}
  void publish(std::initializer_list<const TestSigner*> signers) {
    ASSERT_TRUE(refresh(*source, reply_of(jwks_of(signers)), std::max(source->due(), base::mono_now())));
  }
  config::JwtIdentity rules;
  std::shared_ptr<KeySource> source;
  std::shared_ptr<const Verifier> verifier;
};

const TestSigner& first() {
  static const TestSigner signer("1");
  return signer;
}
const TestSigner& second() {
  static const TestSigner signer("2");
  return signer;
}

// ---- published keys of one issuer

class VerifierOfPublishedKeys : public testing::Test {
 protected:
  std::string_view verdict(const std::string& token) {
    const auto result = verifiers.verify(token, kNow, &told);
    code = result ? Code::kCount : result.error().code;
    return reason_of(result);
  }
  Issuer issuer{published_rules()};
  Verifiers verifiers{{issuer.verifier}};
  Refused told;
  Code code{};
};

TEST_F(VerifierOfPublishedKeys, SaysThatItHasNoneUntilTheyCome) {
  EXPECT_EQ(verdict(first().token()), reason::kNoKeys);
  EXPECT_EQ(code, Code::kIdentityUnavailable);
  EXPECT_EQ(told.ask, issuer.source.get());
  EXPECT_EQ(verdict("nonsense"), reason::kMalformed);
  EXPECT_EQ(code, Code::kUnauthorized);
  EXPECT_EQ(verdict(hs256_token(kHsHeader, kGoodPayload)), reason::kBadAlgorithm);
  EXPECT_EQ(told.ask, nullptr);
  issuer.publish({&first()});
  EXPECT_EQ(verdict(first().token()), "accepted");
  EXPECT_EQ(told.ask, nullptr);
}

TEST_F(VerifierOfPublishedKeys, TellsByWhichKeyItWas) {
  issuer.publish({&first(), &second()});
  const auto one = verifiers.verify(first().token(), kNow), two = verifiers.verify(second().token(), kNow);
  ASSERT_TRUE(one && two);
  EXPECT_NE((*one)->key, (*two)->key);
  EXPECT_TRUE(issuer.verifier->trusts((*one)->key));
  EXPECT_FALSE(issuer.verifier->trusts((*one)->key + 1));
  EXPECT_EQ((*one)->verifier, issuer.verifier->id());
  EXPECT_EQ((*one)->epoch, issuer.source->epoch());
}

TEST_F(VerifierOfPublishedKeys, AsksForAKeyThatATokenNames) {
  issuer.publish({&first()});
  EXPECT_EQ(verdict(second().token()), reason::kUnknownKey);
  EXPECT_EQ(code, Code::kUnauthorized);
  EXPECT_EQ(told.ask, issuer.source.get());
}

TEST_F(VerifierOfPublishedKeys, AsksForATokenThatNamesNoKeyAndFitsNone) {
  issuer.publish({&first()});
  EXPECT_EQ(verdict(first().token_named("")), "accepted");
  EXPECT_EQ(verdict(second().token_named("")), reason::kBadSignature);
  EXPECT_EQ(told.ask, issuer.source.get());
}

TEST_F(VerifierOfPublishedKeys, AsksNobodyForAForgeryOfAKeyThatItKnows) {
  issuer.publish({&first()});
  EXPECT_EQ(verdict(second().token_named("1")), reason::kBadSignature);
  EXPECT_EQ(told.ask, nullptr);
}

TEST_F(VerifierOfPublishedKeys, AsksNobodyForATokenOfAnotherIssuer) {
  for (int published = 0; published < 2; ++published) {
    EXPECT_EQ(verdict(second().token("https://elsewhere.test")), reason::kWrongIssuer);
    EXPECT_EQ(code, Code::kUnauthorized);
    EXPECT_EQ(told.ask, nullptr);
    issuer.publish({&first()});
  }
}

TEST_F(VerifierOfPublishedKeys, StopsTryingKeysAfterAFew) {
  std::vector<TestSigner> many;
  many.reserve(10);
  for (int i = 0; i < 10; ++i) many.emplace_back(std::to_string(i));
  std::string set = R"({"keys":[)";
  for (const TestSigner& one : many) set += one.pair.public_jwk + (&one == &many.back() ? "]}" : ",");
  refresh(*issuer.source, reply_of(set), base::mono_now());
  EXPECT_EQ(verdict(many.front().token_named("")), "accepted");
  EXPECT_EQ(verdict(many.back().token_named("")), reason::kBadSignature);
  EXPECT_EQ(verdict(many.back().token()), "accepted") << "by its name it is found wherever it is";
}

TEST(Verifier, TakesConfiguredKeysBesidePublishedOnes) {
  config::JwtIdentity rules = published_rules();
  rules.keys = {config::Key{"2", std::nullopt, base::Secret(second().pair.public_pem), "inline", 42}};
  Issuer issuer(rules);
  const Verifiers verifiers({issuer.verifier});
  EXPECT_EQ(reason_of(verifiers.verify(second().token(), kNow)), "accepted");
  Refused told;
  EXPECT_EQ(reason_of(verifiers.verify(first().token(), kNow, &told)), reason::kNoKeys);
  EXPECT_EQ(told.ask, issuer.source.get());
  EXPECT_EQ(reason_of(verifiers.verify(first().token_named("2"), kNow, &told)), reason::kBadSignature);
  EXPECT_EQ(told.ask, nullptr);
}

TEST(Verifier, AsksNobodyForASecretThatItDoesNotKnow) {
  config::JwtIdentity rules = published_rules();
  rules.algorithms.push_back(config::Algorithm::kHS256);
  rules.keys = {config::Key{"shared", config::Algorithm::kHS256, base::Secret(kSecret), "inline", 42}};
  Issuer issuer(rules);
  const Verifiers verifiers({issuer.verifier});
  Refused told;
  const auto result =
      verifiers.verify(hs256_token(R"({"alg":"HS256","kid":"another"})", kGoodPayload), kNow, &told);
  EXPECT_EQ(reason_of(result), reason::kUnknownKey);
  EXPECT_EQ(told.ask, nullptr);
}

TEST(Verifier, IsTheSameWhateverKeysArePublished) {
  Issuer issuer(published_rules()), again(published_rules());
  issuer.publish({&first()});
  EXPECT_EQ(issuer.verifier->id(), again.verifier->id());
  config::JwtIdentity moved = published_rules();
  moved.jwks->url->path = "/moved";
  EXPECT_NE(issuer.verifier->id(), Issuer(moved).verifier->id());
}

// ---- several

class SeveralVerifiers : public testing::Test {
 protected:
  SeveralVerifiers() {
    ours.publish({&first()});
    theirs.publish({&other});
  }
  Issuer ours{rules_of("ours", "https://ours.test")}, theirs{rules_of("theirs", "https://theirs.test")};
  TestSigner other{"1"};  // a key of the same name
  Verifiers verifiers{{ours.verifier, theirs.verifier}};
  Refused told;
};

TEST_F(SeveralVerifiers, AreChosenByIssuer) {
  const auto mine = verifiers.verify(first().token("https://ours.test"), kNow, &told);
  ASSERT_TRUE(mine);
  EXPECT_EQ((*mine)->verifier, ours.verifier->id());
  EXPECT_EQ((*verifiers.verify(other.token("https://theirs.test"), kNow, &told))->verifier,
            theirs.verifier->id());
  EXPECT_EQ(reason_of(verifiers.verify(other.token("https://ours.test"), kNow, &told)),
            reason::kBadSignature);
  EXPECT_EQ(reason_of(verifiers.verify(first().token("https://theirs.test"), kNow, &told)),
            reason::kBadSignature);
  EXPECT_EQ(reason_of(verifiers.verify(first().token("https://x.test"), kNow, &told)), reason::kWrongIssuer);
  EXPECT_EQ(reason_of(verifiers.verify(first().token(""), kNow, &told)), reason::kWrongIssuer);
  EXPECT_EQ(told.ask, nullptr);
}

TEST_F(SeveralVerifiers, SayWhichIssuerToAsk) {
  EXPECT_EQ(reason_of(verifiers.verify(second().token("https://theirs.test"), kNow, &told)),
            reason::kUnknownKey);
  EXPECT_EQ(told.ask, theirs.source.get());
  EXPECT_EQ(reason_of(verifiers.verify(second().token("https://ours.test"), kNow, &told)),
            reason::kUnknownKey);
  EXPECT_EQ(told.ask, ours.source.get());
}

TEST_F(SeveralVerifiers, AreAskedInTurnWhereNoneChecksTheIssuer) {
  Issuer a{rules_of("a", "")}, b{rules_of("b", "")};
  a.publish({&first()});
  b.publish({&other});
  const Verifiers both({a.verifier, b.verifier});
  EXPECT_EQ((*both.verify(other.token(), kNow, &told))->verifier, b.verifier->id());
  EXPECT_FALSE(both.verify(second().token(), kNow, &told));
  ASSERT_EQ(told.ask, a.source.get());
  a.source->want(base::mono_now());
  refresh(*a.source, reply_of(jwks_of({&first()})), base::mono_now());
  EXPECT_FALSE(both.verify(second().token(), kNow, &told));
  EXPECT_EQ(told.ask, b.source.get()) << "the first one cools down";
}

TEST_F(SeveralVerifiers, TellTheRefusalThatCameFurthest) {
  config::JwtIdentity elsewhere = rules_of("elsewhere", "https://ours.test");
  elsewhere.audience = {"elsewhere"};
  Issuer same_issuer(elsewhere);
  const std::string token = first().token("https://ours.test");
  const auto told = [&](const Verifiers& by) { return by.verify(token, kNow + base::Seconds(7200)).error(); };
  EXPECT_EQ(told(Verifiers({same_issuer.verifier, ours.verifier})).text, reason::kExpired);
  EXPECT_EQ(told(Verifiers({ours.verifier, same_issuer.verifier})).text, reason::kExpired);
  const auto unknown =
      Verifiers({ours.verifier, same_issuer.verifier}).verify(second().token("https://ours.test"), kNow);
  EXPECT_EQ(unknown.error().code, Code::kIdentityUnavailable) << "one of them may know it, once it has keys";
}

TEST_F(SeveralVerifiers, RefuseWhatCannotBeChosenBy) {
  const auto said = [&](std::string_view payload) {
    return reason_of(verifiers.verify(hs256_token(kHsHeader, payload), kNow, &told));
  };
  EXPECT_EQ(said(R"({"iss":["https://ours.test"]})"), reason::kBadClaim);
  EXPECT_EQ(said(R"({"iss":"https://x.test","iss":"https://ours.test"})"), reason::kMalformed);
  EXPECT_EQ(said(R"({"iss":"https://ours.test"})"), reason::kBadAlgorithm);
  EXPECT_EQ(reason_of(verifiers.verify("a.b", kNow, &told)), reason::kMalformed);
  EXPECT_EQ(reason_of(verifiers.verify(std::string(9000, 'a') + ".b.c", kNow, &told)), reason::kTooLarge);
}

// ---- remembered across rotation

class RememberedAcrossRotation : public testing::Test {
 protected:
  void remember(const std::string& token) {
    const auto principal = verifiers.verify(token, kNow);
    ASSERT_TRUE(principal);
    remembered.insert(token, *principal, kNow);
  }
  bool knows(const std::string& token) { return remembered.find(verifiers, token, kNow) != nullptr; }
  Issuer issuer{published_rules()};
  Verifiers verifiers{{issuer.verifier}};
  Remembered remembered;
};

TEST_F(RememberedAcrossRotation, KeepsTokensOfKeysThatStay) {
  issuer.publish({&first(), &second()});
  const std::string token = first().token();
  remember(token);
  issuer.publish({&second(), &first()});
  EXPECT_TRUE(knows(token));
  const std::uint64_t epoch = issuer.source->epoch();
  issuer.publish({&first()});
  EXPECT_NE(issuer.source->epoch(), epoch);
  EXPECT_TRUE(knows(token));
  EXPECT_TRUE(knows(token)) << "and now without looking at the keys again";
}

TEST_F(RememberedAcrossRotation, ForgetsTokensOfAKeyThatIsGone) {
  issuer.publish({&first(), &second()});
  const std::string gone = first().token(), kept = second().token();
  remember(gone);
  remember(kept);
  issuer.publish({&second()});
  EXPECT_FALSE(knows(gone));
  EXPECT_TRUE(knows(kept));
  EXPECT_EQ(remembered.entries(), 1U);
  issuer.publish({&first(), &second()});
  EXPECT_FALSE(knows(gone)) << "it is verified anew";
}

TEST_F(RememberedAcrossRotation, ForgetsATokenWhoseKeyWentWhileItWasVerified) {
  issuer.publish({&first()});
  const std::string token = first().token();
  const auto principal = verifiers.verify(token, kNow);
  issuer.publish({&second()});
  remembered.insert(token, *principal, kNow);
  EXPECT_FALSE(knows(token));
}

TEST_F(RememberedAcrossRotation, AsksTheSourceOfToday) {
  issuer.publish({&first()});
  const std::string token = first().token();
  remember(token);
  // A reload with another source of the same rules, which has no keys yet.
  Issuer next(published_rules());
  const Verifiers after({next.verifier});
  ASSERT_EQ(next.verifier->id(), issuer.verifier->id());
  EXPECT_EQ(remembered.find(after, token, kNow), nullptr);
}

TEST_F(RememberedAcrossRotation, KeepsTokensOfConfiguredKeysWhateverIsPublished) {
  config::JwtIdentity rules = published_rules();
  rules.keys = {config::Key{"2", std::nullopt, base::Secret(second().pair.public_pem), "inline", 42}};
  Issuer both(rules);
  verifiers = Verifiers({both.verifier});
  const std::string token = second().token();
  remember(token);
  both.publish({&first()});
  both.publish({&second()});
  EXPECT_TRUE(knows(token));
}

}  // namespace
}  // namespace identity
