#include "identity/verification_key.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <vector>

#include "base/siphash.h"
#include "identity/constant_time.h"

namespace identity {

namespace {

using config::Algorithm;
using detail::Handle;

constexpr std::size_t kEd25519Signature = 64;
constexpr std::size_t kEd448Signature = 114;

Sha2 hash_of(const AlgorithmRow& algorithm) {
  return algorithm.digest[3] == '2' ? Sha2::k256 : algorithm.digest[3] == '3' ? Sha2::k384 : Sha2::k512;
}

// Looked up once: OpenSSL 3's implicit fetch takes a lock that all threads share.
EVP_MD* fetched_digest(Sha2 hash) {
  static const std::array<EVP_MD*, 3> digests{EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                              EVP_MD_fetch(nullptr, "SHA384", nullptr),
                                              EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  return digests[static_cast<std::size_t>(hash)];
}

constexpr std::uint32_t bit_of(Algorithm algorithm) {
  return std::uint32_t{1} << static_cast<unsigned>(algorithm);
}

const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

// ---- what a thread works in

// The contexts of one thread for one key and one algorithm.
struct Working {
  std::uint64_t id = 0;
  std::weak_ptr<const bool> key;
  Handle<EVP_PKEY_CTX> pss;
  Handle<EVP_MD_CTX> eddsa;
};

// Found by the id's place, so that the last 256 never meet. A newer one takes the place of an older one;
// those whose key is gone are freed when a new one comes, so that fetched and retired keys leave nothing
// behind.
std::vector<Working>& contexts() {
  thread_local std::vector<Working> table(256);
  return table;
}

Working& working(std::uint64_t id, const std::shared_ptr<const bool>& key) {
  std::vector<Working>& table = contexts();
  Working& w = table[id % table.size()];
  if (w.id != id) {
    for (Working& one : table)
      if (one.id != 0 && one.key.expired()) one = Working{};
    w = Working{id, key, nullptr, nullptr};
  }
  return w;
}

std::uint64_t next_contexts(std::uint32_t fits) {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(static_cast<std::uint64_t>(std::popcount(fits)), std::memory_order_relaxed);
}

// ---- families

Handle<EVP_PKEY_CTX> pss_context(EVP_MD* hash, EVP_PKEY* key) {
  Handle<EVP_PKEY_CTX> made(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  EVP_PKEY_CTX* const context = made.get();
  // The salt as long as the hash, and the same hash in MGF1.
  const bool ready = context && EVP_PKEY_verify_init(context) == 1 &&
                     EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                     EVP_PKEY_CTX_set_signature_md(context, hash) == 1 &&
                     EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1 &&
                     EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
  return ready ? std::move(made) : nullptr;
}

bool verifies_pss(Working& w, Sha2 hash, EVP_PKEY* key, std::string_view message,
                  std::string_view signature) {
  if (!w.pss) w.pss = pss_context(fetched_digest(hash), key);
  const Digest digest = sha2(hash, message);
  return w.pss && EVP_PKEY_verify(w.pss.get(), bytes(signature), signature.size(), digest.bytes.data(),
                                  digest.size) == 1;
}

// The context is used again as it is: OpenSSL 3.0 cannot start it anew and needs not to. Later ones refuse a
// second message in one (EVP_R_FINAL_ERROR), so they get a new one each time.
bool verifies_eddsa(Working& w, EVP_PKEY* key, std::string_view message, std::string_view signature) {
  static const bool serves_again = OpenSSL_version_num() < 0x30100000;
  if (!w.eddsa || !serves_again) {
    Handle<EVP_MD_CTX> context(EVP_MD_CTX_new());
    if (!context ||
        EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key, nullptr) != 1)
      return false;
    w.eddsa = std::move(context);
  }
  return EVP_DigestVerify(w.eddsa.get(), bytes(signature), signature.size(), bytes(message),
                          message.size()) == 1;
}

// ---- which algorithms a key fits

bool takes(const AlgorithmRow& algorithm, const KeyMaterial& key) {
  if (!key.public_key) return algorithm.family == Family::kHmac;
  return algorithm.takes(type_of(key.public_key.get()), curve_of(key.public_key.get()));
}

// "is a key for RSA; ES256 needs an EC key on P-256"
std::string misfit(const KeyMaterial& key, std::span<const Algorithm> allowed) {
  std::string text = "is a secret";
  if (key.public_key) {
    const std::string_view type = type_of(key.public_key.get());
    text = type == "EC" ? "is on the curve " + curve_of(key.public_key.get())
                        : "is a key for " + std::string(type);
  }
  for (std::size_t i = 0; i < allowed.size(); ++i) text += (i == 0 ? "; " : ", ") + row_of(allowed[i]).need();
  return text;
}

// A secret that holds what everybody may know is none.
bool looks_public(std::string_view secret) {
  return secret.contains("-----BEGIN ") || secret.starts_with("ssh-") || secret.starts_with("ecdsa-sha2-");
}

// A JWK begins and ends with braces. Bytes drawn by chance that do, too, are one secret of 65,536.
bool looks_like_jwk(std::string_view text, bool secrets_allowed) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  return begin != text.npos && text[begin] == '{' &&
         (!secrets_allowed || text[text.find_last_not_of(kSpace)] == '}');
}

KeyMaterial read(std::span<const Algorithm> allowed, const base::Secret& written) {
  const std::string_view text = written.reveal();
  const auto is_hmac = [](Algorithm one) { return row_of(one).family == Family::kHmac; };
  const bool secrets = std::ranges::any_of(allowed, is_hmac);
  const bool only_secrets = std::ranges::all_of(allowed, is_hmac);
  if (allowed.empty()) throw std::runtime_error("is for no algorithm");
  if (text.empty()) throw std::runtime_error("is empty");

  if (looks_like_jwk(text, secrets)) {
    auto material = read_jwk_text(text, secrets ? Secrets::kTaken : Secrets::kRefused);
    if (!material) throw std::runtime_error(material.error().why);
    return *std::move(material);
  }
  if (!only_secrets && !pem_label(text).empty()) {
    auto material = read_pem(text);
    if (!material) throw std::runtime_error(material.error());
    return *std::move(material);
  }
  if (!secrets)
    throw std::runtime_error(
        "is not PEM: it does not begin with -----BEGIN PUBLIC KEY-----, nor is it a JWK");
  if (looks_public(text))
    throw std::runtime_error("is PEM or another form of a public key, but " + row_of(allowed.front()).need());
  if (!only_secrets)
    throw std::runtime_error("is neither PEM nor a JWK; if it is a secret, say for which algorithm");
  return {nullptr, written, "", nullptr};
}

// Keyed by the process, so that a secret in it cannot be guessed at.
std::uint64_t fingerprint_of(const KeyMaterial& material, std::string_view kid, std::uint32_t fits) {
  std::string all(kid);
  const std::uint64_t lengths[]{kid.size(), fits};  // so that a kid does not run into the key
  all.append(reinterpret_cast<const char*>(lengths), sizeof lengths);
  if (material.public_key)
    all += boost::json::serialize(public_jwk(material.public_key.get()));
  else
    all += material.secret.reveal();
  const std::uint64_t result = base::siphash(all);
  OPENSSL_cleanse(all.data(), all.size());
  return result;
}

}  // namespace

std::expected<VerificationKey::Chosen, JwkRefusal> VerificationKey::choose(std::span<const Algorithm> allowed,
                                                                           KeyMaterial material) {
  Chosen chosen;
  for (const Algorithm one : allowed) {
    const AlgorithmRow& row = row_of(one);
    if (!takes(row, material) || (material.algorithm && material.algorithm != &row)) continue;
    if (row.family == Family::kHmac && material.secret.reveal().size() < row.min_secret)
      return std::unexpected(JwkRefusal{false, "is " + std::to_string(material.secret.reveal().size()) +
                                                   " bytes long; " + std::string(row.name) +
                                                   " needs a secret of at least " +
                                                   std::to_string(row.min_secret)});
    chosen.fits |= bit_of(one);
  }
  if (chosen.fits != 0) {
    chosen.material = std::move(material);
    return chosen;
  }
  if (material.algorithm && !takes(*material.algorithm, material))
    return std::unexpected(
        JwkRefusal{false, "is a JWK whose `alg` says " + std::string(material.algorithm->name) + ", but it " +
                              misfit(material, std::span(&material.algorithm->algorithm, 1))});
  if (material.algorithm && std::ranges::find(allowed, material.algorithm->algorithm) == allowed.end())
    return std::unexpected(JwkRefusal{true, "is a JWK whose `alg` says " +
                                                std::string(material.algorithm->name) +
                                                ", which is not among the algorithms it may be used for"});
  return std::unexpected(JwkRefusal{true, misfit(material, allowed)});
}

VerificationKey::Chosen VerificationKey::choose_or_throw(std::span<const Algorithm> allowed,
                                                         KeyMaterial material, std::string kid) {
  if (kid.empty()) kid = material.kid;
  if (!material.kid.empty() && material.kid != kid)
    throw std::runtime_error("is a JWK with another `kid` than the configuration gives it");
  material.kid = std::move(kid);
  auto chosen = choose(allowed, std::move(material));
  if (!chosen) throw std::runtime_error(chosen.error().why);
  return *std::move(chosen);
}

VerificationKey::VerificationKey(std::span<const Algorithm> allowed, const base::Secret& material,
                                 std::string kid)
    : VerificationKey(choose_or_throw(allowed, read(allowed, material), std::move(kid))) {}

VerificationKey::VerificationKey(Chosen chosen)
    : kid_(std::move(chosen.material.kid)),
      fits_(chosen.fits),
      fingerprint_(fingerprint_of(chosen.material, kid_, fits_)),
      first_context_(next_contexts(fits_)),
      public_key_(std::move(chosen.material.public_key)),
      alive_(std::make_shared<const bool>(true)) {
  for (const AlgorithmRow& row : algorithms()) {
    if (!fits(row)) continue;
    if (row.family == Family::kHmac)
      macs_[static_cast<std::size_t>(hash_of(row))] =
          std::make_unique<const HmacKey>(hash_of(row), chosen.material.secret.reveal());
    if (row.family == Family::kRsaPss && !fetched_digest(hash_of(row)))
      throw std::runtime_error("cannot be used: the crypto library has no " + std::string(row.name));
  }
  if (!public_key_) return;
  const std::string_view type = type_of(public_key_.get());
  if (type == "RSA") signature_size_ = static_cast<std::size_t>(EVP_PKEY_get_size(public_key_.get()));
  if (type == "ED25519") signature_size_ = kEd25519Signature;
  if (type == "ED448") signature_size_ = kEd448Signature;
  if (type != "RSA" && type != "EC") return;
  plain_ = std::make_unique<const PublicVerify>(public_key_.get());
  ERR_clear_error();
  if (!plain_->usable()) throw std::runtime_error("cannot be used by the crypto library");
}

std::expected<std::unique_ptr<const VerificationKey>, JwkRefusal> VerificationKey::from_jwk(
    const boost::json::object& jwk, std::span<const Algorithm> allowed) {
  auto material = read_jwk(jwk, Secrets::kRefused);
  if (!material) return std::unexpected(std::move(material.error()));
  auto chosen = choose(allowed, *std::move(material));
  if (!chosen) return std::unexpected(std::move(chosen.error()));
  return std::unique_ptr<const VerificationKey>(new VerificationKey(*std::move(chosen)));
}

std::size_t VerificationKey::contexts_of_this_thread() {
  return static_cast<std::size_t>(
      std::ranges::count_if(contexts(), [](const Working& w) { return w.id != 0; }));
}

std::uint64_t VerificationKey::context_id(const AlgorithmRow& algorithm) const {
  const std::uint32_t before = fits_ & (bit_of(algorithm.algorithm) - 1);
  return first_context_ + static_cast<std::uint64_t>(std::popcount(before));
}

bool VerificationKey::verifies(const AlgorithmRow& algorithm, std::string_view message,
                               std::string_view signature) const {
  if (!fits(algorithm)) return false;
  const std::size_t size = algorithm.signature_size != 0 ? algorithm.signature_size : signature_size_;
  if (signature.size() != size) return false;
  bool good = false;
  switch (algorithm.family) {
    case Family::kHmac: {
      const Sha2 hash = hash_of(algorithm);
      return equal_in_constant_time(macs_[static_cast<std::size_t>(hash)]->mac(message).text(), signature);
    }
    case Family::kRsaPkcs1:
    case Family::kEcdsa:
      good = plain_->verifies(hash_of(algorithm), message, signature);
      break;
    case Family::kRsaPss:
      good = verifies_pss(working(context_id(algorithm), alive_), hash_of(algorithm), public_key_.get(),
                          message, signature);
      break;
    case Family::kEddsa:
      good = verifies_eddsa(working(context_id(algorithm), alive_), public_key_.get(), message, signature);
      break;
  }
  if (!good) ERR_clear_error();  // this thread's queue is also what TLS reads its failures from
  return good;
}

}  // namespace identity
