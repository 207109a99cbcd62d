// What the limit of a run was: the generator, the waiting for connections, the target's CPU, errors, or
// nothing.
//
// Owner: summarize().  Thread: one.
#pragma once

#include "prove/report/report_summary.h"

namespace prove {

// Fills `limit` and `capacity` from the rest of the summary.
void tell_limit(const Result& result, Summary& summary);

}  // namespace prove
