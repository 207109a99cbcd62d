#include "base/error_table.h"

namespace base {

namespace {

using Text = std::string_view;
using Status = std::uint16_t;

// What the client did wrong, or may not do; from an origin it is the answer that it gave.
constexpr ErrorRow refusal(Code code, Status status, Text slug, Text title) {
  return {code, status, slug, title, Side::kClient, Retry::kNever, Outcome::kDenied, OriginOutcome::kReply,
          true, 0};
}

// A true answer about the object, though it has a problem's form.
constexpr ErrorRow answer(Code code, Status status, Text slug, Text title) {
  ErrorRow row = refusal(code, status, slug, title);
  row.outcome = Outcome::kServed;
  row.denied = false;
  return row;
}

// Nobody waits for it any more.
constexpr ErrorRow given_up(Code code, Status status, Text slug, Text title, Side side) {
  ErrorRow row = answer(code, status, slug, title);
  row.side = side;
  row.outcome = Outcome::kClientGone;
  row.asked = OriginOutcome::kCancelled;
  return row;
}

constexpr ErrorRow origin(Code code, Status status, Text slug, Text title, OriginOutcome asked, Retry retry) {
  ErrorRow row = answer(code, status, slug, title);
  row.side = Side::kOrigin;
  row.retry = retry;
  row.outcome = Outcome::kOriginError;
  row.asked = asked;
  return row;
}

constexpr ErrorRow ours(Code code, Status status, Text slug, Text title) {
  ErrorRow row = answer(code, status, slug, title);
  row.side = Side::kUs;
  row.outcome = Outcome::kOurError;
  row.asked = OriginOutcome::kCancelled;
  return row;
}

// What a limit of ours turned away: a denial, and worth another try soon.
constexpr ErrorRow busy(Code code, Status status, Text slug, Text title) {
  ErrorRow row = ours(code, status, slug, title);
  row.denied = true;
  row.retry_after = 1;
  return row;
}

constexpr ErrorRow with(ErrorRow row, auto ErrorRow::* column, auto value) {
  row.*column = value;
  return row;
}

// What the client did in the middle of an upload: the origin had no chance to answer.
constexpr ErrorRow unanswered(ErrorRow row) {
  return with(row, &ErrorRow::asked, OriginOutcome::kCancelled);
}

constexpr std::size_t kRows = static_cast<std::size_t>(Code::kCount);

// In the order of Code.
constexpr std::array<ErrorRow, kRows> kTable = {{
    refusal(Code::kBadRequest, 400, "bad-request", "The request is malformed"),
    refusal(Code::kTargetTooLong, 414, "target-too-long", "The request target is too long"),
    refusal(Code::kHeadTooLarge, 431, "head-too-large", "The request head is too large"),
    unanswered(refusal(Code::kBodyTooLarge, 413, "body-too-large", "The request body is too large")),
    refusal(Code::kUnsupportedMediaType, 415, "unsupported-media-type", "This is not what can be read here"),
    refusal(Code::kMethodNotAllowed, 405, "method-not-allowed", "The method is not allowed here"),
    refusal(Code::kMethodUnknown, 501, "method-unknown", "The method is not implemented"),
    refusal(Code::kMisdirected, 421, "misdirected", "This connection does not serve that URL"),
    refusal(Code::kVersionUnsupported, 505, "version-unsupported", "The version of HTTP is not supported"),
    refusal(Code::kExpectationFailed, 417, "expectation-failed", "The expectation cannot be met"),
    answer(Code::kPreconditionFailed, 412, "precondition-failed", "A precondition does not hold"),
    answer(Code::kRangeNotSatisfiable, 416, "range-not-satisfiable", "The range is outside of the object"),
    unanswered(refusal(Code::kRequestTimeout, 408, "request-timeout", "The request did not arrive in time")),
    refusal(Code::kUpgradeRequired, 426, "upgrade-required", "Another version is required"),
    given_up(Code::kClientGone, 499, "client-gone", "The client has gone", Side::kClient),
    refusal(Code::kSlowReader, 408, "slow-reader", "The reply was taken too slowly"),
    refusal(Code::kUnauthorized, 401, "unauthorized", "A valid credential is required"),
    refusal(Code::kTwoCredentials, 400, "two-credentials", "More than one credential was sent"),
    refusal(Code::kForbidden, 403, "forbidden", "Access is denied"),
    refusal(Code::kCrossSite, 403, "cross-site", "Another site may have sent this"),
    refusal(Code::kClaimsRejected, 403, "claims-rejected", "The token's claims do not allow this"),
    refusal(Code::kTooManyRequests, 429, "too-many-requests", "Too many requests"),
    refusal(Code::kTooManyFailures, 429, "too-many-failures", "Too many credentials failed"),
    refusal(Code::kExpired, 401, "credential-expired", "The credential has expired meanwhile"),
    refusal(Code::kWithdrawn, 403, "right-withdrawn", "The right to this was taken away meanwhile"),
    refusal(Code::kNoRoute, 404, "no-route", "Nothing is served under this path"),
    answer(Code::kNotFound, 404, "not-found", "There is no such object"),
    origin(Code::kOriginRefused, 502, "origin-refused", "The origin refused the connection",
           OriginOutcome::kRefused, Retry::kIdempotent),
    origin(Code::kOriginBadReply, 502, "origin-bad-reply", "The origin's reply is unusable",
           OriginOutcome::kBadReply, Retry::kIdempotent),
    origin(Code::kOriginUnreachable, 504, "origin-unreachable", "The origin cannot be reached",
           OriginOutcome::kUnreachable, Retry::kAlways),
    origin(Code::kOriginTimeout, 504, "origin-timeout", "The origin did not answer in time",
           OriginOutcome::kTimeout, Retry::kIdempotent),
    with(origin(Code::kOriginDenied, 502, "origin-denied", "The origin refused the gateway",
                OriginOutcome::kDenied, Retry::kNever),
         &ErrorRow::denied, true),
    origin(Code::kReplyTooLarge, 502, "reply-too-large", "The reply is larger than may be taken",
           OriginOutcome::kBadReply, Retry::kNever),
    origin(Code::kAddressRefused, 502, "address-refused", "The address may not be asked",
           OriginOutcome::kUnreachable, Retry::kNever),
    with(busy(Code::kOverloaded, 503, "overloaded", "The gateway is at its limit"), &ErrorRow::asked,
         OriginOutcome::kServerError),
    with(busy(Code::kConcurrency, 503, "concurrency", "Too many requests at a time"), &ErrorRow::retry,
         Retry::kAlways),
    busy(Code::kShed, 503, "shed", "The gateway is too far behind"),
    with(ours(Code::kDeadline, 504, "deadline", "The request took longer than it may"), &ErrorRow::asked,
         OriginOutcome::kCancelled),
    busy(Code::kIdentityUnavailable, 503, "identity-unavailable", "Nobody can be identified right now"),
    with(ours(Code::kShuttingDown, 503, "shutting-down", "The gateway is shutting down"),
         &ErrorRow::retry_after, std::uint8_t{1}),
    given_up(Code::kCancelled, 503, "cancelled", "The request was cancelled", Side::kUs),
    with(ours(Code::kLoop, 508, "loop", "The request has been here before"), &ErrorRow::denied, true),
    ours(Code::kInternal, 500, "internal", "The gateway failed"),
}};

consteval bool every_code_has_its_row() {
  for (std::size_t i = 0; i < kRows; ++i)
    if (kTable[i].code != static_cast<Code>(i) || kTable[i].status == 0 || kTable[i].slug.empty())
      return false;
  return true;
}
static_assert(every_code_has_its_row(), "a base::Code has no row, or the rows are not in its order");

consteval bool sides_agree_with_outcomes() {
  for (const ErrorRow& row : kTable) {
    if ((row.side == Side::kOrigin) != (row.outcome == Outcome::kOriginError)) return false;
    if (row.outcome == Outcome::kDenied && !row.denied) return false;
    if (row.retry_after != 0 && row.status != 503) return false;
  }
  return true;
}
static_assert(sides_agree_with_outcomes());

}  // namespace

const ErrorRow& row_of(Code code) {
  const auto i = static_cast<std::size_t>(code);
  return kTable[i < kRows ? i : static_cast<std::size_t>(Code::kInternal)];
}

}  // namespace base
