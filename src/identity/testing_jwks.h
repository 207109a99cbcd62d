// What the tests of published keys share: signers whose keys stand in a JWK Set, and an issuer that is asked.
//
// Thread:   any; no state. Never part of the room's library.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "identity/key_source.h"
#include "identity/mint.h"
#include "identity/testing.h"

namespace identity {

struct TestSigner {
  explicit TestSigner(std::string name, config::Algorithm a = config::Algorithm::kES256)
      : kid(std::move(name)), algorithm(a), pair(generate_keypair(a, kid)) {}

  // Good at kNow. "" as kid: a token without one.
  std::string token_named(const std::string& name, const std::string& issuer = "https://id.test") const {
    MintRequest request;
    request.issuer = issuer;
    request.audience = {"sekisho"};
    request.subject = "ann";
    request.kid = name;
    request.now = kNow;
    request.ttl = base::Seconds(3600);
    return mint(algorithm, pair.private_pem, request);
  }
  std::string token(const std::string& issuer = "https://id.test") const { return token_named(kid, issuer); }

  std::string kid;
  config::Algorithm algorithm;
  KeyPair pair;
};

inline std::string jwks_of(std::initializer_list<const TestSigner*> signers) {
  std::string out = R"({"keys":[)";
  for (const TestSigner* one : signers) out += (out.ends_with('[') ? "" : ",") + one->pair.public_jwk;
  return out + "]}";
}

// An identity of ES256 whose issuer publishes its keys at a place of its own.
inline config::JwtIdentity published_rules() {
  config::JwtIdentity rules = hs256_rules();
  rules.algorithms = {config::Algorithm::kES256};
  rules.keys.clear();
  rules.jwks.emplace();
  rules.jwks->url = config::Url{.tls = true, .host = "id.test", .port = 443, .path = "/keys"};
  return rules;
}

inline KeySource::Reply reply_of(std::string body, std::optional<base::Seconds> lifetime = {}) {
  return {.complete = true, .status = 200, .body = std::move(body), .lifetime = lifetime, .why = {}};
}
inline KeySource::Reply no_reply() {
  return {.complete = false, .body = {}, .why = "connection refused"};
}

// One refresh as the driver does it, of an issuer that needs no discovery. False: nothing was due.
inline bool refresh(KeySource& source, const KeySource::Reply& reply, base::Mono now) {
  if (!source.begin(now)) return false;
  source.fetched(reply, now);
  return true;
}

}  // namespace identity
