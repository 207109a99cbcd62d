#include "identity/verifiers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "identity/key_source.h"
#include "identity/reason.h"
#include "identity/registered_claims.h"
#include "identity/token_parts.h"

namespace identity {

namespace {

constexpr std::atomic<std::uint64_t> kNothingPublished{0};

// How far a token came; the last ones are of tokens that a key has verified.
constexpr std::array kOrder{
    reason::kTooLarge,    reason::kMalformed,      reason::kBadAlgorithm, reason::kBadHeader,
    reason::kWrongType,   reason::kUnknownKey,     reason::kBadSignature, reason::kNoKeys,
    reason::kWrongIssuer, reason::kBadClaim,       reason::kBoundToKey,   reason::kWrongAudience,
    reason::kNoExpiry,    reason::kIssuedInFuture, reason::kNotYetValid,  reason::kExpired,
};

std::unexpected<base::Error> refuse(std::string_view reason) {
  return base::fail(base::Code::kUnauthorized, reason);
}

auto rank(const base::Error& error) {
  return std::ranges::find(kOrder, error.text) - kOrder.begin();
}

}  // namespace

Verifiers::Verifiers(std::vector<std::shared_ptr<const Verifier>> accepted) : accepted_(std::move(accepted)) {
  for (const auto& one : accepted_) {
    ids_.push_back({one->id(), one->source() ? &one->source()->epoch() : &kNothingPublished, one.get()});
    max_token_ = std::max(max_token_, one->max_token());
  }
}

base::Result<base::Ref<const Principal>> Verifiers::verify(std::string_view token, base::Wall now,
                                                           Refused* refused) const {
  if (accepted_.size() == 1) return accepted_.front()->verify(token, now, refused);

  Refused nobody;
  Refused& told = refused ? *refused : nobody;
  told = {};
  if (token.size() > max_token_) return refuse(reason::kTooLarge);
  const auto parts = split_token(token);
  if (!parts) return refuse(reason::kMalformed);
  const auto issuer = unverified_issuer(parts->payload);
  if (!issuer) return std::unexpected(issuer.error());
  base::Error furthest{base::Code::kUnauthorized, reason::kWrongIssuer};
  bool any = false;
  for (const auto& one : accepted_) {
    if (!one->issuer().empty() && one->issuer() != *issuer) continue;
    Refused by;
    auto result = one->verify(token, now, &by);
    if (result) {
      told = {};
      return result;
    }
    told.checked |= by.checked;
    if (!std::exchange(any, true) || rank(result.error()) > rank(furthest)) furthest = result.error();
    // Who was asked a moment ago makes room for the next.
    if (by.ask && (!told.ask || !told.ask->may_want(base::mono_now(), told.named))) {
      told.ask = by.ask;
      told.named = by.named;
    }
  }
  return std::unexpected(furthest);
}

}  // namespace identity
