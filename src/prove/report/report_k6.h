// Figures in the shapes that other tools read: k6's summary, github-action-benchmark's list.
//
// http_req_duration is the response time from the intended start, and of every request that was sent: k6's
// own leaves out the waiting. `service_time` beside it is the nearest to what k6 would have said.
//
// Owner: write_reports().  Thread: one.  Units: milliseconds, bytes, a second.  Failures: none.
#pragma once

#include <string>

#include "prove/record/result.h"

namespace prove {

std::string k6_summary(const Result& result);         // as k6 run --summary-export
std::string benchmark_summary(const Result& result);  // customSmallerIsBetter

}  // namespace prove
