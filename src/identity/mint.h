// Makes tokens and keys for `sekisho token` and `sekisho keygen`: a tool for people, never on a request path.
//
// Thread:   any; no state.
// Failure:  MintError with one clear line (no private key, wrong curve, a secret that is too short, a claim
//           without `=`).
// Standard: RFC 7515 §3.1, 7518 §3, 7519 §4.1.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "config/model.h"

namespace identity {

struct MintError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct MintRequest {
  std::string subject;
  std::string issuer;
  std::vector<std::string> audience;  // one: a string; several: an array; none: no `aud`
  std::string kid;
  base::Wall now{};                  // becomes `iat`
  std::optional<base::Seconds> ttl;  // none: no `exp`
  // Beyond these, and over them. A value that is JSON (12, true, ["a"]) stays JSON, else it is a string.
  std::vector<std::pair<std::string, std::string>> claims;
};

// `key`: the bytes of the secret for HS256, the PEM text of a private P-256 key for ES256. Every token has a
// random `jti`: two of one second differ.
std::string mint(config::Algorithm algorithm, const base::Secret& key, const MintRequest& request);

// "k=v" → {k, v}.
std::pair<std::string, std::string> parse_claim(std::string_view text);

// 32 random bytes as 43 characters of base64url, to be used as they stand.
base::Secret generate_secret();

struct KeyPair {
  base::Secret private_pem;
  std::string public_pem;
};
KeyPair generate_es256_keypair();

}  // namespace identity
