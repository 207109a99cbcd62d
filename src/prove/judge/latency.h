// The latency of a part of the run, as bounds: of one outcome what it took, of all requests with those that
// did not end as expected.
//
// Owner:    nobody; pure functions.  Thread: any.  Units: seconds; infinite: for ever.
// Failures: an Unknown where too few requests carry the percentile, or there are none.
#pragma once

#include <cstdint>
#include <string>

#include "prove/judge/bounds.h"
#include "prove/judge/lateness.h"
#include "prove/model/measure.h"
#include "prove/record/result.h"

namespace prove {

Hdr OutcomeStats::* histogram_of(const Measure& measure);

// `needed`: requests that must lie beyond a percentile; `timeout`: the shortest of a step of the part.
Worked latency_of_all(const Measure& measure, const Total& total, const Lateness& lateness, double needed,
                      double timeout);
// Of the requests in the histogram, and no others.
Worked latency_of(const Measure& measure, const Hdr& histogram, const Lateness& lateness, double needed);
Worked lag_of(const Measure& measure, const Total& total, double needed);  // of the harness itself

}  // namespace prove
