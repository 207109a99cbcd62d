// What the target's series say over a part of the run: increases of counters, figures of gauges, slopes.
//
// Problem:  samples come when they come, and a scope begins and ends between them. A boundary stands for the
//           sample that was taken at it, where there is one; else the increase between two samples is shared
//           out evenly. What a scope that reaches the run's beginning or end cannot miss is counted whole.
// Owner:    nobody; pure functions.  Thread: any.  Units: seconds since the first phase began.
// Failures: an Unknown says why there is no figure; a figure is never made up from what is missing.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "prove/model/measure.h"
#include "prove/record/result.h"

namespace prove {

struct Unknown {
  enum class Cause : std::uint8_t {
    kNoRequests,
    kTail,
    kSlope,
    kSeries,
    kLate,  // the harness may have made the difference
    kOther
  } cause = Cause::kOther;
  std::string text;
};
using Figure = std::expected<double, Unknown>;

struct Extent {
  double from = 0, to = 0;
  bool first = false, last = false;  // it begins with the run; it ends with it
};

// The segments as stretches without a gap.
std::vector<Extent> extents_of(const std::vector<Segment>& timeline,
                               const std::vector<std::size_t>& segments);

// Percent of its time that the busiest generator was on a CPU, over the worst twentieth of the stretches, 2 s
// at the least: a mean over a ramp would hide that the generator was the limit at its end. 0 of shorter
// stretches.
double busiest_of(const Result& result, const std::vector<Extent>& stretches);

// `measure` is one of a series; `least` the shortest time that a slope is told of.
Figure measure_series(const std::vector<Series>& all, const Measure& measure,
                      const std::vector<Extent>& scope, double least);

// Parts of it, for tests: the increase over a stretch, resets of the counter counted, and the slope of a line
// through the points by least squares, a second.
double increase(const std::vector<Point>& points, double from, double to);
double slope(const std::vector<Point>& points);

}  // namespace prove
