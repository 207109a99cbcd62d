#include "admin/credential.h"

#include <utility>

#include "identity/constant_time.h"
#include "identity/extract.h"
#include "identity/reason.h"

namespace admin {

using base::Code;

namespace {

constexpr std::string_view kWrongToken = "wrong_token";  // where nothing but the bootstrap token is taken
constexpr std::string_view kTooMany = "too many credentials from this address have failed; wait a second";

config::Limits failure_limits() {
  config::Limits limits;
  limits.failures = {.rate = {Credentials::kFailures, base::Seconds(1)}, .burst = Credentials::kFailures};
  limits.memory = 1 << 20;
  return limits;
}

}  // namespace

Credentials::Credentials(base::Secret token)
    : token_(std::move(token)), failures_(failure_limits()), silent_(failure_limits()) {}

void Credentials::accept(std::shared_ptr<const identity::Verifiers> verifiers,
                         std::shared_ptr<const identity::ClaimRules> require) {
  verifiers_ = std::move(verifiers);
  require_ = std::move(require);
}

base::Result<Credentials::Caller> Credentials::check(const Attempt& attempt, identity::Refused* refused) {
  static const config::TokenSource kBearer{};
  std::string scratch;
  const auto credential = identity::extract(attempt.head, "", {&kBearer, 1}, scratch);
  if (!credential) {
    if (silent_.exhausted(attempt.address, attempt.now)) return base::fail(Code::kTooManyFailures, kTooMany);
    silent_.charge(attempt.address, attempt.now);
    return std::unexpected(credential.error());
  }
  const std::string_view token = credential->token;
  if (!token_.empty() && identity::equal_in_constant_time(token, token_.reveal()))
    return Caller{.credential = "bootstrap_token", .principal = {}};
  if (!failures_.vouched(token) && failures_.exhausted(attempt.address, attempt.now))
    return base::fail(Code::kTooManyFailures, kTooMany);

  identity::Refused why;
  auto caller = verify(token, attempt.wall, why);
  if (refused) *refused = why;
  const bool unauthorized = !caller && caller.error().code == Code::kUnauthorized;
  if ((unauthorized || why.checked) && !(refused && why.ask)) {
    failures_.charge(attempt.address, attempt.now);
    if (unauthorized) failures_.forget(token);
  }
  if (caller) failures_.vouch(token);
  return caller;
}

base::Result<Credentials::Caller> Credentials::verify(std::string_view token, base::Wall now,
                                                      identity::Refused& refused) const {
  if (!verifiers_) return base::fail(Code::kUnauthorized, kWrongToken);
  auto principal = verifiers_->verify(token, now, &refused);
  if (!principal) return std::unexpected(principal.error());
  if (!require_->hold(**principal))
    return base::fail(Code::kClaimsRejected, "the token's claims are not those of an administrator");
  return Caller{.credential = "jwt", .principal = *std::move(principal)};
}

}  // namespace admin
