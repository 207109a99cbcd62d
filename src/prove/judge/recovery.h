// How long after a fault the target was well again.
//
// A recovery ends when the first stretch of `validity.recovered` begins in each second of which 99 % of the
// requests were good, and over which every latency guardrail that covers the moment after the fault holds
// (recovery_goals.h), in its first second too.
//
// Owner:    nobody; pure functions.  Thread: any.  Units: seconds; infinite: nobody saw it.
// Failures: an Unknown where there was no such fault, or the run went on for less than that stretch after it.
#pragma once

#include "prove/judge/bounds.h"
#include "prove/model/measure.h"

namespace prove {

// Where the harness sent so late after the fault that latencies may be its own, the lower bound is the
// recovery of what requests came to alone.
Worked recovery_of(const Result& result, const Campaign& campaign, const Timeline& timeline,
                   const Measure& measure, const Scope& scope);

}  // namespace prove
