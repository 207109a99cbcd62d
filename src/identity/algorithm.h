// The algorithms of JWS that Sekisho knows, a row each.
//
// Thread:   any; constants.
// Failure:  none.
// Standard: RFC 7518 §3.1 to §3.5, RFC 8037 §3.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/model.h"

namespace identity {

enum class Family : std::uint8_t { kHmac, kRsaPkcs1, kRsaPss, kEcdsa, kEddsa };

// Adding an algorithm is adding a row, and for a new family what VerificationKey and mint() do with it.
struct AlgorithmRow {
  config::Algorithm algorithm;
  std::string_view name;  // as `alg` spells it; compared exactly
  Family family;
  const char* digest;          // OpenSSL's name; null: the algorithm hashes by itself
  const char* curve;           // OpenSSL's name; null: none, or the key's own
  std::size_t signature_size;  // bytes: exactly this many; 0: as many as the key says
  std::size_t min_secret;      // bytes of an HMAC secret: the size of the hash

  // A key of this type ("RSA", "EC", "ED25519", …) on this curve, as OpenSSL calls them.
  bool takes(std::string_view type, std::string_view key_curve) const;
  std::string need() const;  // "ES256 needs an EC key on P-256", for messages
};

// Bytes; of an RSA key of 16,384 bits. No signature that any key takes is longer.
inline constexpr std::size_t kMaxSignature = 2048;

std::span<const AlgorithmRow> algorithms();
const AlgorithmRow& row_of(config::Algorithm algorithm);
const AlgorithmRow* algorithm_named(std::string_view name);  // null: not one of ours, `none` among them

}  // namespace identity
