// Makes tokens and keys for `sekisho token` and `sekisho keygen`: a tool for people, never on a request path.
//
// Thread:   any; no state.
// Failure:  MintError with one clear line (no private key, wrong type or curve, a secret that is too short, a
//           claim without `=`).
// Standard: RFC 7515 §3.1, 7517 §4, 7518 §3, 7519 §4.1, 8037 §3.1.
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

// `key`: the bytes of a secret for HS…, the PEM text of a private key for the others. Every token has a
// random `jti`: two of one second differ.
std::string mint(config::Algorithm algorithm, const base::Secret& key, const MintRequest& request);

// "k=v" → {k, v}.
std::pair<std::string, std::string> parse_claim(std::string_view text);

// Random bytes, as many as the hash has, as base64url: 43 characters for HS256, to be used as they stand.
base::Secret generate_secret(config::Algorithm algorithm = config::Algorithm::kHS256);

struct KeyPair {
  base::Secret private_pem;
  std::string public_pem;
  std::string public_jwk;  // one line
};
// RSA has 2,048 bits, EdDSA is Ed25519. `kid`: "" leaves it out of the JWK.
KeyPair generate_keypair(config::Algorithm algorithm, std::string_view kid = "");

}  // namespace identity
