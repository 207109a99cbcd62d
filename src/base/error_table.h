// The one table of failures: what each code means to a client, to whoever asks an origin, and to what counts.
//
// Owner: nobody; constants. Thread: any. Failure: none.
// Standard: RFC 9457 (problem types), RFC 9110 §10.2.3 (Retry-After).
//
// Statuses, problem types, metric labels, outcomes and Retry-After come from here and from nowhere else: a
// code without a row does not compile. The rows stand in error_table.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace base {

// On whose side it went wrong.
enum class Side : std::uint8_t { kClient, kOrigin, kUs };

// Whether what failed this way may be asked again, on another connection or of another replica.
enum class Retry : std::uint8_t {
  kNever,       // the answer would be the same, or nobody waits for it
  kIdempotent,  // it may have been acted on: only what may be done twice (RFC 9110 §9.2.2)
  kAlways       // nobody has seen it yet
};

// How a request ended, whatever its status.
enum class Outcome : std::uint8_t {
  kServed,       // the whole reply went out, from the cache or from an origin
  kDenied,       // we refused: malformed, not identified, not allowed, no route, too much
  kOriginError,  // 502 or 504, or the origin's reply broke off
  kClientGone,   // the client left before the end of the reply
  kOurError,     // 500 or 503
  kCount
};

// How a call to an origin ended.
enum class OriginOutcome : std::uint8_t {
  kReply,        // a whole reply below 500
  kServerError,  // a whole reply of 500 and above
  kRefused,
  kUnreachable,
  kTimeout,
  kBadReply,
  kDenied,     // it refused our credentials
  kCancelled,  // we stopped: nobody waited for it any more
  kCount
};

struct ErrorRow {
  Code code;
  std::uint16_t status;    // 499 stands in logs for a client that has gone; nobody receives it
  std::string_view slug;   // of the problem type; with '_' for '-' the label of metrics and logs
  std::string_view title;  // the same for every occurrence (RFC 9457 §3.1)
  Side side;
  Retry retry;
  Outcome outcome;           // of a request that was answered with this problem
  OriginOutcome asked;       // of a call to an origin that failed with it
  bool denied;               // counts as a denial, in metrics and audit log
  std::uint8_t retry_after;  // seconds to tell the client; 0: none, or the limit that refused knows better
};

const ErrorRow& row_of(Code code);  // kInternal's for what is no code

}  // namespace base
