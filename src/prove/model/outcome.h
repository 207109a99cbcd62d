// How a request ended, told apart: a fast denial must never pass for a fast success.
//
// Owner: nobody; plain values.  Thread: any.
//
//   ok         every expectation of the step was met
//   denied     a denial that the step expected: a success of its own class. One that was not is `failed`.
//   limited    429 where the step did not expect it, or where it expected just that
//   failed     an expectation was not met, or the connection was refused, reset, or answered with no HTTP
//   timed_out  no whole reply within the step's timeout, or still in flight when the run ended
//   skipped    never sent: an earlier step of the journey failed, the backlog of arrivals was full, or the
//              run ended
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace prove {

enum class Outcome : std::uint8_t { kOk, kDenied, kLimited, kFailed, kTimedOut, kSkipped };
inline constexpr std::size_t kOutcomes = 6;
inline constexpr std::array<std::string_view, kOutcomes> kOutcomeNames = {"ok",     "denied",    "limited",
                                                                          "failed", "timed_out", "skipped"};

// Why a request is failed, timed out or skipped, for the report.
enum class Reason : std::uint8_t {
  kNone,
  kRefused,           // nobody listens
  kConnectTimeout,    // no connection within the timeout
  kTls,               // handshake or certificate
  kReset,             // the connection ended before the reply did
  kBadReply,          // not HTTP/1.1
  kStatus,            // another status than expected
  kUnexpectedDenial,  // 401 or 403 where none was expected
  kNotDenied,         // something else where a denial was expected
  kHeader,            // a header field is missing or differs
  kBody,              // the body is not what was expected
  kDigest,            // its SHA-256 differs
  kLength,            // its length differs
  kCapture,           // there is nothing where a value was to be captured
  kTooLong,           // what was looked for may lie beyond the part of the body that is kept
  kUntil,             // what a step is repeated until had not come true the last time
  kRedirect,          // a redirect that cannot be followed: to no target, one too many, or to nowhere
  kCoding,            // the body is not coded as its head says, or in no way that was asked for
  kBadValue,          // a value that cannot stand where the step puts it; nothing was sent
  kReplyTimeout,      // connected, but no whole reply within the timeout
  kInFlight,          // the run ended first
  kEarlierStep,       // skipped: a step before it did not go well
  kBacklog,           // skipped: more arrivals waited than the backlog holds
  kCount
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Reason::kCount)> kReasonNames = {
    "none",      "refused",           "connect_timeout", "tls",          "reset",    "bad_reply",
    "status",    "unexpected_denial", "not_denied",      "header",       "body",     "digest",
    "length",    "capture",           "too_long",        "until",        "redirect", "coding",
    "bad_value", "reply_timeout",     "in_flight",       "earlier_step", "backlog"};

}  // namespace prove
