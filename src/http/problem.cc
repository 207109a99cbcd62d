#include "http/problem.h"

#include <array>

#include "text/json_text.h"

namespace http {

namespace {

using base::Code;

constexpr std::size_t kRows = static_cast<std::size_t>(Code::kCount);

// In the order of base::Code. Titles are the same for every occurrence; what is special about one is its
// detail (RFC 9457 §3.1).
constexpr std::array<ProblemRow, kRows> kTable = {{
    {Code::kBadRequest, 400, "bad-request", "The request is malformed"},
    {Code::kTargetTooLong, 414, "target-too-long", "The request target is too long"},
    {Code::kHeadTooLarge, 431, "head-too-large", "The request head is too large"},
    {Code::kBodyTooLarge, 413, "body-too-large", "The request body is too large"},
    {Code::kMethodNotAllowed, 405, "method-not-allowed", "The method is not allowed here"},
    {Code::kMethodUnknown, 501, "method-unknown", "The method is not implemented"},
    {Code::kVersionUnsupported, 505, "version-unsupported", "The version of HTTP is not supported"},
    {Code::kExpectationFailed, 417, "expectation-failed", "The expectation cannot be met"},
    {Code::kPreconditionFailed, 412, "precondition-failed", "A precondition does not hold"},
    {Code::kRangeNotSatisfiable, 416, "range-not-satisfiable", "The range is outside of the object"},
    {Code::kRequestTimeout, 408, "request-timeout", "The request did not arrive in time"},
    {Code::kClientGone, 499, "client-gone", "The client has gone"},
    {Code::kUnauthorized, 401, "unauthorized", "A valid credential is required"},
    {Code::kForbidden, 403, "forbidden", "Access is denied"},
    {Code::kClaimsRejected, 403, "claims-rejected", "The token's claims do not allow this"},
    {Code::kTooManyRequests, 429, "too-many-requests", "Too many requests"},
    {Code::kTooManyFailures, 429, "too-many-failures", "Too many credentials failed"},
    {Code::kNoRoute, 404, "no-route", "Nothing is served under this path"},
    {Code::kNotFound, 404, "not-found", "There is no such object"},
    {Code::kOriginRefused, 502, "origin-refused", "The origin refused the connection"},
    {Code::kOriginBadReply, 502, "origin-bad-reply", "The origin's reply is unusable"},
    {Code::kOriginUnreachable, 504, "origin-unreachable", "The origin cannot be reached"},
    {Code::kOriginTimeout, 504, "origin-timeout", "The origin did not answer in time"},
    {Code::kOriginDenied, 502, "origin-denied", "The origin refused the gateway"},
    {Code::kOverloaded, 503, "overloaded", "The gateway is at its limit"},
    {Code::kConcurrency, 503, "concurrency", "Too many requests at a time"},
    {Code::kShed, 503, "shed", "The gateway is too far behind"},
    {Code::kIdentityUnavailable, 503, "identity-unavailable", "Nobody can be identified right now"},
    {Code::kShuttingDown, 503, "shutting-down", "The gateway is shutting down"},
    {Code::kCancelled, 503, "cancelled", "The request was cancelled"},
    {Code::kInternal, 500, "internal", "The gateway failed"},
}};

consteval bool every_code_has_its_row() {
  for (std::size_t i = 0; i < kRows; ++i)
    if (kTable[i].code != static_cast<Code>(i) || kTable[i].status == 0) return false;
  return true;
}
static_assert(every_code_has_its_row(), "a base::Code has no row, or the rows are not in its order");

}  // namespace

const ProblemRow& row_of(base::Code code) {
  const auto i = static_cast<std::size_t>(code);
  return kTable[i < kRows ? i : static_cast<std::size_t>(Code::kInternal)];
}

void append_problem(const base::Error& error, std::string_view request_id, std::string& out) {
  const ProblemRow& row = row_of(error.code);
  const auto member = [&out](std::string_view key, std::string_view value) {
    out += ",\"";
    out += key;
    out += "\":";
    text::append_json(out, value);
  };
  out += "{\"type\":\"urn:sekisho:problem:";
  out += row.slug;
  out += '"';
  member("title", row.title);
  out += ",\"status\":";
  out += std::to_string(row.status);
  if (!error.text.empty()) member("detail", error.text);
  if (!request_id.empty()) member("request_id", request_id);
  out += "}\n";
}

}  // namespace http
