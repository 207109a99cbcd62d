// The part of /metrics that is about limits and Redis.
//
// Owner, thread, failures: as exposition.h, whose part it is.
#pragma once

#include "telemetry/limit_figures.h"
#include "telemetry/page.h"

namespace telemetry {

void render_limits(Page& page, const LimitFigures& limits, Workers workers);

}  // namespace telemetry
