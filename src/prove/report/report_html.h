// The report as one HTML page that needs nothing else: no network, no other file, and, but for its charts, no
// script.
//
// Problem:  a report is sent on, opened years later from a disk, printed, read on a phone, and full of names
//           that came from a campaign or a server under test. So it carries its style, its script, Chart.js
//           and its data, everything from outside is escaped, and its Content-Security-Policy lets run only
//           the scripts whose SHA-256 it names, and no request go out.
// Owner:    write_reports().  Thread: one.  Failures: none.
#pragma once

#include <string>

#include "prove/record/result.h"

namespace prove {

std::string html_report(const Result& result);

}  // namespace prove
