#include "identity/verifiers.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "identity/base64url.h"
#include "identity/json_reader.h"
#include "identity/key_source.h"
#include "identity/reason.h"
#include "identity/registered_claims.h"
#include "identity/token_parts.h"

namespace identity {

namespace {

constexpr std::atomic<std::uint64_t> kNothingPublished{0};

// How far a token came; the last ones are of tokens that a key has verified.
constexpr std::array kOrder{
    reason::kTooLarge,    reason::kMalformed,     reason::kBadAlgorithm, reason::kBadHeader,
    reason::kUnknownKey,  reason::kBadSignature,  reason::kNoKeys,       reason::kWrongIssuer,
    reason::kBadClaim,    reason::kWrongAudience, reason::kNoExpiry,     reason::kIssuedInFuture,
    reason::kNotYetValid, reason::kExpired,
};

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
                                                           KeySource** worth_asking) const {
  KeySource* nobody;
  KeySource*& ask = worth_asking ? *worth_asking : nobody;
  ask = nullptr;
  bool worth = false;
  if (accepted_.size() == 1) {
    const Verifier& only = *accepted_.front();
    auto result = only.verify(token, now, &worth);
    if (worth) ask = only.source();
    return result;
  }

  std::string_view issuer;
  if (auto ok = read_issuer(token, issuer); !ok) return std::unexpected(ok.error());
  base::Error furthest{base::Code::kUnauthorized, reason::kWrongIssuer};
  bool any = false;
  for (const auto& one : accepted_) {
    if (!one->issuer().empty() && one->issuer() != issuer) continue;
    auto result = one->verify(token, now, &worth);
    if (result) {
      ask = nullptr;
      return result;
    }
    if (!std::exchange(any, true) || rank(result.error()) > rank(furthest)) furthest = result.error();
    // Who was asked a moment ago makes room for the next.
    if (worth && (!ask || !ask->may_want(base::mono_now()))) ask = one->source();
  }
  return std::unexpected(furthest);
}

base::Result<> Verifiers::read_issuer(std::string_view token, std::string_view& issuer) const {
  thread_local JsonSpace space;
  thread_local std::string payload;
  if (token.size() > max_token_) return base::fail(base::Code::kUnauthorized, reason::kTooLarge);
  const auto parts = split_token(token);
  if (!parts) return base::fail(base::Code::kUnauthorized, reason::kMalformed);
  payload.resize(base64url_decoded_size(parts->payload.size()));
  if (!base64url_decode(parts->payload, payload.data()))
    return base::fail(base::Code::kUnauthorized, reason::kMalformed);
  JsonReader in(payload, space);
  RegisteredClaims claims;
  const bool whole = read_claims(in, {}, claims);
  if (claims.wrong_type) return base::fail(base::Code::kUnauthorized, reason::kBadClaim);
  if (!whole) return base::fail(base::Code::kUnauthorized, reason::kMalformed);
  issuer = claims.iss.value_or("");
  return {};
}

}  // namespace identity
