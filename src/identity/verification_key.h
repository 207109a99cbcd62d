// The algorithms of JWS, a row each, and one key that verifies by one of them.
//
// Owner:    a Verifier.
// Thread:   immutable, so any. Each thread works in contexts of its own, made at its first use of a key and
//           kept, because making one costs more than an HMAC.
// Failure:  the constructor throws std::runtime_error with one line that says what is wrong with the key; the
//           line never holds a byte of it. verifies() answers false for whatever went wrong.
// Standard: RFC 7518 §3.1, §3.2, §3.4; RFC 8725 §3.2, §3.5.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "config/model.h"

namespace identity {

enum class Family : std::uint8_t { kHmac, kEcdsa };

// Adding an algorithm is adding a row, and for a new family what check_signature does with it.
struct AlgorithmRow {
  config::Algorithm algorithm;
  std::string_view name;  // as `alg` spells it; compared exactly
  Family family;
  const char* digest;          // OpenSSL's name
  const char* curve;           // OpenSSL's name, null where there is none
  std::size_t signature_size;  // bytes: exactly this many
  std::size_t min_secret;      // bytes of an HMAC secret: the size of the hash
};

const AlgorithmRow& row_of(config::Algorithm algorithm);
const AlgorithmRow* algorithm_named(std::string_view name);  // null: not one of ours, `none` among them

namespace detail {
struct Free {
  void operator()(EVP_MAC_CTX* p) const;
  void operator()(EVP_PKEY_CTX* p) const;
  void operator()(EVP_PKEY* p) const;
  void operator()(EVP_MD_CTX* p) const;
};
template <class T>
using Handle = std::unique_ptr<T, Free>;
}  // namespace detail

class VerificationKey {
 public:
  // `material`: PEM text of a public key, or the bytes of a secret.
  VerificationKey(const AlgorithmRow& algorithm, const base::Secret& material, std::string kid);

  const AlgorithmRow& algorithm() const { return algorithm_; }
  const std::string& kid() const { return kid_; }

  bool verifies(std::string_view message, std::string_view signature) const;

 private:
  bool verifies_hmac(std::string_view message, std::string_view signature) const;
  bool verifies_ecdsa(std::string_view message, std::string_view signature) const;

  const AlgorithmRow& algorithm_;
  const std::string kid_;
  const std::uint64_t serial_;       // of this object within the process: names its contexts in each thread
  detail::Handle<EVP_MAC_CTX> mac_;  // keyed; duplicated, never used itself
  detail::Handle<EVP_PKEY> public_key_;
};

// What kind of PEM a text is, by its first line, for messages: "" when it is none.
std::string_view pem_label(std::string_view text);

}  // namespace identity
