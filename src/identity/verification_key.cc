#include "identity/verification_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>

#include "base/siphash.h"
#include "identity/constant_time.h"

namespace identity {

namespace {

constexpr std::size_t kMaxDigest = 64;
constexpr std::size_t kMaxCoordinate = 66;  // of P-521

// Looked up once: OpenSSL 3's implicit fetch takes a lock that all threads share.
EVP_MAC* fetched_hmac() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return mac;
}
EVP_MD* fetched_digest(const char* name) {
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return std::strcmp(name, "SHA256") == 0 ? sha256 : nullptr;
}

// The contexts of one thread for one key. They live in a small table that is indexed by the key's serial
// number; a newer key takes the place of an older one, so that retired verifiers leave no more than this
// behind.
struct Working {
  std::uint64_t serial = 0;
  detail::Handle<EVP_MAC_CTX> mac;
  detail::Handle<EVP_PKEY_CTX> pkey;
  detail::Handle<EVP_MD_CTX> digest;
};

Working& working(std::uint64_t serial) {
  thread_local std::array<Working, 16> table;
  Working& w = table[serial % table.size()];
  if (w.serial != serial) w = Working{serial, nullptr, nullptr, nullptr};
  return w;
}

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

// One unsigned big-endian number as an INTEGER of DER: no leading zeros, but one where the sign bit is set.
unsigned char* put_integer(std::string_view number, unsigned char* out) {
  while (number.size() > 1 && number[0] == 0) number.remove_prefix(1);
  const bool pad = (static_cast<unsigned char>(number[0]) & 0x80) != 0;
  *out++ = 0x02;
  *out++ = static_cast<unsigned char>(number.size() + (pad ? 1 : 0));
  if (pad) *out++ = 0;
  std::memcpy(out, number.data(), number.size());
  return out + number.size();
}

// r||s → the DER that OpenSSL wants. Returns its size.
std::size_t ecdsa_der(std::string_view raw, std::array<unsigned char, 2 * kMaxCoordinate + 16>& der) {
  const std::size_t half = raw.size() / 2;
  std::array<unsigned char, 2 * kMaxCoordinate + 8> body;
  unsigned char* end = put_integer(raw.substr(0, half), body.data());
  end = put_integer(raw.substr(half), end);
  const auto size = static_cast<std::size_t>(end - body.data());
  unsigned char* out = der.data();
  *out++ = 0x30;
  if (size >= 0x80) *out++ = 0x81;
  *out++ = static_cast<unsigned char>(size);
  std::memcpy(out, body.data(), size);
  return static_cast<std::size_t>(out - der.data()) + size;
}

[[noreturn]] void refuse(const std::string& what) {
  ERR_clear_error();
  throw std::runtime_error(what);
}

detail::Handle<EVP_MAC_CTX> keyed_hmac(const AlgorithmRow& algorithm, std::string_view secret) {
  if (!pem_label(secret).empty())
    refuse("is PEM (" + std::string(pem_label(secret)) + "), but " + std::string(algorithm.name) +
           " needs a shared secret");
  if (secret.size() < algorithm.min_secret)
    refuse("is " + std::to_string(secret.size()) + " bytes long; " + std::string(algorithm.name) +
           " needs a secret of at least " + std::to_string(algorithm.min_secret));
  detail::Handle<EVP_MAC_CTX> mac(fetched_hmac() ? EVP_MAC_CTX_new(fetched_hmac()) : nullptr);
  const std::array params{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(algorithm.digest), 0),
      OSSL_PARAM_construct_end()};
  if (!mac || EVP_MAC_init(mac.get(), bytes(secret), secret.size(), params.data()) != 1)
    refuse("cannot be used: the crypto library has no HMAC");
  return mac;
}

int no_passphrase(char*, int, int, void*) {
  return -1;
}

detail::Handle<EVP_PKEY> public_key(const AlgorithmRow& algorithm, std::string_view pem) {
  const std::string_view label = pem_label(pem);
  if (label.empty()) refuse("is not PEM: it does not begin with -----BEGIN PUBLIC KEY-----");
  if (label.find("ENCRYPTED") != label.npos || pem.find("Proc-Type: 4,ENCRYPTED") != pem.npos)
    refuse("is a private key with a passphrase; give the public one (openssl pkey -in FILE -pubout)");
  if (label.find("PRIVATE KEY") != label.npos)
    refuse("is a private key; give the public one (openssl pkey -in FILE -pubout)");
  if (label.find("CERTIFICATE") != label.npos)
    refuse("is a certificate; give its public key (openssl x509 -in FILE -pubkey -noout)");
  if (label != "PUBLIC KEY") refuse("is PEM of another kind (" + std::string(label) + "), not PUBLIC KEY");
  const std::size_t end = pem.find("-----END");
  if (end != pem.npos && pem.find("-----BEGIN", end) != pem.npos)
    refuse("holds more than one PEM block; give each key an entry of its own");

  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  detail::Handle<EVP_PKEY> key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) refuse("is malformed PEM");
  if (EVP_PKEY_is_a(key.get(), "EC") != 1) {
    const char* kind = EVP_PKEY_get0_type_name(key.get());
    refuse("is a key for " + std::string(kind ? kind : "something else") + "; " +
           std::string(algorithm.name) + " needs an EC key on " + algorithm.curve);
  }
  std::array<char, 64> curve{};
  EVP_PKEY_get_group_name(key.get(), curve.data(), curve.size(), nullptr);
  if (std::string_view(curve.data()) != algorithm.curve)
    refuse("is on the curve " + std::string(curve.data()) + "; " + std::string(algorithm.name) + " needs " +
           algorithm.curve + " (P-256)");
  const detail::Handle<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) refuse("is no point of its curve");
  return key;
}

}  // namespace

namespace detail {
void Free::operator()(EVP_MAC_CTX* p) const {
  EVP_MAC_CTX_free(p);
}
void Free::operator()(EVP_PKEY_CTX* p) const {
  EVP_PKEY_CTX_free(p);
}
void Free::operator()(EVP_PKEY* p) const {
  EVP_PKEY_free(p);
}
void Free::operator()(EVP_MD_CTX* p) const {
  EVP_MD_CTX_free(p);
}
}  // namespace detail

std::string_view pem_label(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos || !text.substr(begin).starts_with(kBegin)) return {};
  text.remove_prefix(begin + kBegin.size());
  const std::size_t end = text.find("-----");
  if (end == text.npos || end == 0 || end > 40) return "unreadable";
  return text.substr(0, end);
}

VerificationKey::VerificationKey(std::span<const config::Algorithm> allowed, const base::Secret& material,
                                 std::string kid)
    : kid_(std::move(kid)), serial_(next_serial()) {
  if (material.empty()) refuse("is empty");
  const AlgorithmRow& algorithm = row_of(allowed.front());
  if (algorithm.family == Family::kHmac)
    mac_ = keyed_hmac(algorithm, material.reveal());
  else
    public_key_ = public_key(algorithm, material.reveal());
  fits_ = 1U << static_cast<unsigned>(algorithm.algorithm);
  fingerprint_ = base::siphash(material.reveal());
}

std::expected<std::unique_ptr<const VerificationKey>, JwkRefusal> VerificationKey::from_jwk(
    const boost::json::object&, std::span<const config::Algorithm>) {
  return std::unexpected(JwkRefusal{true, "is not read yet"});
}

bool VerificationKey::verifies(const AlgorithmRow& algorithm, std::string_view message,
                               std::string_view signature) const {
  if (!fits(algorithm) || signature.size() != algorithm.signature_size) return false;
  if (algorithm.family == Family::kHmac) return verifies_hmac(message, signature);
  return verifies_ecdsa(algorithm, message, signature);
}

bool VerificationKey::verifies_hmac(std::string_view message, std::string_view signature) const {
  Working& w = working(serial_);
  if (!w.mac) w.mac.reset(EVP_MAC_CTX_dup(mac_.get()));
  std::array<unsigned char, kMaxDigest> expected;
  std::size_t size = 0;
  return w.mac && EVP_MAC_init(w.mac.get(), nullptr, 0, nullptr) == 1 &&
         EVP_MAC_update(w.mac.get(), bytes(message), message.size()) == 1 &&
         EVP_MAC_final(w.mac.get(), expected.data(), &size, expected.size()) == 1 &&
         equal_in_constant_time({reinterpret_cast<const char*>(expected.data()), size}, signature);
}

bool VerificationKey::verifies_ecdsa(const AlgorithmRow& algorithm, std::string_view message,
                                     std::string_view signature) const {
  Working& w = working(serial_);
  if (!w.pkey) {
    detail::Handle<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, public_key_.get(), nullptr));
    if (!context || EVP_PKEY_verify_init(context.get()) != 1) return false;
    w.pkey = std::move(context);
    w.digest.reset(EVP_MD_CTX_new());
  }
  std::array<unsigned char, kMaxDigest> hash;
  unsigned size = 0;
  if (EVP_DigestInit_ex2(w.digest.get(), fetched_digest(algorithm.digest), nullptr) != 1 ||
      EVP_DigestUpdate(w.digest.get(), message.data(), message.size()) != 1 ||
      EVP_DigestFinal_ex(w.digest.get(), hash.data(), &size) != 1)
    return false;
  std::array<unsigned char, 2 * kMaxCoordinate + 16> der;
  const std::size_t der_size = ecdsa_der(signature, der);
  if (EVP_PKEY_verify(w.pkey.get(), der.data(), der_size, hash.data(), size) == 1) return true;
  ERR_clear_error();  // this thread's queue is also what TLS reads its failures from
  return false;
}

}  // namespace identity
