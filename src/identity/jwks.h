// The two documents that an issuer publishes: its keys, and where they are.
//
// Thread:   any; pure functions.
// Failure:  one line to follow "its reply", without a byte of a key. Both texts are read as strictly as a
//           token: one JSON object, no duplicate members, valid UTF-8, nothing behind it.
// Standard: RFC 7517 §5; OpenID Connect Discovery 1.0 §3, §4.1, §4.3.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace identity {

class VerificationKey;

inline constexpr std::size_t kMaxPublishedKeys = 100;  // of a set; those behind are left out

struct PublishedKeys {
  std::vector<std::shared_ptr<const VerificationKey>> keys;  // none twice
  std::size_t skipped = 0;                                   // of those that were looked at
  std::vector<std::string> wrong;  // of the skipped: those that should be usable and are not, a line each
};
std::expected<PublishedKeys, std::string> parse_jwks(std::string_view text,
                                                     std::span<const config::Algorithm> allowed);

struct DiscoveryFault {
  bool issuer_mismatch = false;
  std::string why;
};
std::expected<config::Url, DiscoveryFault> parse_discovery(std::string_view text, const std::string& issuer);

// Where an issuer's discovery document is. Its path, like that of every URL here, is as written.
std::expected<config::Url, std::string> discovery_url(const std::string& issuer);

}  // namespace identity
