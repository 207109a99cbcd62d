// Who may use the admin listener: the holder of the bootstrap token, or of a JWT whose claims say so.
//
// Owner:    AdminServer.
// Thread:   the admin thread; the constructor and open_token_file() run before it starts.
// Failures: open_token_file() throws std::runtime_error with one line. A refusal is a base::Error:
//           kUnauthorized (text: one of identity::reason), kTwoCredentials, kClaimsRejected,
//           kTooManyFailures.
// Standard: RFC 6750 §2.1.
//
// Failing is slow: an address that failed kFailures times within a second is refused until the next tenth of
// a second. The bound is against load, not against luck (the bootstrap token has 256 bits), so it shuts
// nobody out who is known, whatever else comes from the address: the bootstrap token is compared before it, a
// JWT that was good before is verified again, and who brings no credential at all is counted apart.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/ref.h"
#include "base/secret.h"
#include "http/head.h"
#include "identity/claim_rules.h"
#include "identity/principal.h"
#include "identity/verifiers.h"
#include "limit/failures.h"

namespace admin {

// The token in the file. Where there is no file: makes it, with 32 random bytes in base64url and a newline,
// mode 0600 whatever the umask, and says so in the log (the path, never the token). It may be a mounted
// secret: a link to a file of root's that the group may read. Refused: what is no plain file, or is neither
// ours nor root's (nor may a link be), what others may read or anybody but the owner write, fewer than 32
// characters, or such as no bearer token may have.
base::Secret open_token_file(const std::string& path);
// Why that would fail, or "": nothing is made.
std::string why_no_token_file(const std::string& path);

class Credentials {
 public:
  static constexpr int kFailures = 10;  // a second, by address

  struct Attempt {
    const http::RequestHead& head;
    limit::Failures::AddressBytes address{};
    base::Mono now{};
    base::Wall wall{};
  };
  struct Caller {
    std::string_view credential;                     // "bootstrap_token" or "jwt"
    base::Ref<const identity::Principal> principal;  // of a jwt
  };

  // An empty token is nobody's.
  explicit Credentials(base::Secret token);

  // From now on: whose tokens are taken beside, and what must hold for their claims. Null verifiers: none.
  void accept(std::shared_ptr<const identity::Verifiers> verifiers,
              std::shared_ptr<const identity::ClaimRules> require);

  const std::shared_ptr<const identity::Verifiers>& verifiers() const { return verifiers_; }

  // With `refused`: when a source of keys may know the key of a token that was refused, it is told there,
  // the attempt is not charged, and whoever asked it checks again without.
  base::Result<Caller> check(const Attempt& attempt, identity::Refused* refused = nullptr);

 private:
  base::Result<Caller> verify(std::string_view token, base::Wall now, identity::Refused& refused) const;

  const base::Secret token_;
  std::shared_ptr<const identity::Verifiers> verifiers_;
  std::shared_ptr<const identity::ClaimRules> require_;
  limit::Failures failures_;  // of credentials
  limit::Failures silent_;    // attempts without one
};

}  // namespace admin
