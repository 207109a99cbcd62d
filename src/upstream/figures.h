// What /metrics tells of how origins fare.
//
// Owner: nobody. Thread: any. Failure: none.
#pragma once

#include "telemetry/page.h"
#include "upstream/health.h"

namespace upstream {

void expose(telemetry::Page& page, const Healths& healths);

}  // namespace upstream
