#include "identity/mint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "identity/algorithm.h"
#include "identity/testing.h"
#include "identity/verifier.h"

namespace identity {
namespace {

using config::Algorithm;
using testing::HasSubstr;

MintRequest request() {
  MintRequest r;
  r.subject = "ann";
  r.issuer = "https://id.test";
  r.audience = {"sekisho"};
  r.now = kNow;
  r.ttl = base::Seconds(3600);
  return r;
}

std::string fault_of(Algorithm algorithm, const std::string& key) {
  try {
    mint(algorithm, base::Secret(key), request());
  } catch (const MintError& fault) {
    return fault.what();
  }
  return "none";
}

TEST(Mint, MakesHmacTokensThatVerify) {
  const auto principal =
      Verifier(hs256_rules()).verify(mint(Algorithm::kHS256, base::Secret(kSecret), request()), kNow);
  ASSERT_TRUE(principal) << principal.error().text;
  EXPECT_EQ((*principal)->subject, "ann");
  EXPECT_EQ((*principal)->expires, kNow + base::Seconds(3600));
}

TEST(Mint, MakesEcdsaTokensThatVerify) {
  const KeyPair pair = generate_es256_keypair();
  const Verifier verifier(es256_rules(pair.public_pem));
  for (int i = 0; i < 64; ++i) {  // r and s of every length and sign
    const auto principal = verifier.verify(mint(Algorithm::kES256, pair.private_pem, request()), kNow);
    ASSERT_TRUE(principal) << principal.error().text;
  }
  const KeyPair other = generate_es256_keypair();
  EXPECT_FALSE(verifier.verify(mint(Algorithm::kES256, other.private_pem, request()), kNow));
}

TEST(Mint, MakesTokensOfOneSecondDiffer) {
  const base::Secret key(kSecret);
  EXPECT_NE(mint(Algorithm::kHS256, key, request()), mint(Algorithm::kHS256, key, request()));
}

TEST(Mint, AddsClaimsAsJsonOrAsText) {
  MintRequest r = request();
  r.audience = {"sekisho", "other"};
  r.kid = "k1";
  r.claims = {parse_claim("role=admin"), parse_claim("level=3"),   parse_claim("groups=[\"a\",\"b\"]"),
              parse_claim("expr=a=b"),   parse_claim("quote=\"x"), parse_claim("sub=bob")};
  const auto principal =
      Verifier(hs256_rules()).verify(mint(Algorithm::kHS256, base::Secret(kSecret), r), kNow);
  ASSERT_TRUE(principal) << principal.error().text;
  EXPECT_EQ((*principal)->subject, "bob");
  const boost::json::value claims = (*principal)->claims();
  EXPECT_EQ(claims.at("role").as_string(), "admin");
  EXPECT_EQ(claims.at("level").as_int64(), 3);
  EXPECT_EQ(claims.at("groups").as_array().size(), 2U);
  EXPECT_EQ(claims.at("expr").as_string(), "a=b");
  EXPECT_EQ(claims.at("quote").as_string(), "\"x");
  EXPECT_EQ(claims.at("aud").as_array().size(), 2U);
  EXPECT_THROW(parse_claim("role"), MintError);
  EXPECT_THROW(parse_claim("=x"), MintError);
}

TEST(Mint, MakesTokensOfEveryAlgorithmThatVerify) {
  for (const AlgorithmRow& row : algorithms()) {
    config::JwtIdentity rules = hs256_rules();
    rules.algorithms = {row.algorithm};
    base::Secret key = generate_secret(row.algorithm);
    rules.keys[0].material = key;
    if (row.family != Family::kHmac) {
      KeyPair pair = generate_keypair(row.algorithm);
      rules.keys[0].material = base::Secret(pair.public_pem);
      key = std::move(pair.private_pem);
    }
    const auto principal = Verifier(rules).verify(mint(row.algorithm, key, request()), kNow);
    EXPECT_TRUE(principal) << row.name << ": " << principal.error().text;
  }
}

TEST(Mint, RefusesKeysThatDoNotFit) {
  const KeyPair pair = generate_es256_keypair();
  const std::string private_key(pair.private_pem.reveal());
  EXPECT_THAT(fault_of(Algorithm::kHS256, "short"), HasSubstr("is 5 bytes long"));
  EXPECT_THAT(fault_of(Algorithm::kHS512, kSecret), HasSubstr("needs at least 64"));
  EXPECT_THAT(fault_of(Algorithm::kHS256, private_key), HasSubstr("is PEM"));
  EXPECT_THAT(fault_of(Algorithm::kES256, kSecret), HasSubstr("not PEM"));
  EXPECT_THAT(fault_of(Algorithm::kES256, pair.public_pem), HasSubstr("public key"));
  EXPECT_THAT(fault_of(Algorithm::kES384, private_key), HasSubstr("ES384 needs an EC key on P-384"));
  EXPECT_THAT(fault_of(Algorithm::kPS256, private_key), HasSubstr("PS256 needs an RSA key"));
  EXPECT_THAT(fault_of(Algorithm::kEdDSA, private_key), HasSubstr("needs an Ed25519 or Ed448 key"));
  EXPECT_THAT(fault_of(Algorithm::kES256, "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n"),
              HasSubstr("malformed"));
}

TEST(Mint, MakesPublicJwksThatVerify) {
  for (const Algorithm algorithm : {Algorithm::kPS384, Algorithm::kES384, Algorithm::kEdDSA}) {
    const KeyPair pair = generate_keypair(algorithm, "2026-11");
    config::JwtIdentity rules = hs256_rules();
    rules.algorithms = {algorithm};
    rules.keys[0].material = base::Secret(pair.public_jwk);
    MintRequest r = request();
    r.kid = "2026-11";
    const auto principal = Verifier(rules).verify(mint(algorithm, pair.private_pem, r), kNow);
    EXPECT_TRUE(principal) << pair.public_jwk;
    EXPECT_THAT(pair.public_jwk, testing::Not(HasSubstr("\"d\"")));
  }
}

TEST(Mint, MakesSecretsThatAreLongEnough) {
  EXPECT_EQ(generate_secret().reveal().size(), 43U);
  EXPECT_EQ(generate_secret(Algorithm::kHS384).reveal().size(), 64U);
  EXPECT_EQ(generate_secret(Algorithm::kHS512).reveal().size(), 86U);
  EXPECT_FALSE(generate_secret().equals(generate_secret()));
}

}  // namespace
}  // namespace identity
