// The figures that the page draws, as JSON, and thinned so that a day's run makes a page that opens.
//
// Owner: html_report().  Thread: one.
// Units: seconds on the timeline, milliseconds of latency, MiB, CPUs, percent.
#pragma once

#include <string>
#include <vector>

#include "prove/report/report_summary.h"

namespace prove {

inline constexpr std::size_t kChartRows = 600;  // points of a line, at the most

// Rows of the time series, at most `bound`: neighbours become one with their counts added up and the worst of
// their percentiles, since percentiles have no mean. What is left over at a run's end joins the row before
// it.
std::vector<Interval> thinned(const std::vector<Interval>& rows, std::size_t bound);

// Percent of what a cache was asked in a scrape's interval that it answered by itself, from
// sekisho_cache_requests_total, over all routes of a target. No point where nobody asked.
std::vector<Point> hit_ratio(const Result& result, const std::string& target);

// CPUs in use between two samples of process_cpu_seconds.
std::vector<Point> cpus_used(const Series& series);

// [[x, ms], …]: the latency at percentiles that lie evenly on the axis x = log10(1 / (1 - p)).
std::string percentile_points(const Hdr& hdr);

std::string chart_data(const Result& result, const Summary& summary);

}  // namespace prove
