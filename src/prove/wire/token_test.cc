// The signatures are checked by OpenSSL itself, with no code of ours between.
#include "prove/wire/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <boost/json.hpp>

namespace prove {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

const base::Wall kNow{base::Seconds(1'700'000'000)};

Key made(TokenAlgorithm algorithm) {
  EVP_PKEY* key = nullptr;
  if (algorithm == TokenAlgorithm::kRS256 || algorithm == TokenAlgorithm::kPS256) key = EVP_RSA_gen(2048);
  if (algorithm == TokenAlgorithm::kES256) key = EVP_EC_gen("P-256");
  if (algorithm == TokenAlgorithm::kES384) key = EVP_EC_gen("P-384");
  if (algorithm == TokenAlgorithm::kEdDSA) key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  return {key, &EVP_PKEY_free};
}

std::string pem_of(EVP_PKEY* key, bool secret, const char* passphrase = nullptr) {
  BIO* out = BIO_new(BIO_s_mem());
  if (secret)
    PEM_write_bio_PrivateKey(out, key, passphrase ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                             const_cast<char*>(passphrase));
  else
    PEM_write_bio_PUBKEY(out, key);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(out);
  return text;
}

std::string decoded(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const std::size_t padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string out(text.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(out.size() - padding);
  return out;
}

struct Parts {
  std::string input, header, payload, signature;
};
Parts parts(const std::string& token) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  return {token.substr(0, second), decoded(token.substr(0, first)),
          decoded(token.substr(first + 1, second - first - 1)), decoded(token.substr(second + 1))};
}
boost::json::object claims(const std::string& token) {
  return boost::json::parse(parts(token).payload).as_object();
}

TokenSpec spec_of(TokenAlgorithm algorithm, std::string key) {
  TokenSpec spec;
  spec.name = "t";
  spec.algorithm = algorithm;
  spec.key = base::Secret(std::move(key));
  return spec;
}

std::string der_of(const std::string& flat) {
  const std::size_t half = flat.size() / 2;
  const auto* bytes = reinterpret_cast<const unsigned char*>(flat.data());
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(bytes, static_cast<int>(half), nullptr),
                 BN_bin2bn(bytes + half, static_cast<int>(half), nullptr));
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &out);
  std::string der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  ECDSA_SIG_free(signature);
  return der;
}

bool verified(const TokenSpec& spec, EVP_PKEY* key, const std::string& token) {
  const Parts p = parts(token);
  const EVP_MD* digest = EVP_sha256();
  std::string signature = p.signature;
  if (spec.algorithm == TokenAlgorithm::kES384) digest = EVP_sha384();
  if (spec.algorithm == TokenAlgorithm::kEdDSA) digest = nullptr;
  if (spec.algorithm == TokenAlgorithm::kES256) EXPECT_EQ(signature.size(), 64u);
  if (spec.algorithm == TokenAlgorithm::kES384) EXPECT_EQ(signature.size(), 96u);
  if (spec.algorithm == TokenAlgorithm::kES256 || spec.algorithm == TokenAlgorithm::kES384)
    signature = der_of(signature);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* how = nullptr;
  EVP_DigestVerifyInit(context, &how, digest, nullptr, key);
  if (spec.algorithm == TokenAlgorithm::kPS256) {
    EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(how, 32);
  }
  const int good =
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                       reinterpret_cast<const unsigned char*>(p.input.data()), p.input.size());
  EVP_MD_CTX_free(context);
  return good == 1;
}

class Asymmetric : public testing::TestWithParam<TokenAlgorithm> {};

TEST_P(Asymmetric, SignsWhatOpenSslVerifies) {
  const Key key = made(GetParam());
  TokenSpec spec = spec_of(GetParam(), pem_of(key.get(), true));
  EXPECT_EQ(check_key(spec), "");
  for (std::uint64_t i = 0; i < 20; ++i) {  // R and S of every width
    const std::string token = mint(spec, i, kNow);
    EXPECT_TRUE(verified(spec, key.get(), token));
  }
  EXPECT_EQ(boost::json::parse(parts(mint(spec, 0, kNow)).header).at("alg").as_string(), name_of(GetParam()));
}

TEST_P(Asymmetric, IsForgedWhenTamperedWith) {
  const Key key = made(GetParam());
  TokenSpec spec = spec_of(GetParam(), pem_of(key.get(), true));
  spec.tamper = Tamper::kSignature;
  EXPECT_FALSE(verified(spec, key.get(), mint(spec, 0, kNow)));
  spec.tamper = Tamper::kPayload;
  const std::string token = mint(spec, 0, kNow);
  EXPECT_FALSE(verified(spec, key.get(), token));
  EXPECT_TRUE(claims(token).at("forged").as_bool());
}

INSTANTIATE_TEST_SUITE_P(Tokens, Asymmetric,
                         testing::Values(TokenAlgorithm::kRS256, TokenAlgorithm::kPS256,
                                         TokenAlgorithm::kES256, TokenAlgorithm::kES384,
                                         TokenAlgorithm::kEdDSA));

TEST(Tokens, AreSignedWithHmac) {
  const std::pair<TokenAlgorithm, const EVP_MD*> all[] = {{TokenAlgorithm::kHS256, EVP_sha256()},
                                                          {TokenAlgorithm::kHS384, EVP_sha384()},
                                                          {TokenAlgorithm::kHS512, EVP_sha512()}};
  for (const auto& [algorithm, digest] : all) {
    TokenSpec spec = spec_of(algorithm, "secret");
    const auto expected = [digest](const std::string& input) {
      unsigned char out[EVP_MAX_MD_SIZE];
      unsigned size = 0;
      HMAC(digest, "secret", 6, reinterpret_cast<const unsigned char*>(input.data()), input.size(), out,
           &size);
      return std::string(reinterpret_cast<char*>(out), size);
    };
    const Parts good = parts(mint(spec, 0, kNow));
    EXPECT_EQ(good.signature, expected(good.input)) << name_of(algorithm);
    spec.tamper = Tamper::kSignature;
    const Parts bad = parts(mint(spec, 0, kNow));
    EXPECT_EQ(bad.input, good.input);
    EXPECT_NE(bad.signature, good.signature);
    spec.tamper = Tamper::kPayload;
    const Parts forged = parts(mint(spec, 0, kNow));
    EXPECT_EQ(forged.signature, good.signature);
    EXPECT_NE(forged.payload, good.payload);
  }
}

TEST(Tokens, HaveNoSignatureWithNone) {
  const TokenSpec spec = spec_of(TokenAlgorithm::kNone, "");
  const std::string token = mint(spec, 0, kNow);
  EXPECT_TRUE(token.ends_with('.'));
  EXPECT_EQ(parts(token).header, R"({"alg":"none","typ":"JWT"})");
}

TEST(Tokens, HoldTheClaimsAsTheyAreMeant) {
  TokenSpec spec = spec_of(TokenAlgorithm::kHS256, "secret");
  spec.kid = "k1";
  spec.claims = {{"sub", "user-{{index}}"}, {"n", "{{index}}"},    {"admin", "true"},
                 {"aud", R"(["a","b"])"},   {"text", R"("true")"}, {"plain", "a b"}};
  const std::string token = mint(spec, 7, kNow);
  EXPECT_EQ(parts(token).header, R"({"alg":"HS256","typ":"JWT","kid":"k1"})");
  const boost::json::object c = claims(token);
  EXPECT_EQ(c.at("sub"), "user-7");
  EXPECT_EQ(c.at("n"), 7);
  EXPECT_EQ(c.at("admin"), true);
  EXPECT_EQ(c.at("aud"), (boost::json::array{"a", "b"}));
  EXPECT_EQ(c.at("text"), "true");
  EXPECT_EQ(c.at("plain"), "a b");
  EXPECT_EQ(c.at("iat"), 1'700'000'000);
  EXPECT_EQ(c.at("exp"), 1'700'003'600);
}

TEST(Tokens, ExpireWhenTheyShall) {
  TokenSpec spec = spec_of(TokenAlgorithm::kHS256, "secret");
  spec.ttl = base::Seconds(60);
  spec.expired = true;
  boost::json::object c = claims(mint(spec, 0, kNow));
  EXPECT_EQ(c.at("exp"), 1'700'000'000 - 61);
  EXPECT_EQ(c.at("iat"), 1'700'000'000 - 121);
  spec.claims = {{"exp", "5"}};
  c = claims(mint(spec, 0, kNow));
  EXPECT_EQ(c.at("exp"), 5);
}

TEST(TokenKeys, AreRefusedInOneLine) {
  const Key rsa = made(TokenAlgorithm::kRS256);
  const Key p256 = made(TokenAlgorithm::kES256);
  const auto problem = [](TokenAlgorithm algorithm, const std::string& key) {
    return check_key(spec_of(algorithm, key));
  };
  EXPECT_EQ(problem(TokenAlgorithm::kHS256, ""), "is empty");
  EXPECT_EQ(problem(TokenAlgorithm::kHS256, pem_of(rsa.get(), false)),
            "is a PEM key; HS algorithms need a secret");
  EXPECT_EQ(problem(TokenAlgorithm::kES256, "hello"), "is not a private key in PEM");
  EXPECT_EQ(problem(TokenAlgorithm::kES256, pem_of(p256.get(), false)),
            "is a public key; signing needs the private one");
  EXPECT_EQ(problem(TokenAlgorithm::kES256, pem_of(p256.get(), true, "pass")),
            "is protected by a passphrase; take it off, since nobody can be asked for it");
  EXPECT_EQ(problem(TokenAlgorithm::kES256, pem_of(rsa.get(), true)),
            "does not fit: ES256 needs a key of the curve P-256");
  EXPECT_EQ(problem(TokenAlgorithm::kES384, pem_of(p256.get(), true)),
            "does not fit: ES384 needs a key of the curve P-384");
  EXPECT_EQ(problem(TokenAlgorithm::kPS256, pem_of(p256.get(), true)),
            "does not fit: PS256 needs an RSA key");
  EXPECT_EQ(problem(TokenAlgorithm::kEdDSA, pem_of(p256.get(), true)),
            "does not fit: EdDSA needs an Ed25519 key");
  EXPECT_EQ(problem(TokenAlgorithm::kNone, ""), "");
}

TEST(TokenKeys, AreNotShownWhenTheyCannotSign) {
  try {
    mint(spec_of(TokenAlgorithm::kES256, "hunter2"), 0, kNow);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the key of token 't' is not a private key in PEM");
  }
}

}  // namespace
}  // namespace prove
