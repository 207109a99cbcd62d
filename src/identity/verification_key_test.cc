#include "identity/verification_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <thread>

#include "identity/rfc_vectors.h"
#include "identity/testing.h"

namespace identity {
namespace {

namespace json = boost::json;
using config::Algorithm;
using detail::Handle;

constexpr std::string_view kMessage = "eyJhbGciOiJ4In0.e30";

std::vector<Algorithm> all_algorithms() {
  std::vector<Algorithm> all;
  for (const AlgorithmRow& row : algorithms()) all.push_back(row.algorithm);
  return all;
}

std::string decoded(std::string_view text) {
  std::string out(base64url_decoded_size(text.size()), '\0');
  EXPECT_TRUE(base64url_decode(text, out.data()));
  return out;
}

// A key and what verifies by it: one pair for each algorithm of the process, since RSA keys take a while.
struct Pair {
  base::Secret signing;
  base::Secret verifying;
  std::string jwk;
};
const Pair& pair_of(Algorithm algorithm) {
  static std::map<Family, std::map<Algorithm, Pair>> made;
  const AlgorithmRow& row = row_of(algorithm);
  const Family family = row.family == Family::kRsaPss ? Family::kRsaPkcs1 : row.family;
  const Algorithm which = family == Family::kRsaPkcs1 ? Algorithm::kRS256 : algorithm;
  auto [place, fresh] = made[family].try_emplace(which);
  if (fresh && family == Family::kHmac) {
    const base::Secret secret = generate_secret(algorithm);
    place->second = {secret, secret, ""};
  } else if (fresh) {
    const KeyPair pair = generate_keypair(which);
    json::object jwk = json::parse(pair.public_jwk).as_object();
    jwk.erase("alg");
    place->second = {pair.private_pem, base::Secret(pair.public_pem), json::serialize(jwk)};
  }
  return place->second;
}

struct Signed {
  std::string message, signature;
};
Signed parts_of(const std::string& token) {
  const std::size_t dot = token.rfind('.');
  return {token.substr(0, dot), decoded(token.substr(dot + 1))};
}
Signed signed_by(Algorithm algorithm) {
  MintRequest request;
  request.subject = "ann";
  request.now = kNow;
  return parts_of(mint(algorithm, pair_of(algorithm).signing, request));
}

VerificationKey key_for(Algorithm algorithm) {
  return {std::span(&algorithm, 1), pair_of(algorithm).verifying, ""};
}

class EveryAlgorithm : public testing::TestWithParam<Algorithm> {
 protected:
  const AlgorithmRow& row_ = row_of(GetParam());
};
INSTANTIATE_TEST_SUITE_P(VerificationKey, EveryAlgorithm, testing::ValuesIn(all_algorithms()),
                         [](const auto& info) { return std::string(row_of(info.param).name); });

TEST_P(EveryAlgorithm, VerifiesWhatItSignedAndNothingElse) {
  const VerificationKey key = key_for(GetParam());
  const Signed good = signed_by(GetParam());
  EXPECT_TRUE(key.verifies(row_, good.message, good.signature));
  EXPECT_FALSE(key.verifies(row_, good.message + "x", good.signature));
  for (std::size_t i = 0; i < good.signature.size(); i += 7) {
    std::string bad = good.signature;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(key.verifies(row_, good.message, bad)) << i;
  }
  for (const std::string& bad :
       {std::string(), good.signature + '\0', '\0' + good.signature, good.signature.substr(1),
        good.signature.substr(0, good.signature.size() - 1), std::string(good.signature.size(), '\0'),
        std::string(good.signature.size(), '\xff')})
    EXPECT_FALSE(key.verifies(row_, good.message, bad)) << bad.size();
  EXPECT_TRUE(key.verifies(row_, good.message, good.signature)) << "contexts are of use after a failure";
}

TEST_P(EveryAlgorithm, LeavesNoErrorsToTls) {
  const VerificationKey key = key_for(GetParam());
  const Signed good = signed_by(GetParam());
  ERR_clear_error();
  key.verifies(row_, good.message, std::string(good.signature.size(), '\xff'));
  key.verifies(row_, good.message, std::string(good.signature.size(), '\0'));
  EXPECT_EQ(ERR_peek_error(), 0UL);
}

TEST_P(EveryAlgorithm, IsTheOnlyOneThatAKeyOfItVerifiesBy) {
  const VerificationKey key = key_for(GetParam());
  for (const AlgorithmRow& other : algorithms()) {
    EXPECT_EQ(key.fits(other), &other == &row_) << other.name;
    const Signed good = signed_by(other.algorithm);
    EXPECT_EQ(key.verifies(other, good.message, good.signature), &other == &row_) << other.name;
    EXPECT_FALSE(&other != &row_ && key.verifies(row_, good.message, good.signature)) << other.name;
  }
}

TEST_P(EveryAlgorithm, TakesItsKeyAsJwk) {
  if (row_.family == Family::kHmac) return;
  const Pair& pair = pair_of(GetParam());
  const Signed good = signed_by(GetParam());
  const Algorithm algorithm = GetParam();
  const VerificationKey written({&algorithm, 1}, base::Secret(" \n" + pair.jwk + "\n"), "");
  EXPECT_TRUE(written.verifies(row_, good.message, good.signature));
  const auto published = VerificationKey::from_jwk(json::parse(pair.jwk).as_object(), {&algorithm, 1});
  ASSERT_TRUE(published) << published.error().why;
  EXPECT_TRUE((*published)->verifies(row_, good.message, good.signature));
  EXPECT_EQ((*published)->fingerprint(), written.fingerprint());
  EXPECT_EQ(key_for(algorithm).fingerprint(), written.fingerprint()) << "PEM and JWK of one key";
}

// ---- examples of the standards

TEST(VerificationKey, AcceptsExamplesOfTheStandards) {
  const std::vector<Algorithm> all = all_algorithms();
  int accepted = 0;
  for (const RfcVector& example : kRfcVectors) {
    const AlgorithmRow* row = algorithm_named(example.algorithm);
    if (!row) continue;
    const VerificationKey key(all, base::Secret(std::string(example.jwk)), "");
    const std::size_t dot = example.token.rfind('.');
    std::string signature = decoded(example.token.substr(dot + 1));
    EXPECT_TRUE(key.verifies(*row, example.token.substr(0, dot), signature)) << example.source;
    signature[20] = static_cast<char>(signature[20] ^ 1);
    EXPECT_FALSE(key.verifies(*row, example.token.substr(0, dot), signature)) << example.source;
    ++accepted;
  }
  EXPECT_EQ(accepted, 7);
}

TEST(VerificationKey, RefusesExamplesOfAnAlgorithmThatIsNotOurs) {
  const std::vector<Algorithm> all = all_algorithms();
  EXPECT_EQ(algorithm_named("ES512"), nullptr);
  EXPECT_EQ(algorithm_named("none"), nullptr);
  EXPECT_EQ(algorithm_named("hs256"), nullptr);
  for (const RfcVector& example : kRfcVectors) {
    if (example.algorithm != "ES512") continue;
    const auto key = VerificationKey::from_jwk(json::parse(example.jwk).as_object(), all);
    ASSERT_FALSE(key);
    EXPECT_TRUE(key.error().foreign);
    EXPECT_THROW(VerificationKey(all, base::Secret(std::string(example.jwk)), ""), std::runtime_error);
  }
}

// ---- signatures that other verifiers take

// A PSS signature by the RSA pair with whatever salt and mask.
std::string pss_signature(std::string_view message, const EVP_MD* mask, int salt) {
  const std::string_view pem = pair_of(Algorithm::kPS256).signing.reveal();
  const Handle<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Handle<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const Handle<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  EXPECT_EQ(EVP_DigestSignInit(context.get(), &options, EVP_sha256(), nullptr, key.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_mgf1_md(options, mask), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt), 1);
  std::string signature(256, '\0');
  std::size_t size = signature.size();
  EXPECT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                           reinterpret_cast<const unsigned char*>(message.data()), message.size()),
            1);
  return signature;
}

TEST(VerificationKey, TakesPssOnlyWithSaltOfTheHashsSizeAndMaskOfTheSameHash) {
  const VerificationKey key = key_for(Algorithm::kPS256);
  const AlgorithmRow& row = row_of(Algorithm::kPS256);
  EXPECT_TRUE(key.verifies(row, kMessage, pss_signature(kMessage, EVP_sha256(), 32)));
  EXPECT_FALSE(key.verifies(row, kMessage, pss_signature(kMessage, EVP_sha256(), 0)));
  EXPECT_FALSE(key.verifies(row, kMessage, pss_signature(kMessage, EVP_sha256(), 20)));
  EXPECT_FALSE(key.verifies(row, kMessage, pss_signature(kMessage, EVP_sha256(), 222)));
  EXPECT_FALSE(key.verifies(row, kMessage, pss_signature(kMessage, EVP_sha384(), 32)));
}

TEST(VerificationKey, RefusesEcdsaNumbersOutOfRange) {
  // n of P-256 (FIPS 186-4 D.1.2.3): r + n is the same point's coordinate, and s + n verifies by the same
  // sums.
  const std::string order = decoded("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE");
  const VerificationKey key = key_for(Algorithm::kES256);
  const AlgorithmRow& row = row_of(Algorithm::kES256);
  const Signed good = signed_by(Algorithm::kES256);
  const std::string r = good.signature.substr(0, 32), s = good.signature.substr(32), zero(32, '\0');
  for (const std::string& bad : {zero + s, r + zero, order + s, r + order, zero + zero, order + order})
    EXPECT_FALSE(key.verifies(row, good.message, bad));
  EXPECT_TRUE(key.verifies(row, good.message, r + s));
}

TEST(VerificationKey, RefusesEcdsaSignaturesAsDer) {
  const VerificationKey key = key_for(Algorithm::kES256);
  const Signed good = signed_by(Algorithm::kES256);
  const std::string der =
      "\x30\x44\x02\x20" + good.signature.substr(0, 32) + "\x02\x20" + good.signature.substr(32);
  EXPECT_FALSE(key.verifies(row_of(Algorithm::kES256), good.message, der));
}

TEST(VerificationKey, VerifiesByEd448) {
  const Handle<EVP_PKEY> pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
  const Handle<EVP_MD_CTX> context(EVP_MD_CTX_new());
  std::string signature(114, '\0');
  std::size_t size = signature.size();
  ASSERT_EQ(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey.get()), 1);
  ASSERT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                           reinterpret_cast<const unsigned char*>(kMessage.data()), kMessage.size()),
            1);
  const Algorithm eddsa = Algorithm::kEdDSA;
  const auto key = VerificationKey::from_jwk(public_jwk(pkey.get()), {&eddsa, 1});
  ASSERT_TRUE(key) << key.error().why;
  EXPECT_TRUE((*key)->verifies(row_of(eddsa), kMessage, signature));
  EXPECT_FALSE((*key)->verifies(row_of(eddsa), kMessage, signature.substr(0, 64)));
  EXPECT_FALSE(key_for(eddsa).verifies(row_of(eddsa), kMessage, signature));
}

// ---- which algorithms a key fits

TEST(VerificationKey, FitsAllAllowedAlgorithmsOfItsType) {
  const std::vector<Algorithm> allowed{Algorithm::kRS256, Algorithm::kPS256, Algorithm::kES256,
                                       Algorithm::kHS256};
  const VerificationKey key(allowed, pair_of(Algorithm::kRS256).verifying, "");
  for (const AlgorithmRow& row : algorithms())
    EXPECT_EQ(key.fits(row), row.algorithm == Algorithm::kRS256 || row.algorithm == Algorithm::kPS256)
        << row.name;
  for (const Algorithm one : {Algorithm::kRS256, Algorithm::kPS256}) {
    const Signed good = signed_by(one);
    EXPECT_TRUE(key.verifies(row_of(one), good.message, good.signature));
  }
  const Signed other = signed_by(Algorithm::kRS512);
  EXPECT_FALSE(key.verifies(row_of(Algorithm::kRS512), other.message, other.signature));
}

TEST(VerificationKey, VerifiesByEveryHmacWithOneSecret) {
  const std::vector<Algorithm> allowed{Algorithm::kHS256, Algorithm::kHS384, Algorithm::kHS512};
  const VerificationKey key(allowed, pair_of(Algorithm::kHS512).verifying, "");
  MintRequest request;
  for (const Algorithm one : allowed) {
    const std::string token = mint(one, pair_of(Algorithm::kHS512).signing, request);
    const std::size_t dot = token.rfind('.');
    EXPECT_TRUE(key.verifies(row_of(one), token.substr(0, dot), decoded(token.substr(dot + 1))));
  }
}

TEST(VerificationKey, IsNarrowedByTheAlgorithmOfItsJwk) {
  json::object jwk = json::parse(pair_of(Algorithm::kRS256).jwk).as_object();
  jwk["alg"] = "PS256";
  const std::vector<Algorithm> allowed{Algorithm::kRS256, Algorithm::kPS256};
  const auto key = VerificationKey::from_jwk(jwk, allowed);
  ASSERT_TRUE(key) << key.error().why;
  EXPECT_TRUE((*key)->fits(row_of(Algorithm::kPS256)));
  EXPECT_FALSE((*key)->fits(row_of(Algorithm::kRS256)));
}

TEST(VerificationKey, HasAFingerprintOfKeyKidAndAlgorithms) {
  const std::vector<Algorithm> one{Algorithm::kRS256}, two{Algorithm::kRS256, Algorithm::kPS256};
  const base::Secret& pem = pair_of(Algorithm::kRS256).verifying;
  const std::uint64_t first = VerificationKey(one, pem, "a").fingerprint();
  EXPECT_EQ(VerificationKey(one, pem, "a").fingerprint(), first);
  EXPECT_NE(VerificationKey(one, pem, "b").fingerprint(), first);
  EXPECT_NE(VerificationKey(two, pem, "a").fingerprint(), first);
  EXPECT_NE(
      VerificationKey(one, base::Secret(generate_keypair(Algorithm::kRS256).public_pem), "a").fingerprint(),
      first);
  const std::vector<Algorithm> turned{Algorithm::kPS256, Algorithm::kRS256};
  EXPECT_EQ(VerificationKey(two, pem, "a").fingerprint(), VerificationKey(turned, pem, "a").fingerprint());
}

// ---- contexts

TEST(VerificationKey, VerifiesWithMoreKeysThanAThreadKeepsContextsFor) {
  constexpr std::size_t kKeys = 300;
  const Algorithm eddsa = Algorithm::kEdDSA;
  const AlgorithmRow& row = row_of(eddsa);
  std::vector<std::unique_ptr<VerificationKey>> keys;
  std::vector<Signed> tokens;
  for (std::size_t i = 0; i < kKeys; ++i) {
    const KeyPair pair = generate_keypair(eddsa);
    keys.push_back(
        std::make_unique<VerificationKey>(std::span(&eddsa, 1), base::Secret(pair.public_pem), ""));
    tokens.push_back(parts_of(mint(eddsa, pair.private_pem, MintRequest{})));
  }
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < kKeys; ++i) {
      const Signed& other = tokens[(i + 1) % kKeys];
      ASSERT_TRUE(keys[i]->verifies(row, tokens[i].message, tokens[i].signature)) << i;
      ASSERT_FALSE(keys[i]->verifies(row, other.message, other.signature)) << i;
    }
  EXPECT_EQ(VerificationKey::contexts_of_this_thread(), 256U);
}

TEST(VerificationKey, FreesAThreadsContextsOfKeysThatAreGone) {
  const Algorithm eddsa = Algorithm::kEdDSA;
  const AlgorithmRow& row = row_of(eddsa);
  const Signed good = signed_by(eddsa);
  for (int i = 0; i < 2000; ++i) {
    const VerificationKey key = key_for(eddsa);
    ASSERT_TRUE(key.verifies(row, good.message, good.signature));
    ASSERT_LE(VerificationKey::contexts_of_this_thread(), 256U);
  }
  const VerificationKey last = key_for(eddsa);
  ASSERT_TRUE(last.verifies(row, good.message, good.signature));
  EXPECT_LE(VerificationKey::contexts_of_this_thread(), 2U);
}

TEST(VerificationKey, VerifiesInManyThreadsAtOnce) {
  const Signed rs = signed_by(Algorithm::kRS256), ps = signed_by(Algorithm::kPS256);
  const std::vector<Algorithm> allowed{Algorithm::kRS256, Algorithm::kPS256};
  const VerificationKey key(allowed, pair_of(Algorithm::kRS256).verifying, "");
  std::atomic<int> good{0};
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        good += key.verifies(row_of(Algorithm::kRS256), rs.message, rs.signature);
        good += key.verifies(row_of(Algorithm::kPS256), ps.message, ps.signature);
        good += key.verifies(row_of(Algorithm::kPS256), rs.message, rs.signature);
      }
    });
  threads.clear();
  EXPECT_EQ(good, 4 * 50 * 2);
}

}  // namespace
}  // namespace identity
