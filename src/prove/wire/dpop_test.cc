// Against the examples of RFC 9449, and against OpenSSL's verification with no code of ours between.
#include "prove/wire/dpop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <boost/json.hpp>
#include <set>

namespace prove {
namespace {

const base::Wall kNow{base::Seconds(1'700'000'000)};

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
  std::string input;
  boost::json::object header, claims;
  std::string signature;
};
Parts parts(const std::string& proof) {
  const std::size_t first = proof.find('.');
  const std::size_t second = proof.find('.', first + 1);
  return {proof.substr(0, second), boost::json::parse(decoded(proof.substr(0, first))).as_object(),
          boost::json::parse(decoded(proof.substr(first + 1, second - first - 1))).as_object(),
          decoded(proof.substr(second + 1))};
}

OpenSsl<EVP_PKEY> p256(const std::string& x, const std::string& y) {
  const std::string point = "\x04" + decoded(x) + decoded(y);
  OSSL_PARAM_BLD* build = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(build);
  return OpenSsl<EVP_PKEY>(key);
}

bool verified(EVP_PKEY& key, TokenAlgorithm algorithm, const Parts& p) {
  std::string signature = p.signature;
  if (traits(algorithm).family == KeyFamily::kEcdsa) {
    const auto half = static_cast<int>(signature.size() / 2);
    if (traits(algorithm).half != signature.size() / 2) return false;
    const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
    ECDSA_SIG* both = ECDSA_SIG_new();
    ECDSA_SIG_set0(both, BN_bin2bn(bytes, half, nullptr), BN_bin2bn(bytes + half, half, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(both, &der);
    signature.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    ECDSA_SIG_free(both);
  }
  const OpenSsl<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* how = nullptr;
  const EVP_MD* digest = traits(algorithm).digest != nullptr ? traits(algorithm).digest() : nullptr;
  EVP_DigestVerifyInit(context.get(), &how, digest, nullptr, &key);
  if (traits(algorithm).family == KeyFamily::kPss) {
    EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(how, 32);
  }
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(p.input.data()),
                          p.input.size()) == 1;
}

// ---- the examples of RFC 9449

const std::string kX = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
const std::string kY = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
const std::string kHead =
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpD"
    "a0"
    "RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6Il"
    "At"
    "MjU2In19";

TEST(DpopVectors, HaveTheThumbprintAndTheHashOfTheToken) {
  const auto key = p256(kX, kY);
  EXPECT_EQ(digest_of(public_jwk(*key)), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
  EXPECT_EQ(digest_of("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

TEST(DpopVectors, AreSignaturesOverTheClaimsThatAreWrittenHere) {
  const auto key = p256(kX, kY);
  const auto signs = [&](const ProofClaims& claims, const std::string& signature) {
    std::string written;
    append_claims(written, claims);
    const Parts proof = parts(kHead + "." + base64url(written) + "." + signature);
    return verified(*key, TokenAlgorithm::kES256, proof);
  };
  const ProofClaims token{.jti = "-BwC3ESc6acc2lTc",
                          .htm = "POST",
                          .base = "https://server.example.com",
                          .path = "/token",
                          .iat = 1562262616};
  const std::string of_token =
      "2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
  EXPECT_TRUE(signs(token, of_token));
  const ProofClaims resource{.jti = "e1j3V_bKic8-LAEB",
                             .htm = "GET",
                             .base = "https://resource.example.org",
                             .path = "/protectedresource",
                             .iat = 1562262618,
                             .ath = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"};
  EXPECT_TRUE(signs(
      resource, "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"));
  EXPECT_FALSE(signs(resource, of_token));
}

TEST(Thumbprints, AreThatOfRfc7638ForRsa) {
  // The JSON of section 3.1, which is hashed; the key's members come in that order here, too.
  const std::string n =
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
      "BJECPebWKRXjBZCiFV4n3oknjhMs"
      "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
      "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn"
      "1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
      "kEgU8awapJzKnqDKgw";
  EXPECT_EQ(digest_of(R"({"e":"AQAB","kty":"RSA","n":")" + n + "\"}"),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

// ---- what is sent

class Proofs : public testing::TestWithParam<ProofAlgorithm> {
 protected:
  Proofs() { spec.algorithm = GetParam(); }
  ProofSpec spec;
};

TEST_P(Proofs, VerifyByTheKeyInTheirHead) {
  spec.keys = 2;
  Keyring ring(spec);
  const std::vector<std::string> tokens = {"a", "b", "c"};
  ring.bind(tokens);
  Prover prover(ring);
  ProofMemory memory;
  std::string buffer;
  for (int round = 0; round < 20; ++round) {  // R and S of every width
    const std::string request = round % 2 == 0 ? "GET /x?q=1 HTTP/1.1\r\nAuthorization: DPoP b\r\n\r\n"
                                               : "POST /x HTTP/1.1\r\nHost: h\r\n\r\nbody";
    const std::size_t head = request.find("\r\n\r\n") + 4;
    const Wire wire =
        prover.prove({.bytes = request, .head = head}, buffer, {}, {.base = "http://h"}, memory, kNow);
    const std::size_t at = wire.bytes.find("\r\nDPoP: ");
    ASSERT_NE(at, wire.bytes.npos);
    EXPECT_EQ(wire.bytes.substr(wire.head - 4, 4), "\r\n\r\n");
    EXPECT_EQ(wire.bytes.substr(wire.head), request.substr(head));
    const Parts p = parts(std::string(wire.bytes.substr(at + 8, wire.head - 4 - at - 8)));
    const std::size_t key = round % 2 == 0 ? 1 : 0;
    EXPECT_TRUE(verified(ring.key(key), ring.algorithm(), p));
    EXPECT_EQ(p.header.at("typ"), "dpop+jwt");
    EXPECT_EQ(p.header.at("alg").as_string(), traits(ring.algorithm()).name);
    EXPECT_EQ(p.header.at("jwk"), boost::json::parse(ring.jwk(key)));
    EXPECT_EQ(p.claims.at("htu"), "http://h/x");
    EXPECT_EQ(p.claims.at("iat"), 1'700'000'000);
    EXPECT_EQ(p.claims.contains("ath"), round % 2 == 0);
    if (round % 2 == 0) EXPECT_EQ(p.claims.at("ath").as_string(), digest_of("b"));
  }
}

INSTANTIATE_TEST_SUITE_P(Dpop, Proofs,
                         testing::Values(ProofAlgorithm::kES256, ProofAlgorithm::kES384,
                                         ProofAlgorithm::kEdDSA, ProofAlgorithm::kRS256,
                                         ProofAlgorithm::kPS256));

class Dpop : public testing::Test {
 protected:
  Dpop() { ring.bind(tokens); }

  // The proofs of a request.
  std::vector<std::string> sent(Forge forge = Forge::kNothing, const std::string& token = "t0",
                                const std::string& target = "/base/x?q=1") {
    const std::string request =
        "GET " + target + " HTTP/1.1\r\nHost: h\r\nauthorization:  DPoP " + token + "\r\nX: y\r\n\r\n";
    const Wire wire = prover.prove({.bytes = request, .head = request.size()}, buffer,
                                   {.by = "p", .forge = forge, .nonce = nonce},
                                   {.base = "https://public", .skip = 5, .target = 1}, memory, kNow);
    std::vector<std::string> out;
    std::string_view rest = wire.bytes;
    for (std::size_t at = 0; (at = rest.find("\r\nDPoP: ")) != rest.npos;) {
      rest.remove_prefix(at + 8);
      out.emplace_back(rest.substr(0, rest.find('\r')));
    }
    return out;
  }

  const std::vector<std::string> tokens = {"t0", "t1"};
  Keyring ring{ProofSpec{}};
  Prover prover{ring};
  ProofMemory memory;
  std::string buffer;
  NonceUse nonce = NonceUse::kCarry;
};

TEST_F(Dpop, NamesTheUriAsTheServerKnowsIt) {
  EXPECT_EQ(parts(sent().at(0)).claims.at("htu"), "https://public/x");
  const auto quoted = parts(sent(Forge::kNothing, "t0", "/base/a\"b\\c").at(0));
  EXPECT_EQ(quoted.claims.at("htu"), "https://public/a\"b\\c");
  EXPECT_TRUE(verified(ring.key(0), ring.algorithm(), quoted));
}

TEST_F(Dpop, HasAnotherIdEachTime) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.emplace(parts(sent().at(0)).claims.at("jti").as_string().c_str());
  EXPECT_EQ(ids.size(), 100u);
  EXPECT_EQ(ids.begin()->size(), 22u);
}

TEST_F(Dpop, HashesATokenThatItHasNotSeenBefore) {
  EXPECT_EQ(parts(sent(Forge::kNothing, "captured").at(0)).claims.at("ath").as_string(),
            digest_of("captured"));
}

TEST_F(Dpop, HashesNoPassword) {
  const std::string request = "POST /token HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\n";
  const Wire wire = prover.prove({.bytes = request, .head = request.size()}, buffer, {}, {}, memory, kNow);
  const std::string_view proof = wire.bytes.substr(wire.bytes.find("DPoP: ") + 6);
  EXPECT_FALSE(parts(std::string(proof.substr(0, proof.find('\r')))).claims.contains("ath"));
}

TEST_F(Dpop, CarriesTheNonceOfItsTargetAlone) {
  memory.nonce(0) = "of-another";
  EXPECT_FALSE(parts(sent().at(0)).claims.contains("nonce"));
  memory.nonce(1) = "n1";
  EXPECT_EQ(parts(sent().at(0)).claims.at("nonce"), "n1");
  memory.nonce(1) = "n\"2";  // none that RFC 9449 allows
  EXPECT_FALSE(parts(sent().at(0)).claims.contains("nonce"));
  memory.nonce(1) = "n3";
  nonce = NonceUse::kIgnore;
  EXPECT_FALSE(parts(sent().at(0)).claims.contains("nonce"));
}

TEST_F(Dpop, IsWrongInOneThingAlone) {
  memory.nonce(1) = "n";
  const auto good = parts(sent().at(0));
  const auto differs = [&](Forge forge) {  // which members differ, beside jti
    const auto p = parts(sent(forge).at(0));
    std::set<std::string> out;
    for (const auto& [name, value] : good.claims)
      if (name != "jti" && (!p.claims.contains(name) || p.claims.at(name) != value)) out.insert(name);
    if (!p.claims.contains("jti")) out.insert("jti");
    for (const auto& [name, value] : good.header)
      if (!p.header.contains(name) || p.header.at(name) != value) out.insert(name);
    if (!verified(ring.key(0), ring.algorithm(), p)) out.insert("signature");
    return out;
  };
  using Names = std::set<std::string>;
  EXPECT_EQ(differs(Forge::kNothing), Names{});
  EXPECT_EQ(differs(Forge::kAth), Names{"ath"});
  EXPECT_EQ(differs(Forge::kHtm), Names{"htm"});
  EXPECT_EQ(differs(Forge::kHtu), Names{"htu"});
  EXPECT_EQ(differs(Forge::kHost), Names{"htu"});
  EXPECT_EQ(differs(Forge::kPast), Names{"iat"});
  EXPECT_EQ(differs(Forge::kFuture), Names{"iat"});
  EXPECT_EQ(differs(Forge::kJti), Names{"jti"});
  EXPECT_EQ(differs(Forge::kNonce), Names{"nonce"});
  EXPECT_EQ(differs(Forge::kTyp), Names{"typ"});
  EXPECT_EQ(differs(Forge::kAlg), (Names{"alg", "signature"}));
  EXPECT_EQ(differs(Forge::kSignature), Names{"signature"});
  EXPECT_EQ(differs(Forge::kPrivate), Names{"jwk"});
  EXPECT_EQ(differs(Forge::kKey), (Names{"jwk", "signature"}));
}

TEST_F(Dpop, ReplaysTheLastRightProof) {
  const std::string first = sent().at(0);
  const std::string good = sent().at(0);
  EXPECT_NE(first, good);
  sent(Forge::kAth);
  EXPECT_EQ(sent(Forge::kReplay), std::vector{good});
}

TEST_F(Dpop, SendsTwoProofsThatAreRight) {
  const auto both = sent(Forge::kTwice);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_NE(both[0], both[1]);
  for (const std::string& proof : both) EXPECT_TRUE(verified(ring.key(0), ring.algorithm(), parts(proof)));
}

TEST_F(Dpop, KeepsItsPrivateKey) {
  const auto p = parts(sent(Forge::kPrivate).at(0));
  BIGNUM* secret = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(&ring.key(0), OSSL_PKEY_PARAM_PRIV_KEY, &secret), 1);
  std::string bytes(32, '\0');
  BN_bn2binpad(secret, reinterpret_cast<unsigned char*>(bytes.data()), 32);
  BN_free(secret);
  EXPECT_EQ(p.header.at("jwk").at("d").as_string().size(), 44u);
  EXPECT_NE(p.header.at("jwk").at("d").as_string(), base64url(bytes));
}

TEST_F(Dpop, SendsNothingOfARequestThatIsNotToBeSent) {
  EXPECT_TRUE(prover.prove({.bytes = {}, .bad = true}, buffer, {}, {}, memory, kNow).bad);
}

TEST(Keyrings, RefuseAKeyThatDoesNotFit) {
  ProofSpec spec;
  spec.name = "p";
  spec.key = base::Secret("hunter2");
  try {
    const Keyring ring(spec);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the key of proof 'p' is not a private key in PEM");
  }
}

}  // namespace
}  // namespace prove
