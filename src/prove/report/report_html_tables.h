// The sections of the page, each HTML that stands by itself; "" where there is nothing to tell.
//
// Owner: html_report().  Thread: one.
#pragma once

#include <string>

#include "prove/report/report_summary.h"

namespace prove {

std::string goals_html(const Result& result);
std::string figures_html(const Summary& summary);
std::string capacity_html(const Summary& summary);
std::string stretches_html(const Summary& summary);  // phases, windows, faults
// Requests that went wrong, as they were sent and answered; "" when there are none.
std::string samples_html(const Result& result);
std::string steps_html(const Result& result);
std::string happenings_html(const Result& result);
std::string series_html(const Result& result);     // the metrics' last values
std::string intervals_html(const Result& result);  // what the charts show, as a table
std::string environment_html(const Result& result);

}  // namespace prove
