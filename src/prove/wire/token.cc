#include "prove/wire/token.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <boost/json.hpp>
#include <expected>
#include <memory>
#include <stdexcept>

namespace prove {
namespace {

namespace json = boost::json;

enum class Family : std::uint8_t { kHmac, kRsa, kPss, kEcdsa, kEdDsa, kNone };

struct Algorithm {
  std::string_view name;
  Family family;
  const EVP_MD* (*digest)();
  std::string_view curve;   // of ECDSA: as OpenSSL names it
  std::size_t half = 0;     // of an ECDSA signature: the bytes of R, and of S
  std::string_view key_is;  // what kind of key it takes
};

constexpr std::array<Algorithm, 9> kAlgorithms{{
    {"HS256", Family::kHmac, EVP_sha256, "", 0, ""},
    {"HS384", Family::kHmac, EVP_sha384, "", 0, ""},
    {"HS512", Family::kHmac, EVP_sha512, "", 0, ""},
    {"RS256", Family::kRsa, EVP_sha256, "", 0, "an RSA key"},
    {"PS256", Family::kPss, EVP_sha256, "", 0, "an RSA key"},
    {"ES256", Family::kEcdsa, EVP_sha256, "prime256v1", 32, "a key of the curve P-256"},
    {"ES384", Family::kEcdsa, EVP_sha384, "secp384r1", 48, "a key of the curve P-384"},
    {"EdDSA", Family::kEdDsa, nullptr, "", 0, "an Ed25519 key"},
    {"none", Family::kNone, nullptr, "", 0, ""},
}};

const Algorithm& traits(TokenAlgorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

std::string base64url(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  out.reserve(bytes.size() * 4 / 3 + 3);
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits[held >> (bits - 6) & 63];
  }
  if (bits > 0) out += kDigits[held << (6 - bits) & 63];
  return out;
}

// Instead of asking the terminal for a passphrase.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::expected<Key, std::string> read_key(const TokenSpec& spec) {
  const Algorithm& algorithm = traits(spec.algorithm);
  const std::string_view pem = spec.key.reveal();
  bool asked = false;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked), &EVP_PKEY_free);
  ERR_clear_error();
  if (!key) {
    if (asked || pem.contains("ENCRYPTED"))
      return std::unexpected("is protected by a passphrase; take it off, since nobody can be asked for it");
    if (pem.contains("BEGIN PUBLIC KEY") || pem.contains("BEGIN CERTIFICATE"))
      return std::unexpected("is a public key; signing needs the private one");
    return std::unexpected("is not a private key in PEM");
  }
  bool fits = false;
  switch (algorithm.family) {
    case Family::kRsa:
    case Family::kPss:
      fits = EVP_PKEY_is_a(key.get(), "RSA") == 1;
      break;
    case Family::kEcdsa: {
      char curve[64] = "";
      fits = EVP_PKEY_is_a(key.get(), "EC") == 1 &&
             EVP_PKEY_get_group_name(key.get(), curve, sizeof curve, nullptr) == 1 &&
             algorithm.curve == curve;
      break;
    }
    case Family::kEdDsa:
      fits = EVP_PKEY_is_a(key.get(), "ED25519") == 1;
      break;
    case Family::kHmac:
    case Family::kNone:
      break;
  }
  if (!fits)
    return std::unexpected(fmt::format("does not fit: {} needs {}", algorithm.name, algorithm.key_is));
  return key;
}

// ECDSA signatures come as ASN.1; RFC 7518 §3.4 wants R and S side by side, each of full width.
std::string flat(std::string_view der, std::size_t half) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free);
  std::string out(2 * half, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  const int width = static_cast<int>(half);
  if (!parts || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), bytes, width) != width ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), bytes + half, width) != width)
    return {};
  return out;
}

std::string sign_with_key(const TokenSpec& spec, std::string_view input) {
  const Algorithm& algorithm = traits(spec.algorithm);
  auto key = read_key(spec);
  if (!key) throw std::runtime_error(fmt::format("the key of token '{}' {}", spec.name, key.error()));
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_PKEY_CTX* how = nullptr;
  const EVP_MD* digest = algorithm.digest ? algorithm.digest() : nullptr;
  const auto* data = reinterpret_cast<const unsigned char*>(input.data());
  std::size_t size = 0;
  std::string out;
  const bool pss = algorithm.family == Family::kPss;  // RFC 7518 §3.5: the salt is as long as the digest
  const bool good = EVP_DigestSignInit(context.get(), &how, digest, nullptr, key->get()) == 1 &&
                    (!pss || (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
                              EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
                    EVP_DigestSign(context.get(), nullptr, &size, data, input.size()) == 1 &&
                    (out.resize(size), true) &&
                    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, data,
                                   input.size()) == 1;
  if (good) out.resize(size);
  if (good && algorithm.family == Family::kEcdsa) out = flat(out, algorithm.half);
  if (!good || out.empty())
    throw std::runtime_error(
        fmt::format("the key of token '{}' cannot sign with {}", spec.name, algorithm.name));
  return out;
}

std::string sign(const TokenSpec& spec, std::string_view input) {
  const Algorithm& algorithm = traits(spec.algorithm);
  if (algorithm.family == Family::kNone) return {};
  if (algorithm.family != Family::kHmac) return sign_with_key(spec, input);
  const std::string_view key = spec.key.reveal();
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (HMAC(algorithm.digest(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(input.data()), input.size(), out, &size) == nullptr)
    throw std::runtime_error(fmt::format("the key of token '{}' cannot sign", spec.name));
  return {reinterpret_cast<const char*>(out), size};
}

// A claim's text with its number in it, as JSON where it is JSON.
json::value claim(const std::string& written, std::uint64_t index) {
  Slots slots;
  const auto compiled = Template::compile(written, slots);
  std::string text = written;
  if (compiled) text = compiled->render(Values(slots.size(), std::to_string(index)));
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value(text) : value;
}

}  // namespace

std::string_view name_of(TokenAlgorithm algorithm) {
  return traits(algorithm).name;
}

std::string check_key(const TokenSpec& spec) {
  const Family family = traits(spec.algorithm).family;
  if (family == Family::kNone) return {};
  if (spec.key.empty()) return "is empty";
  if (family == Family::kHmac)
    return spec.key.reveal().contains("-----BEGIN ") ? "is a PEM key; HS algorithms need a secret" : "";
  const auto key = read_key(spec);
  return key ? std::string() : key.error();
}

std::string mint(const TokenSpec& spec, std::uint64_t index, base::Wall now) {
  json::object header{{"alg", name_of(spec.algorithm)}, {"typ", "JWT"}};
  if (!spec.kid.empty()) header["kid"] = spec.kid;
  const std::int64_t ttl = std::chrono::duration_cast<base::Seconds>(spec.ttl).count();
  // A second more: one that has just expired may still pass where clocks are compared with `<`.
  const std::int64_t issued = base::unix_seconds(now) - (spec.expired ? 2 * ttl + 1 : 0);
  json::object payload{{"iat", issued}, {"exp", issued + ttl}};
  for (const auto& [name, written] : spec.claims) payload[name] = claim(written, index);

  const std::string head = base64url(json::serialize(header)) + ".";
  const std::string input = head + base64url(json::serialize(payload));
  std::string signature = sign(spec, input);
  if (spec.tamper == Tamper::kSignature) signature[signature.size() / 2] ^= 1;
  if (spec.tamper == Tamper::kPayload) {
    payload["forged"] = true;
    return head + base64url(json::serialize(payload)) + "." + base64url(signature);
  }
  return input + "." + base64url(signature);
}

}  // namespace prove
