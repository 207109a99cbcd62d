// Verifies a JWT against the keys and rules of one configured identity: strictly, or not at all. The keys are
// those of the configuration and those that the issuer publishes now.
//
// Owner:    gateway::Snapshot.
// Thread:   immutable, so any; working contexts of the crypto library are thread-local.
// Lifetime: that of its snapshot; principals outlive it. Working contexts of a thread keep the keys of the
//           last few verifiers until others take their place.
// Standard: RFC 7515 (JWS compact serialization), 7518 §3, 7519 §4 and §7.2, 8725.
//
// Usage:    const config::JwtIdentity& rules = config.identities.at("staff");
//           Verifier verifier(rules, key_sources().source_for(rules)); // throws VerifierError
//           auto principal = verifier.verify(token, base::wall_now()); // Ref<const Principal>, or a reason
//
// What is refused, whoever signed it: other than three parts; base64url with padding, foreign characters or
// stray bits; JSON with duplicate members at any depth (escaped names too), with anything but white space
// before or after the object, invalid UTF-8, lone surrogates, numbers outside of double, or nested too deep;
// an algorithm that is not configured (so `none` in every spelling) or not the key's; a header that brings
// its own key or changes how the token is read (jwk, jku, x5u, x5c, crit, b64); a `typ` that is not accepted,
// or claims of a security event; a token bound to a key (cnf), since nobody asks for its proof; a registered
// claim of a wrong type.
//
// Failures: Code::kUnauthorized with one of identity::reason; Code::kIdentityUnavailable when the token may
//           well be good, but no key to see it by has come yet. Never a byte of the token.
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

class KeySource;
class VerificationKey;
struct AlgorithmRow;

// An identity that cannot verify anything as configured: one line, with the place in the configuration.
struct VerifierError : std::runtime_error {
  VerifierError(const std::string& what, int where) : std::runtime_error(what), line(where) {}
  int line;
};

// What there is to know of a token that was refused.
struct Refused {
  KeySource* ask = nullptr;  // may know the key that the token names; lives as long as the verifier
  std::uint64_t named = 0;   // that name, as KeySource::want() takes it
  bool checked = false;      // a signature was checked, so that the refusal has cost something
};

class Verifier {
 public:
  // `source`: of the keys that the issuer publishes; null: only those of the configuration.
  explicit Verifier(const config::JwtIdentity& rules, std::shared_ptr<KeySource> source = nullptr);
  ~Verifier();
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  // `refused` may be null.
  base::Result<base::Ref<const Principal>> verify(std::string_view token, base::Wall now,
                                                  Refused* refused = nullptr) const;

  // config::fingerprint() of rules and configured keys: equal across reloads that change neither, so that
  // remembered tokens stay remembered. Published keys are not in it; see Remembered.
  std::uint64_t id() const { return id_; }
  bool trusts(std::uint64_t key) const;  // VerificationKey::fingerprint(), now
  KeySource* source() const { return source_.get(); }
  const std::string& issuer() const { return issuer_; }  // "": not checked
  std::size_t max_token() const { return max_token_; }

 private:
  struct Header;
  struct Signed {  // by which key, out of which published ones
    std::uint64_t key = 0;
    std::uint64_t epoch = 0;
    bool unknown_here = false;  // refused, but a key that is not here may be the one
    bool checked = false;       // by some key, good or not
  };

  const std::shared_ptr<KeySource> source_;
  const std::string issuer_;
  const std::vector<std::string> audience_;
  const base::Seconds leeway_;
  const bool require_exp_;
  const std::size_t max_token_;
  const std::vector<config::Algorithm> algorithms_;
  const std::vector<std::string> types_;  // in lower case, without "application/"
  const std::uint64_t id_;
  std::vector<std::unique_ptr<const VerificationKey>> keys_;

  void add_key(const config::JwtIdentity& rules, std::size_t index);
  void check_every_algorithm_has_a_key(const config::JwtIdentity& rules) const;

  base::Result<> read_header(std::string_view encoded, Header& header) const;
  base::Result<const AlgorithmRow*> parse_header(std::string_view encoded,
                                                 std::optional<std::string>& kid) const;
  bool accepts_type(std::optional<std::string_view> typ) const;
  base::Result<> check_signature(const Header& header, std::string_view message, std::string_view encoded,
                                 Signed& by) const;
  base::Result<> check_claims(Principal& principal, base::Wall now) const;
};

}  // namespace identity
