// Reads a page of metrics: Prometheus' text format 0.0.4, and as much of OpenMetrics 1.0 as its pages look
// like it.
//
// Problem:  a page of thousands of lines comes every second and a campaign asks for a handful of them, so
//           every line is checked and only what is wanted is kept.
// Owner:    nobody; a pure function.  Thread: any.
// Failures: a line that is neither a comment nor a sample makes the whole page an error: half a page would
//           look like counters that stood still.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace prove {

struct Scraped {
  std::string name;  // of the sample, with its suffix: x_bucket, x_sum, x_count
  std::map<std::string, std::string> labels;
  double value = 0;
  bool counter = false;  // it only grows while the target lives: counters, and the parts of histograms
};

// The samples whose names are in `names`. Those that are NaN or infinite say nothing and are left out, as are
// the page's own times and exemplars.
base::Result<std::vector<Scraped>> parse_metrics(std::string_view text, const std::set<std::string>& names);

}  // namespace prove
