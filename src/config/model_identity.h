// Who callers are, in the model: identities, their keys, and rules over claims.
//
// Owner, thread, lifetime: as model.h says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/secret.h"
#include "config/model_net.h"

namespace config {

// ---- what must hold for the claims of a token

using ClaimValue = std::variant<bool, std::int64_t, double, std::string>;

struct ClaimRule {
  enum class Kind : std::uint8_t { kAll, kAny, kNot, kTest } kind = Kind::kTest;
  enum class Test : std::uint8_t {
    kEquals,
    kIn,
    kContains,
    kSubstring,
    kGt,
    kLt,
    kGte,
    kLte,
    kExists
  } test = Test::kEquals;
  std::vector<ClaimRule> rules;    // of kAll and kAny: one or more; of kNot: one
  std::string claim;               // of kTest: a path, `realm_access.roles[*]`, `["https://x.test/roles"][0]`
  std::vector<ClaimValue> values;  // of kIn: one or more; of kExists: a bool; else one
  int line = 0;
};

enum class Algorithm : std::uint8_t {
  kHS256,
  kHS384,
  kHS512,
  kRS256,
  kRS384,
  kRS512,
  kPS256,
  kPS384,
  kPS512,
  kES256,
  kES384,
  kEdDSA,
};

struct Key {
  std::string kid;                     // "": tried for every token without one, and for any
  std::optional<Algorithm> algorithm;  // needed where the identity lists several
  base::Secret material;               // PEM text, a JWK, or the bytes of an HMAC secret
  std::string source;                  // "file staff.pem", "env KEY", "inline": for messages, never the bytes
  int line = 0;
};

struct TokenSource {
  enum class Kind : std::uint8_t { kBearer, kHeader, kQuery, kCookie } kind = Kind::kBearer;
  std::string name;                            // of the header, the query parameter or the cookie
  std::string prefix;                          // taken off a header's value, e.g. "Token "
  std::vector<std::string> allowed_origins{};  // whose pages may use the cookie, beside our own

  friend bool operator==(const TokenSource&, const TokenSource&) = default;
};

struct Jwks {              // keys that the issuer publishes
  std::optional<Url> url;  // none: the issuer's discovery document says where
  Millis timeout{5'000};   // of one fetch, name to last byte
  Seconds min_ttl{60};     // bounds of what the reply's Cache-Control says
  Seconds max_ttl{3'600};
  Seconds ttl{300};           // where it says nothing
  Seconds cooldown{10};       // between two fetches for a `kid` that is not known
  Seconds max_stale{86'400};  // how long the last good keys serve on while the endpoint is down; 0: for ever
  OriginTls tls;
};

struct JwtIdentity {
  std::string name;
  int line = 0;
  std::string issuer;                    // "": not checked
  std::vector<std::string> audience;     // one of these must be in aud; empty: not checked
  std::vector<Algorithm> algorithms;     // at least one
  std::vector<Key> keys;                 // with jwks: may be empty
  std::optional<Jwks> jwks;              // `jwks: URL`, or `discovery: on`
  std::vector<std::string> token_types;  // of the header's `typ`; "none": it is absent; empty: the usual ones
  std::vector<TokenSource> from;         // default: bearer
  Seconds leeway{30};                    // for exp, nbf and iat
  bool require_exp = true;
  bool optional = false;              // readiness stays green while there are no published keys
  std::uint64_t max_token = 8 << 10;  // bytes
};

}  // namespace config
