// What must hold again before a fault counts as recovered from, beside that requests are good: the latency
// guardrails whose scope covers the moment after it.
//
// Problem:  a target that answers everything rightly and ten times too slowly has not recovered. Requests are
//           counted by these limits while they come in, since no histogram is kept for each tenth of a
//           second.
// Owner:    the books while a run lasts, the evaluator after it; both ask here, so that they mean the same.
// Thread:   pure functions, any.  Units: nanoseconds; shares from 0 to 1.
#pragma once

#include <string>
#include <vector>

#include "prove/model/measure.h"
#include "prove/model/model.h"
#include "prove/model/timeline.h"

namespace prove {

struct RecoveryGoal {
  std::string check;  // as the guardrail says it
  Scope scope;        // its scenario, step and tag: "" of all
  Measure::Clock clock = Measure::Clock::kResponse;
  bool of_met = false;  // p95(ok): what did not end as expected is none of its requests
  Nanos limit{0};       // a request within it took no longer
  double share = 0;     // of the requests that must be within

  bool is_about(const Scenario& of, std::size_t step) const;
};

// Of a percentile or a maximum that a guardrail holds below a constant; no other says anything of one
// request.
std::vector<RecoveryGoal> recovery_goals(const Campaign& campaign, const Timeline& timeline,
                                         const Span& fault);

}  // namespace prove
