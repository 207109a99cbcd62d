// One key that verifies, by each of the algorithms that it fits and that its owner allows.
//
// Owner:    a Verifier, or the set of keys that an issuer publishes.
// Thread:   immutable, so any. For PS… and EdDSA each thread works in contexts of its own, made at its first
//           use of a key with an algorithm and kept, because making one costs more than an HMAC.
// Lifetime: a thread keeps the contexts of at most 256 keys and algorithms. Those of keys that are gone are
//           freed when the thread next makes one.
// Failure:  the constructor throws std::runtime_error with one line that says what is wrong with the key,
//           written to follow "key 1 (file staff.pem)"; the line never holds a byte of it. from_jwk() returns
//           such a line. verifies() answers false for whatever went wrong.
// Standard: RFC 7515 Appendix A, 7517 §4, 7518 §3 and §6, 8037 §2 and §3; RFC 8725 §3.1, §3.2, §3.5.
//
// Usage:    const VerificationKey key(rules.algorithms, material, "2026-11");
//           if (key.fits(row) && key.verifies(row, message, signature)) …
#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "config/model.h"
#include "identity/algorithm.h"
#include "identity/key_material.h"
#include "identity/openssl_handle.h"
#include "identity/public_verify.h"
#include "identity/sha2.h"

namespace identity {

class VerificationKey {
 public:
  // `material`: the PEM text of a public key, the text of a JWK (of a secret too), or the bytes of a secret.
  // These last must be allowed nothing but HMAC: nobody shall turn a public key into a secret by leaving out
  // the line that says it is one. `kid`: "" takes that of the JWK.
  VerificationKey(std::span<const config::Algorithm> allowed, const base::Secret& material, std::string kid);

  // A key of a published set: a public one, and nothing else.
  static std::expected<std::unique_ptr<const VerificationKey>, JwkRefusal> from_jwk(
      const boost::json::object& jwk, std::span<const config::Algorithm> allowed);

  bool fits(const AlgorithmRow& algorithm) const {
    return (fits_ >> static_cast<unsigned>(algorithm.algorithm) & 1) != 0;
  }
  const std::string& kid() const { return kid_; }  // "": none

  // Keyed by the process; of the key itself, its kid and what it fits: equal for the same key fetched or
  // loaded again.
  std::uint64_t fingerprint() const { return fingerprint_; }

  // How many the calling thread keeps, for tests.
  static std::size_t contexts_of_this_thread();

  // False also for an algorithm that it does not fit.
  bool verifies(const AlgorithmRow& algorithm, std::string_view message, std::string_view signature) const;

 private:
  struct Chosen {
    KeyMaterial material;
    std::uint32_t fits = 0;
  };
  static std::expected<Chosen, JwkRefusal> choose(std::span<const config::Algorithm> allowed,
                                                  KeyMaterial material);
  static Chosen choose_or_throw(std::span<const config::Algorithm> allowed, KeyMaterial material,
                                std::string kid);
  explicit VerificationKey(Chosen chosen);

  std::uint64_t context_id(const AlgorithmRow& algorithm) const;

  const std::string kid_;
  const std::uint32_t fits_;  // a bit for each config::Algorithm
  std::uint64_t fingerprint_ = 0;
  const std::uint64_t first_context_;  // one for each algorithm that it fits; unique within the process
  std::size_t signature_size_ = 0;     // bytes, where the algorithm leaves it to the key
  const detail::Handle<EVP_PKEY> public_key_;
  std::array<std::unique_ptr<const HmacKey>, 3> macs_;  // of a secret, for each hash that it may be used with
  std::unique_ptr<const PublicVerify> plain_;           // of an RSA or EC key
  const std::shared_ptr<const bool> alive_;  // by which threads know that their contexts are of use
};

}  // namespace identity
