// result.json: a Result written down whole, histograms included, so that reports, baselines and comparisons
// can be made of it at any later time.
//
// Problem:  a summary cannot be added up or compared. Numbers come back to the last bit, histograms cell by
//           cell (HdrHistogram's V2 encoding with minimum, maximum and sum beside it).
// Owner:    nobody.  Thread: any.
// Failures: std::runtime_error with one line: no JSON, another version, what is missing or damaged. A file
//           appears under its name only when it is whole.
#pragma once

#include <string>
#include <string_view>

#include "prove/record/result.h"

namespace prove {

std::string to_json(const Result& result);
Result result_from_json(std::string_view text);

void save_result(const Result& result, const std::string& path);
Result load_result(const std::string& path);  // the line begins with the path

}  // namespace prove
