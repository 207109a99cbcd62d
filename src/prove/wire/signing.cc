#include "prove/wire/signing.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace prove {
namespace {

constexpr std::array<AlgorithmTraits, 9> kAlgorithms{{
    {"HS256", KeyFamily::kHmac, EVP_sha256, "SHA256", "", 0, ""},
    {"HS384", KeyFamily::kHmac, EVP_sha384, "SHA384", "", 0, ""},
    {"HS512", KeyFamily::kHmac, EVP_sha512, "SHA512", "", 0, ""},
    {"RS256", KeyFamily::kRsa, EVP_sha256, "SHA256", "", 0, "an RSA key"},
    {"PS256", KeyFamily::kPss, EVP_sha256, "SHA256", "", 0, "an RSA key"},
    {"ES256", KeyFamily::kEcdsa, EVP_sha256, "SHA256", "prime256v1", 32, "a key of the curve P-256"},
    {"ES384", KeyFamily::kEcdsa, EVP_sha384, "SHA384", "secp384r1", 48, "a key of the curve P-384"},
    {"EdDSA", KeyFamily::kEdDsa, nullptr, nullptr, "", 0, "an Ed25519 key"},
    {"none", KeyFamily::kNone, nullptr, nullptr, "", 0, ""},
}};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
std::string_view text_of(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Instead of asking the terminal for a passphrase.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

bool fits(EVP_PKEY* key, const AlgorithmTraits& algorithm) {
  char curve[64] = "";
  switch (algorithm.family) {
    case KeyFamily::kRsa:
    case KeyFamily::kPss:
      return EVP_PKEY_is_a(key, "RSA") == 1;
    case KeyFamily::kEcdsa:
      return EVP_PKEY_is_a(key, "EC") == 1 &&
             EVP_PKEY_get_group_name(key, curve, sizeof curve, nullptr) == 1 && algorithm.curve == curve;
    case KeyFamily::kEdDsa:
      return EVP_PKEY_is_a(key, "ED25519") == 1;
    case KeyFamily::kHmac:
    case KeyFamily::kNone:
      break;
  }
  return false;
}

// A number of a public key, base64url; `width` bytes where it has a width of its own (RFC 7518 §6.2.1.2).
std::string number_of(const EVP_PKEY& key, const char* name, std::size_t width) {
  BIGNUM* raw = nullptr;
  EVP_PKEY_get_bn_param(&key, name, &raw);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(raw, &BN_free);
  if (!number) throw std::runtime_error("a key's public part cannot be told");
  std::string bytes(width > 0 ? width : static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  return base64url(bytes);
}

// One INTEGER of the signature in DER at `at`, right-aligned into `half` bytes.
bool take_integer(std::string_view& der, std::string& out, std::size_t half) {
  if (der.size() < 2 || der[0] != 0x02) return false;
  const auto size = static_cast<std::size_t>(static_cast<unsigned char>(der[1]));
  if (size > 0x7f || der.size() < 2 + size) return false;
  std::string_view number = der.substr(2, size);
  while (number.starts_with('\0')) number.remove_prefix(1);
  if (number.size() > half) return false;
  out.append(half - number.size(), '\0').append(number);
  der.remove_prefix(2 + size);
  return true;
}

}  // namespace

const AlgorithmTraits& traits(TokenAlgorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

TokenAlgorithm algorithm_of(ProofAlgorithm algorithm) {
  constexpr std::array kAs = {TokenAlgorithm::kES256, TokenAlgorithm::kES384, TokenAlgorithm::kEdDSA,
                              TokenAlgorithm::kRS256, TokenAlgorithm::kPS256};
  return kAs[static_cast<std::size_t>(algorithm)];
}

void append_base64url(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits[held >> (bits - 6) & 63];
  }
  if (bits > 0) out += kDigits[held << (6 - bits) & 63];
}

std::string base64url(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 4 / 3 + 3);
  append_base64url(out, bytes);
  return out;
}

std::expected<OpenSsl<EVP_PKEY>, std::string> read_key(TokenAlgorithm of, const base::Secret& secret) {
  const AlgorithmTraits& algorithm = traits(of);
  const std::string_view pem = secret.reveal();
  bool asked = false;
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  OpenSsl<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked));
  ERR_clear_error();
  if (!key) {
    if (asked || pem.contains("ENCRYPTED"))
      return std::unexpected("is protected by a passphrase; take it off, since nobody can be asked for it");
    if (pem.contains("BEGIN PUBLIC KEY") || pem.contains("BEGIN CERTIFICATE"))
      return std::unexpected("is a public key; signing needs the private one");
    return std::unexpected("is not a private key in PEM");
  }
  if (!fits(key.get(), algorithm))
    return std::unexpected(fmt::format("does not fit: {} needs {}", algorithm.name, algorithm.key_is));
  return key;
}

OpenSsl<EVP_PKEY> make_key(TokenAlgorithm of) {
  constexpr unsigned kRsaBits = 2048;
  const AlgorithmTraits& algorithm = traits(of);
  OpenSsl<EVP_PKEY> key;
  if (algorithm.family == KeyFamily::kEcdsa) key.reset(EVP_EC_gen(std::string(algorithm.curve).c_str()));
  if (algorithm.family == KeyFamily::kRsa || algorithm.family == KeyFamily::kPss)
    key.reset(EVP_RSA_gen(kRsaBits));
  if (algorithm.family == KeyFamily::kEdDsa) key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) throw std::runtime_error(fmt::format("no key for {} could be made", algorithm.name));
  return key;
}

std::string public_jwk(const EVP_PKEY& key) {
  if (EVP_PKEY_is_a(&key, "RSA") == 1)
    return fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})", number_of(key, OSSL_PKEY_PARAM_RSA_E, 0),
                       number_of(key, OSSL_PKEY_PARAM_RSA_N, 0));
  if (EVP_PKEY_is_a(&key, "ED25519") == 1) {
    std::array<unsigned char, 32> bytes{};
    std::size_t size = bytes.size();
    if (EVP_PKEY_get_raw_public_key(&key, bytes.data(), &size) != 1)
      throw std::runtime_error("a key's public part cannot be told");
    return fmt::format(R"({{"crv":"Ed25519","kty":"OKP","x":"{}"}})", base64url(text_of(bytes.data(), size)));
  }
  const bool small = EVP_PKEY_get_bits(&key) == 256;
  const std::size_t width = small ? 32 : 48;
  return fmt::format(R"({{"crv":"{}","kty":"EC","x":"{}","y":"{}"}})", small ? "P-256" : "P-384",
                     number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, width),
                     number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, width));
}

KeySigner::KeySigner(EVP_PKEY& key, TokenAlgorithm algorithm)
    : key_(key),
      traits_(traits(algorithm)),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      hash_(EVP_MD_CTX_new()),
      signature_(static_cast<std::size_t>(EVP_PKEY_get_size(&key))) {
  bool good = sha256_ && hash_;
  if (good && traits_.hash != nullptr) {
    digest_.reset(EVP_MD_fetch(nullptr, traits_.hash, nullptr));
    how_.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, &key, nullptr));
    good = digest_ && how_ && EVP_PKEY_sign_init(how_.get()) == 1 &&
           EVP_PKEY_CTX_set_signature_md(how_.get(), digest_.get()) == 1;
    if (good && traits_.family == KeyFamily::kRsa)
      good = EVP_PKEY_CTX_set_rsa_padding(how_.get(), RSA_PKCS1_PADDING) == 1;
    if (good && traits_.family == KeyFamily::kPss)  // RFC 7518 §3.5: the salt is as long as the digest
      good = EVP_PKEY_CTX_set_rsa_padding(how_.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(how_.get(), RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  if (!good) throw std::runtime_error(fmt::format("a key cannot sign with {}", traits_.name));
}

bool KeySigner::sign_digest(std::string_view input, std::size_t& size) {
  unsigned hashed = 0;
  return EVP_DigestInit_ex2(hash_.get(), digest_.get(), nullptr) == 1 &&
         EVP_DigestUpdate(hash_.get(), input.data(), input.size()) == 1 &&
         EVP_DigestFinal_ex(hash_.get(), hashed_.data(), &hashed) == 1 &&
         EVP_PKEY_sign(how_.get(), signature_.data(), &size, hashed_.data(), hashed) == 1;
}

std::string_view KeySigner::sign(std::string_view input) {
  std::size_t size = signature_.size();
  if (traits_.family != KeyFamily::kEdDsa) {
    if (!sign_digest(input, size)) return {};
    return traits_.family == KeyFamily::kEcdsa ? flat(size) : text_of(signature_.data(), size);
  }
  // It hashes what it signs itself, and OpenSSL 3.0 has no other way to it than a context made anew.
  if (EVP_MD_CTX_reset(hash_.get()) != 1 ||
      EVP_DigestSignInit(hash_.get(), nullptr, nullptr, nullptr, &key_) != 1 ||
      EVP_DigestSign(hash_.get(), signature_.data(), &size, bytes_of(input), input.size()) != 1)
    return {};
  return text_of(signature_.data(), size);
}

// ECDSA signatures come as ASN.1; RFC 7518 §3.4 wants R and S side by side, each of full width. Read by hand:
// a sequence of two integers shorter than 128 bytes, for which OpenSSL would allocate five times.
std::string_view KeySigner::flat(std::size_t size) {
  std::string_view der = text_of(signature_.data(), size);
  flat_.clear();
  if (der.size() < 2 || der[0] != 0x30 || static_cast<unsigned char>(der[1]) != der.size() - 2) return {};
  der.remove_prefix(2);
  if (!take_integer(der, flat_, traits_.half) || !take_integer(der, flat_, traits_.half)) return {};
  return flat_;
}

std::string_view KeySigner::sha256(std::string_view text) {
  unsigned size = 0;
  if (EVP_MD_CTX_reset(hash_.get()) != 1 || EVP_DigestInit_ex2(hash_.get(), sha256_.get(), nullptr) != 1 ||
      EVP_DigestUpdate(hash_.get(), text.data(), text.size()) != 1 ||
      EVP_DigestFinal_ex(hash_.get(), hashed_.data(), &size) != 1)
    return {};
  return text_of(hashed_.data(), size);
}

}  // namespace prove
