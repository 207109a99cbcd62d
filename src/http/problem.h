// Failures as a client reads them; what stands in them is a row of base/error_table.h.
//
// Owner: nobody; a function. Thread: any. Failure: none.
// Standard: RFC 9457 (application/problem+json).
#pragma once

#include <string>
#include <string_view>

#include "base/error_table.h"

namespace http {

inline constexpr std::string_view kProblemType = "application/problem+json";

// Appends {"type":"urn:sekisho:problem:<slug>","title":…,"status":…,"detail":…,"request_id":…}; detail is
// left out when the error has no text, request_id when it is empty.
void append_problem(const base::Error& error, std::string_view request_id, std::string& out);

}  // namespace http
