// What is wrong with a key, each told in one line: as a VerificationKey tells it at start, and as the reader
// of a published set is told why a key is passed over.
#include "identity/key_material.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "identity/testing.h"
#include "identity/verification_key.h"

namespace identity {
namespace {

namespace json = boost::json;
using config::Algorithm;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Allowed = std::vector<Algorithm>;
const Allowed kRs{Algorithm::kRS256}, kEs{Algorithm::kES256}, kHs{Algorithm::kHS256}, kEd{Algorithm::kEdDSA};

std::string fault_of(const Allowed& allowed, const std::string& material, const std::string& kid = "") {
  try {
    const VerificationKey key(allowed, base::Secret(material), kid);
  } catch (const std::runtime_error& fault) {
    EXPECT_THAT(fault.what(), Not(HasSubstr("\n")));
    return fault.what();
  }
  return "none";
}

struct Refused {
  bool foreign;
  std::string why;
};
Refused published(const json::object& jwk, const Allowed& allowed) {
  const auto key = VerificationKey::from_jwk(jwk, allowed);
  if (key) return {false, "none"};
  return {key.error().foreign, key.error().why};
}

const KeyPair& rsa_pair() {
  static const KeyPair pair = generate_keypair(Algorithm::kRS256, "2026");
  return pair;
}
const KeyPair& ec_pair() {
  static const KeyPair pair = generate_keypair(Algorithm::kES256, "2026");
  return pair;
}
const KeyPair& ed_pair() {
  static const KeyPair pair = generate_keypair(Algorithm::kEdDSA, "2026");
  return pair;
}

// The JWK of a pair, changed; null takes a member out.
template <class Value>
json::object changed(const KeyPair& pair, std::string_view name, const Value& value) {
  json::object jwk = json::parse(pair.public_jwk).as_object();
  if constexpr (std::is_same_v<Value, std::nullptr_t>)
    jwk.erase(name);
  else
    jwk[name] = value;
  return jwk;
}
std::string text_of(const json::object& jwk) {
  return json::serialize(jwk);
}

std::string private_pem(const KeyPair& pair, const char* passphrase) {
  const std::string_view pem = pair.private_pem.reveal();
  const detail::Handle<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const detail::Handle<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const detail::Handle<BIO> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), passphrase,
                                static_cast<int>(std::strlen(passphrase)), nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// A key of the type that is for PSS alone.
std::string rsa_pss_pem() {
  const detail::Handle<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_generate(context.get(), &key);
  return pem_of(key);
}

// An RSA key of these numbers, sound or not, as a JWK.
json::object rsa_jwk(std::size_t bytes, std::string_view exponent, char last = '\x0f') {
  std::string n(bytes, '\xcd'), text, e;
  n.back() = last;
  base64url_encode(n, text);
  base64url_encode(exponent, e);
  return {{"kty", "RSA"}, {"n", text}, {"e", e}};
}

// ---- PEM

TEST(KeyMaterial, RefusesPemThatIsNoPublicKey) {
  EXPECT_THAT(fault_of(kEs, ""), HasSubstr("is empty"));
  EXPECT_THAT(fault_of(kEs, "hello"), HasSubstr("is not PEM"));
  EXPECT_THAT(fault_of(kEs, std::string(ec_pair().private_pem.reveal())),
              HasSubstr("is a private key; give"));
  EXPECT_THAT(fault_of(kEs, private_pem(ec_pair(), "hunter2")), HasSubstr("with a passphrase"));
  EXPECT_THAT(fault_of(kEs, "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"),
              HasSubstr("with a passphrase"));
  EXPECT_THAT(fault_of(kRs, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
              HasSubstr("is a certificate"));
  EXPECT_THAT(fault_of(kRs, "-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END RSA PUBLIC KEY-----\n"),
              HasSubstr("PKCS #1"));
  EXPECT_THAT(fault_of(kRs, "-----BEGIN OPENSSH KEY-----\n"), HasSubstr("of another kind"));
  EXPECT_THAT(fault_of(kRs, "-----BEGIN "), HasSubstr("of another kind"));
}

TEST(KeyMaterial, RefusesMalformedPem) {
  EXPECT_THAT(fault_of(kEs, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
              HasSubstr("is malformed PEM"));
  std::string pem = ec_pair().public_pem;
  pem.resize(pem.size() / 2);
  EXPECT_THAT(fault_of(kEs, pem), HasSubstr("is malformed PEM"));
  EXPECT_THAT(fault_of(kEs, ec_pair().public_pem + ec_pair().public_pem),
              HasSubstr("more than one PEM block"));
  EXPECT_EQ(fault_of(kEs, "\n  " + ec_pair().public_pem + "\n\n"), "none");
}

TEST(KeyMaterial, RefusesKeysOfAnotherTypeOrCurve) {
  EXPECT_EQ(fault_of(kEs, rsa_pair().public_pem), "is a key for RSA; ES256 needs an EC key on P-256");
  EXPECT_EQ(fault_of(kRs, ec_pair().public_pem), "is on the curve prime256v1; RS256 needs an RSA key");
  EXPECT_EQ(fault_of({Algorithm::kRS256, Algorithm::kES384}, ed_pair().public_pem),
            "is a key for ED25519; RS256 needs an RSA key, ES384 needs an EC key on P-384");
  EXPECT_THAT(fault_of(kEs, public_pem("EC", "P-384")), HasSubstr("is on the curve secp384r1"));
  EXPECT_THAT(fault_of(kEs, public_pem("EC", "P-521")), HasSubstr("is on the curve secp521r1"));
  EXPECT_THAT(fault_of(kEs, public_pem("EC", "secp256k1")), HasSubstr("is on the curve secp256k1"));
  EXPECT_THAT(fault_of({Algorithm::kES384}, ec_pair().public_pem),
              HasSubstr("ES384 needs an EC key on P-384"));
  EXPECT_THAT(fault_of(kEd, pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"))), HasSubstr("for X25519"));
  EXPECT_THAT(fault_of({Algorithm::kPS256}, rsa_pss_pem()), HasSubstr("for RSA-PSS; PS256 needs an RSA key"));
}

// ---- RSA

TEST(KeyMaterial, RefusesRsaKeysOfAnUnsoundSize) {
  EXPECT_EQ(fault_of(kRs, public_pem("RSA", "1024")),
            "is an RSA key of 1024 bits; it must have 2048 to 16384");
  EXPECT_THAT(fault_of(kRs, text_of(rsa_jwk(255, "\x01\x00\x01"))),
              AllOf(HasSubstr("is an RSA key"), HasSubstr("2048 to")));
  EXPECT_THAT(fault_of(kRs, text_of(rsa_jwk(2048, std::string("\x01\x00\x01", 3)))), "none");
  EXPECT_THAT(fault_of(kRs, text_of(rsa_jwk(2049, std::string("\x01\x00\x01", 3)))), HasSubstr("bits"));
  EXPECT_THAT(fault_of(kRs, text_of(rsa_jwk(5000, std::string("\x01\x00\x01", 3)))),
              HasSubstr("more than 16384"));
  EXPECT_FALSE(published(rsa_jwk(128, std::string("\x01\x00\x01", 3)), kRs).foreign);
}

TEST(KeyMaterial, RefusesRsaNumbersThatAreNone) {
  using namespace std::string_literals;
  EXPECT_EQ(fault_of(kRs, text_of(rsa_jwk(256, "\x03"))), "none");
  for (const std::string& exponent : {"\x01"s, "\x02"s, "\x01\x00\x00"s, "\x00"s})
    EXPECT_THAT(fault_of(kRs, text_of(rsa_jwk(256, exponent))), HasSubstr("public exponent"))
        << exponent.size();
  EXPECT_THAT(fault_of(kRs, text_of(rsa_jwk(256, "\x01\x00\x00\x00\x00\x00\x00\x00\x01"s))),
              HasSubstr("more than 64 bits"));
  EXPECT_THAT(fault_of(kRs, text_of(rsa_jwk(256, "\x03"s, '\x0e'))), HasSubstr("modulus is even"));
}

// ---- secrets

TEST(KeyMaterial, RefusesSecretsShorterThanTheHash) {
  for (const auto& [algorithm, size] : {std::pair(Algorithm::kHS256, 32), std::pair(Algorithm::kHS384, 48),
                                        std::pair(Algorithm::kHS512, 64)}) {
    const auto length = static_cast<std::size_t>(size);
    EXPECT_EQ(fault_of({algorithm}, std::string(length, 's')), "none");
    EXPECT_EQ(fault_of({algorithm}, std::string(length - 1, 's')),
              "is " + std::to_string(length - 1) + " bytes long; " + std::string(row_of(algorithm).name) +
                  " needs a secret of at least " + std::to_string(length));
  }
  EXPECT_THAT(fault_of({Algorithm::kHS256, Algorithm::kHS512}, std::string(40, 's')),
              HasSubstr("HS512 needs"));
}

TEST(KeyMaterial, RefusesPublicKeysAsSecrets) {
  EXPECT_THAT(fault_of(kHs, rsa_pair().public_pem), HasSubstr("needs a shared secret"));
  EXPECT_THAT(fault_of(kHs, "my key:\n" + rsa_pair().public_pem), HasSubstr("needs a shared secret"));
  EXPECT_THAT(fault_of(kHs, std::string(ec_pair().private_pem.reveal())), HasSubstr("needs a shared secret"));
  EXPECT_THAT(fault_of(kHs, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGGGGGGGGGGGGGGGGGGGGGGGGGGG"),
              HasSubstr("needs a shared secret"));
  EXPECT_THAT(fault_of(kHs, rsa_pair().public_jwk), HasSubstr("`alg` says RS256"));
  EXPECT_THAT(fault_of(kHs, text_of(changed(rsa_pair(), "alg", nullptr))),
              HasSubstr("HS256 needs a shared secret"));
  // A key whose armour got lost must not become a secret because HMAC is allowed, too.
  EXPECT_THAT(fault_of({Algorithm::kRS256, Algorithm::kHS256}, std::string(200, 'M')),
              HasSubstr("neither PEM nor a JWK"));
}

TEST(KeyMaterial, TakesASecretAsJwkFromTheConfigurationOnly) {
  std::string k;
  base64url_encode(std::string(32, 's'), k);
  const json::object jwk{{"kty", "oct"}, {"k", k}, {"kid", "2026"}};
  EXPECT_EQ(fault_of(kHs, text_of(jwk)), "none");
  EXPECT_EQ(VerificationKey(kHs, base::Secret(text_of(jwk)), "").kid(), "2026");
  EXPECT_TRUE(VerificationKey(kHs, base::Secret(text_of(jwk)), "")
                  .verifies(row_of(Algorithm::kHS256), "m", hmac_sha256(std::string(32, 's'), "m")));
  EXPECT_THAT(published(jwk, kHs).why, HasSubstr("which nobody may publish"));
  EXPECT_FALSE(published(jwk, kHs).foreign);
  EXPECT_THAT(fault_of(kRs, text_of(jwk)), HasSubstr("oct"));
  EXPECT_THAT(fault_of({Algorithm::kHS512}, text_of(jwk)), HasSubstr("is 32 bytes long"));
  EXPECT_THAT(fault_of(kHs, R"({"kty":"oct","k":"c2hvcnQ"})"), HasSubstr("is 5 bytes long"));
  EXPECT_THAT(fault_of(kHs, R"({"kty":"oct"})"), HasSubstr("without the string `k`"));
}

// ---- JWK

TEST(KeyMaterial, RefusesTextThatIsNoJwk) {
  EXPECT_THAT(fault_of(kRs, "{"), HasSubstr("is no JWK"));
  EXPECT_THAT(fault_of(kRs, R"({"kty":"RSA",})"), HasSubstr("is no JWK"));
  EXPECT_THAT(fault_of(kHs, "{" + std::string(60, 'x') + "}"), HasSubstr("is no JWK"));
  EXPECT_EQ(fault_of(kHs, "{" + std::string(60, 'x')), "none") << "bytes that happen to begin so";
  const std::string good = rsa_pair().public_jwk;
  EXPECT_THAT(fault_of(kRs, good.substr(0, good.size() - 1) + R"(,"kty":"RSA"})"),
              HasSubstr("duplicate members"));
  EXPECT_THAT(fault_of(kRs, good.substr(0, good.size() - 1) + R"(,"\u006b\u0074y":"RSA"})"),
              HasSubstr("duplicate members"));
  EXPECT_THAT(fault_of(kRs, "{}"), HasSubstr("`kty`"));
  EXPECT_THAT(fault_of(kRs, R"({"kty":7})"), HasSubstr("`kty`"));
}

TEST(KeyMaterial, RefusesPrivateJwks) {
  for (const std::string_view name : {"d", "p", "q", "dp", "dq", "qi", "oth"}) {
    const json::object jwk = changed(rsa_pair(), name, "AQAB");
    EXPECT_THAT(fault_of(kRs, text_of(jwk)), HasSubstr("private key")) << name;
    EXPECT_THAT(published(jwk, kRs).why, HasSubstr("private key")) << name;
    EXPECT_FALSE(published(jwk, kRs).foreign) << name;
  }
  EXPECT_THAT(fault_of(kEs, text_of(changed(ec_pair(), "d", "AQAB"))), HasSubstr("private key"));
  EXPECT_THAT(fault_of(kEd, text_of(changed(ed_pair(), "d", 7))), HasSubstr("private key"));
}

TEST(KeyMaterial, PassesOverWhatIsForSomethingElse) {
  const auto foreign = [](const json::object& jwk, const Allowed& allowed) {
    const Refused refused = published(jwk, allowed);
    EXPECT_TRUE(refused.foreign) << refused.why;
    EXPECT_EQ(fault_of(allowed, text_of(jwk)), refused.why) << "in a configuration it is an error";
    return refused.why;
  };
  EXPECT_THAT(foreign(changed(rsa_pair(), "kty", "AKP"), kRs), HasSubstr("`kty`"));
  EXPECT_THAT(foreign(changed(rsa_pair(), "use", "enc"), kRs), HasSubstr("`use` is not sig"));
  EXPECT_THAT(foreign(changed(rsa_pair(), "key_ops", json::array{"encrypt"}), kRs), HasSubstr("`key_ops`"));
  EXPECT_THAT(foreign(changed(rsa_pair(), "key_ops", "verify"), kRs), HasSubstr("`key_ops`"));
  EXPECT_THAT(foreign(changed(rsa_pair(), "alg", "RSA-OAEP-256"), kRs), HasSubstr("`alg` is none"));
  EXPECT_THAT(foreign(changed(rsa_pair(), "alg", "RS512"), kRs), HasSubstr("RS512, which is not among"));
  EXPECT_THAT(foreign(changed(ec_pair(), "crv", "P-521"), kEs), HasSubstr("another curve"));
  EXPECT_THAT(foreign(changed(ec_pair(), "crv", "secp256k1"), kEs), HasSubstr("another curve"));
  EXPECT_THAT(foreign(changed(ed_pair(), "crv", "X25519"), kEd), HasSubstr("another curve"));
  EXPECT_THAT(foreign(changed(ec_pair(), "alg", nullptr), kRs), HasSubstr("RS256 needs an RSA key"));
  EXPECT_EQ(published(changed(rsa_pair(), "key_ops", json::array{"verify", "sign"}), kRs).why, "none");
  EXPECT_EQ(published(changed(rsa_pair(), "use", nullptr), kRs).why, "none");
}

TEST(KeyMaterial, RefusesMembersOfAWrongForm) {
  const auto wrong = [](const json::object& jwk, const Allowed& allowed) {
    const Refused refused = published(jwk, allowed);
    EXPECT_FALSE(refused.foreign) << refused.why;
    EXPECT_EQ(fault_of(allowed, text_of(jwk)), refused.why);
    return refused.why;
  };
  const std::string n(json::parse(rsa_pair().public_jwk).at("n").as_string());
  const std::string x(json::parse(ec_pair().public_jwk).at("x").as_string());
  EXPECT_THAT(wrong(changed(rsa_pair(), "n", nullptr), kRs), HasSubstr("without the string `n`"));
  EXPECT_THAT(wrong(changed(rsa_pair(), "n", 65537), kRs), HasSubstr("without the string `n`"));
  EXPECT_THAT(wrong(changed(rsa_pair(), "e", ""), kRs), HasSubstr("without the string `e`"));
  EXPECT_THAT(wrong(changed(rsa_pair(), "n", n + "="), kRs), HasSubstr("`n` is not base64url"));
  EXPECT_THAT(wrong(changed(rsa_pair(), "n", n.substr(0, 300) + "+" + n.substr(301)), kRs),
              HasSubstr("`n` is not base64url"));
  EXPECT_THAT(wrong(changed(rsa_pair(), "e", "AR"), kRs), HasSubstr("`e` is not base64url"));  // stray bits
  EXPECT_THAT(wrong(changed(rsa_pair(), "kid", 7), kRs), HasSubstr("`kid` is no string"));
  EXPECT_THAT(wrong(changed(rsa_pair(), "alg", json::array{"RS256"}), kRs), HasSubstr("is no string"));
  EXPECT_THAT(wrong(changed(rsa_pair(), "use", 1), kRs), HasSubstr("is no string"));
  EXPECT_THAT(wrong(changed(rsa_pair(), "alg", "ES256"), kEs),
              HasSubstr("`alg` says ES256, but it is a key for RSA"));
  EXPECT_THAT(wrong(changed(ec_pair(), "crv", nullptr), kEs), HasSubstr("without the string `crv`"));
  EXPECT_THAT(wrong(changed(ec_pair(), "x", x.substr(0, 40)), kEs), HasSubstr("not 32 bytes long"));
  EXPECT_THAT(wrong(changed(ec_pair(), "x", "AAAA" + x), kEs), HasSubstr("not 32 bytes long"));
  EXPECT_THAT(wrong(changed(ed_pair(), "x", x.substr(0, 40)), kEd), HasSubstr("not of its length"));
}

TEST(KeyMaterial, RefusesPointsThatAreNotOnTheirCurve) {
  std::string zeros;
  base64url_encode(std::string(32, '\0'), zeros);
  EXPECT_THAT(published(changed(ec_pair(), "x", zeros), kEs).why, HasSubstr("is no point of its curve"));
  const json::value x = json::parse(ec_pair().public_jwk).at("x");
  EXPECT_THAT(published(changed(ec_pair(), "y", x), kEs).why, HasSubstr("is no point of its curve"));
  std::string der(91, '\0');
  const std::string head = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";  // an uncompressed point on P-256
  ASSERT_TRUE(base64url_decode(head, der.data()));
  std::string pem = "-----BEGIN PUBLIC KEY-----\n" + head;
  pem += std::string(42, 'A') + "\n" + std::string(44, 'A') + "==\n-----END PUBLIC KEY-----\n";
  EXPECT_THAT(fault_of(kEs, pem), testing::AnyOf(HasSubstr("malformed"), HasSubstr("no point")));
}

TEST(KeyMaterial, ToleratesTheZeroThatSomeIssuersPutBeforeAModulus) {
  std::string raw;
  const std::string n(json::parse(rsa_pair().public_jwk).at("n").as_string());
  raw.resize(base64url_decoded_size(n.size()));
  ASSERT_TRUE(base64url_decode(n, raw.data()));
  std::string padded;
  base64url_encode('\0' + raw, padded);
  const auto plain = VerificationKey::from_jwk(json::parse(rsa_pair().public_jwk).as_object(), kRs);
  const auto other = VerificationKey::from_jwk(changed(rsa_pair(), "n", padded), kRs);
  ASSERT_TRUE(plain && other);
  EXPECT_EQ((*plain)->fingerprint(), (*other)->fingerprint());
}

TEST(KeyMaterial, TakesTheKidOfAJwkUnlessTheConfigurationContradicts) {
  EXPECT_EQ(VerificationKey(kRs, base::Secret(rsa_pair().public_jwk), "").kid(), "2026");
  EXPECT_EQ(VerificationKey(kRs, base::Secret(rsa_pair().public_jwk), "2026").kid(), "2026");
  EXPECT_THAT(fault_of(kRs, rsa_pair().public_jwk, "2025"), HasSubstr("another `kid`"));
  EXPECT_EQ(VerificationKey(kRs, base::Secret(text_of(changed(rsa_pair(), "kid", nullptr))), "a").kid(), "a");
  EXPECT_EQ((*VerificationKey::from_jwk(json::parse(rsa_pair().public_jwk).as_object(), kRs))->kid(), "2026");
}

TEST(KeyMaterial, NeverShowsAByteOfTheKey) {
  const std::string marker = "S3CR3T";
  // NOLINTBEGIN(performance-inefficient-string-concatenation): to be read
  for (const std::string& material :
       {marker, "-----BEGIN " + marker + "-----\n", "{\"kty\":\"" + marker + "\"}",
        "{\"kty\":\"RSA\",\"use\":\"" + marker + "\"}", "{\"kty\":\"RSA\",\"alg\":\"" + marker + "\"}",
        "{\"kty\":\"EC\",\"crv\":\"" + marker + "\"}", "{\"kty\":\"oct\",\"k\":\"" + marker + "=\"}",
        text_of(changed(rsa_pair(), "kid", marker)), "{\"" + marker + "\":1,\"" + marker + "\":2}"})
    // NOLINTEND(performance-inefficient-string-concatenation)
    for (const Allowed& allowed : {kRs, kEs, kHs, kEd}) {
      EXPECT_THAT(fault_of(allowed, material, "other"), Not(HasSubstr(marker)));
    }
}

}  // namespace
}  // namespace identity
