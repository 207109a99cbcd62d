// Failures as values: what went wrong, on the data path, without exceptions and without allocation.
//
// Owner:    nobody; an Error is two words and is copied.
// Thread:   any.
// Lifetime: `text` points to a string literal, always.
//
// Start-up and configuration use exceptions instead (config::ConfigError), because there a failure ends
// the attempt as a whole and wants a long, specific line. What each code means to a client (status,
// problem type, metric label, outcome) stands in one table: error_table.h.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace base {

enum class Code : std::uint8_t {
  // the client's side
  kBadRequest,            // malformed or ambiguous message
  kTargetTooLong,         // 414
  kHeadTooLarge,          // 431
  kBodyTooLarge,          // 413
  kUnsupportedMediaType,  // 415
  kMethodNotAllowed,      // 405, the origin of this route cannot do it
  kMethodUnknown,         // 501
  kMisdirected,           // 421, an https URL over a connection that is not
  kVersionUnsupported,    // 505
  kExpectationFailed,     // 417
  kPreconditionFailed,    // 412
  kRangeNotSatisfiable,   // 416
  kRequestTimeout,        // 408, head or body did not arrive in time
  kUpgradeRequired,       // 426, a version of WebSocket that is not spoken here
  kClientGone,            // the client left; nobody reads the reply
  kSlowReader,            // 408, took its reply so slowly that it was cut for others
  // who and whether
  kUnauthorized,     // 401, no credential or none that verifies
  kTwoCredentials,   // 400, more than one where one is asked for
  kForbidden,        // 403
  kCrossSite,        // 403, a cookie that another site may have made the browser send
  kClaimsRejected,   // 403, a valid token whose claims are not what the route asks for
  kTooManyRequests,  // 429, a rate limit
  kTooManyFailures,  // 429, an address whose credentials failed too often
  kExpired,          // of a tunnel or an endless reply: the token that opened it has expired
  kWithdrawn,        // likewise: a reload has taken the right to it away
  // what is asked for
  kNoRoute,   // 404, no route has this prefix
  kNotFound,  // 404, the origin has no such object
  // behind us
  kOriginRefused,      // 502, connection refused or reset before a reply
  kOriginBadReply,     // 502, the reply is not HTTP, or ended early
  kOriginUnreachable,  // 504, no route, no address, connect deadline
  kOriginTimeout,      // 504, connected but no byte in time
  kOriginDenied,       // 502, the origin refuses our own credentials
  kReplyTooLarge,      // 502, more than whoever asked would take
  kAddressRefused,     // 502, the name has no address that may be asked
  // ourselves
  kOverloaded,   // 503, a limit of ours is reached
  kConcurrency,  // 503, too many requests of a route or to an origin at a time, and no place came free
  kShed,         // 503, the worker is too far behind
  kDeadline,     // 504, the deadline of the route has passed
  kIdentityUnavailable,  // 503, there are no keys to verify with: the issuer has not been reached
  kShuttingDown,         // 503
  kCancelled,            // a wait was cancelled by its owner
  kLoop,                 // 508, the request has been here before
  kInternal,             // 500, a bug or an exhausted resource
  kCount
};

struct Error {
  Code code = Code::kInternal;
  std::string_view text;  // static; says what a person can do something about

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

constexpr std::unexpected<Error> fail(Code code, std::string_view text) {
  return std::unexpected<Error>(Error{code, text});
}

}  // namespace base
