// What a key is written as, read: PEM, and JSON Web Keys. What it may be used for is VerificationKey's to
// say.
//
// Owner:    whoever reads; nothing is kept.
// Thread:   any; no state.
// Failure:  one line, written to follow "key 1 (file staff.pem)", that holds no byte of the key. OpenSSL's
//           queue of errors is left empty.
// Standard: RFC 7468 §13 (PUBLIC KEY); RFC 7517 §4, 7518 §6, 8037 §2; RFC 8725 §3.5.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "identity/algorithm.h"
#include "identity/openssl_handle.h"

namespace identity {

// `foreign`: the key is for something else than verifying tokens, as a published set may well hold; otherwise
// it is wrong in itself, and somebody should know.
struct JwkRefusal {
  bool foreign = false;
  std::string why;
};

// Either a public key, sound in itself, or a secret.
struct KeyMaterial {
  detail::Handle<EVP_PKEY> public_key;
  base::Secret secret;
  std::string kid;                          // "": it names none
  const AlgorithmRow* algorithm = nullptr;  // the only one it is for; null: it does not say
};

// What kind of PEM a text is, by its first line, for messages: "" when it is none.
std::string_view pem_label(std::string_view text);

// One block, PUBLIC KEY.
std::expected<KeyMaterial, std::string> read_pem(std::string_view text);

enum class Secrets : std::uint8_t { kRefused, kTaken };  // `kty: oct`

// A private key is refused in any case.
std::expected<KeyMaterial, JwkRefusal> read_jwk(const boost::json::object& jwk, Secrets secrets);
std::expected<KeyMaterial, JwkRefusal> read_jwk_text(std::string_view text, Secrets secrets);

// RSA of 2,048 to 16,384 bits with an odd exponent of at most 64; a point of its curve. Says what is wrong,
// or nothing.
std::string unsound(EVP_PKEY* key);

// "RSA", "EC", "ED25519", …
std::string_view type_of(const EVP_PKEY* key);
// As OpenSSL calls it: "prime256v1"; "" where there is none.
std::string curve_of(const EVP_PKEY* key);

// The members that make the key what it is (RFC 7638 §3.2): equal for equal keys, however they were written.
boost::json::object public_jwk(const EVP_PKEY* key);

}  // namespace identity
