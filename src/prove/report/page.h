// What every page of the harness is made of beside its sections: head, policy, charts, and the scripts that
// draw them. One file, which asks the network for nothing.
//
// Owner:    html_report() and dossier_html().  Thread: one.
// Standard: CSP level 3: only the scripts and the style of the program itself run, told by their hashes.
#pragma once

#include <string>
#include <string_view>

#include "prove/record/result.h"

namespace prove {

std::string page_head(std::string_view title);  // to </head>
// "pass", "fail", "invalid": what the style sheet calls a verdict.
std::string_view css_of(Verdict verdict);

std::string chart_html(std::string_view id, std::string_view title, std::string_view unit,
                       std::string_view css = "chart");
// Those over time of one run that it has figures for; "" where it has none at all.
std::string time_charts_html(const Result& result);
// What the charts of the element around it draw, as chart_data() made it; `id` may be "".
std::string chart_island(std::string_view data, std::string_view id);
std::string charts_key_html();  // what their bands mean

// A line at the foot, licences, scripts; `islands` are those of charts that stand in no element of their own.
std::string page_end(std::string_view said, std::string_view islands = {});

}  // namespace prove
