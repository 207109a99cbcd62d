// What the page of a report is made of beside its data: the files of src/prove/report and Chart.js, put into
// a generated source by cmake/assets.cmake.
//
// Lifetime: the program's.
#pragma once

#include <string_view>

namespace prove {

extern const std::string_view kReportCss;
extern const std::string_view kReportJs;
extern const std::string_view kChartJs;
extern const std::string_view kChartLicence;  // of Chart.js and of what it contains

}  // namespace prove
