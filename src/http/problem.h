// The one table of failures: code → status, problem type, title.
//
// Owner: nobody; constants. Thread: any. Failure: none.
// Standard: RFC 9457 (application/problem+json).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace http {

struct ProblemRow {
  base::Code code;
  std::uint16_t status;   // 499 stands in logs for a client that has gone; nobody receives it
  std::string_view slug;  // of the problem type, and the label of the metric
  std::string_view title;
};

const ProblemRow& row_of(base::Code code);

inline constexpr std::string_view kProblemType = "application/problem+json";

// Appends {"type":"urn:sekisho:problem:<slug>","title":…,"status":…,"detail":…,"request_id":…}; detail is
// left out when the error has no text, request_id when it is empty.
void append_problem(const base::Error& error, std::string_view request_id, std::string& out);

}  // namespace http
