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

Credentials::Credentials(base::Secret token) : token_(std::move(token)), failures_(failure_limits()) {}

void Credentials::accept(std::shared_ptr<const identity::Verifiers> verifiers,
                         std::shared_ptr<const identity::ClaimRules> require) {
  verifiers_ = std::move(verifiers);
  require_ = std::move(require);
}

base::Result<Credentials::Caller> Credentials::check(const Attempt& attempt,
                                                     identity::KeySource** worth_asking) {
  if (failures_.exhausted(attempt.address, attempt.now)) return base::fail(Code::kTooManyFailures, kTooMany);
  if (worth_asking) *worth_asking = nullptr;
  auto caller = verify(attempt, worth_asking);
  const bool asks = worth_asking && *worth_asking;
  if (!caller && caller.error().code == Code::kUnauthorized && !asks)
    failures_.charge(attempt.address, attempt.now);
  return caller;
}

base::Result<Credentials::Caller> Credentials::verify(const Attempt& attempt,
                                                      identity::KeySource** worth_asking) const {
  static const config::TokenSource kBearer{};
  std::string scratch;
  const auto credential = identity::extract(attempt.head, "", {&kBearer, 1}, scratch);
  if (!credential) return std::unexpected(credential.error());
  if (!token_.empty() && identity::equal_in_constant_time(credential->token, token_.reveal()))
    return Caller{.credential = "bootstrap_token", .principal = {}};
  if (!verifiers_) return base::fail(Code::kUnauthorized, kWrongToken);
  auto principal = verifiers_->verify(credential->token, attempt.wall, worth_asking);
  if (!principal) return std::unexpected(principal.error());
  if (!require_->hold(**principal))
    return base::fail(Code::kClaimsRejected, "the token's claims are not those of an administrator");
  return Caller{.credential = "jwt", .principal = *std::move(principal)};
}

}  // namespace admin
