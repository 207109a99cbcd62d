// Conditional requests: may the method go ahead, given what the client believes about the object.
//
// Owner: nobody; pure functions. Thread: any.
// Units: dates are seconds since 1970.
// Standard: RFC 9110 §13, with the precedence of §13.2.2; If-Range §13.1.5.
// Failure: none; a date that does not parse makes its condition void, as the standard says.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/head.h"

namespace http {

struct Validators {
  std::string_view etag;  // with quotes, W/ in front if weak; empty: none
  std::optional<std::int64_t> last_modified;
  std::optional<std::int64_t> date;  // when the origin said so; makes last_modified strong if a second later
  bool exists = true;                // there is an object at all (for "*")
};

enum class Verdict : std::uint8_t {
  kProceed,
  kNotModified,        // 304; only for GET and HEAD
  kPreconditionFailed  // 412
};

Verdict evaluate(Method method, const FieldList& fields, const Validators& current);

// Whether the Range of a request with this If-Range may be honoured.
bool if_range_holds(std::string_view value, const Validators& current);

}  // namespace http
