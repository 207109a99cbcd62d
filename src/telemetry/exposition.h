// The families of what each worker counts (metrics.h), added up over workers when asked.
//
// Owner:    nobody; a function of what it is given.
// Thread:   any, while the workers go on counting.
// Failures: none.
#pragma once

#include "telemetry/metrics.h"
#include "telemetry/page.h"

namespace telemetry {

void expose(Page& page, Blocks<WorkerMetrics> workers);

}  // namespace telemetry
