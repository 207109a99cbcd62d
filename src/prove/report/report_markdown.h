// The report as Markdown for a pull request: the verdict, the goals, the figures, where it ran.
//
// Owner: write_reports().  Thread: one.  Failures: none.
#pragma once

#include <string>

#include "prove/record/result.h"

namespace prove {

std::string markdown_report(const Result& result);

}  // namespace prove
