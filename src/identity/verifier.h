// Verifies a JWT against the keys and rules of one configured identity: strictly, or not at all.
//
// Owner:    gateway::Snapshot.
// Thread:   immutable, so any; working contexts of the crypto library are thread-local.
// Lifetime: that of its snapshot; principals outlive it. Working contexts of a thread keep the keys of the
//           last few verifiers until others take their place.
// Standard: RFC 7515 (JWS compact serialization), 7518 §3, 7519 §4 and §7.2, 8725.
//
// Usage:    Verifier verifier(config.identities.at("staff"));          // throws VerifierError
//           auto principal = verifier.verify(token, base::wall_now()); // Ref<const Principal>, or a reason
//
// What is refused, whoever signed it: other than three parts; base64url with padding, foreign characters or
// stray bits; JSON with duplicate members at any depth (escaped names too), with anything before or after the
// object, invalid UTF-8, lone surrogates, numbers outside of double, or nested too deep; an algorithm that is
// not configured (so `none` in every spelling) or not the key's; a header that brings its own key or changes
// how the token is read (jwk, jku, x5u, x5c, crit, b64); a registered claim of a wrong type.
//
// Failures: Code::kUnauthorized with one of identity::reason. Never a byte of the token.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/ref.h"
#include "config/model.h"
#include "identity/principal.h"

namespace identity {

class VerificationKey;
struct AlgorithmRow;

// An identity that cannot verify anything as configured: one line, with the place in the configuration.
struct VerifierError : std::runtime_error {
  VerifierError(const std::string& what, int where) : std::runtime_error(what), line(where) {}
  int line;
};

class Verifier {
 public:
  explicit Verifier(const config::JwtIdentity& rules);
  ~Verifier();
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  base::Result<base::Ref<const Principal>> verify(std::string_view token, base::Wall now) const;

  // A fingerprint of keys and rules, keyed by the process: equal across reloads that change neither, so that
  // remembered tokens stay remembered.
  std::uint64_t id() const { return id_; }

 private:
  struct Header;

  const std::string issuer_;
  const std::vector<std::string> audience_;
  const base::Seconds leeway_;
  const bool require_exp_;
  const std::size_t max_token_;
  const std::vector<config::Algorithm> algorithms_;
  std::vector<std::unique_ptr<const VerificationKey>> keys_;
  std::uint64_t id_ = 0;

  void add_key(const config::JwtIdentity& rules, std::size_t index);
  void fingerprint();

  base::Result<> read_header(std::string_view encoded, Header& header) const;
  base::Result<const AlgorithmRow*> parse_header(std::string_view encoded,
                                                 std::optional<std::string>& kid) const;
  base::Result<> check_signature(const Header& header, std::string_view message,
                                 std::string_view encoded) const;
  base::Result<> read_claims(Principal& principal, base::Wall now) const;
};

}  // namespace identity
