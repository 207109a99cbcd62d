// The checks as JUnit's XML, for whatever shows test results: each check is a test case, a broken one a
// failure, one that could not be told, and whatever else makes a run INVALID, an error.
//
// Owner: write_reports().  Thread: one.  Failures: none.
#pragma once

#include <string>

#include "prove/record/result.h"

namespace prove {

std::string junit_report(const Result& result);

}  // namespace prove
