// What /metrics tells of limits.
//
// Owner: nobody. Thread: any. Failure: none.
#pragma once

#include "limit/failures.h"
#include "limit/gate.h"
#include "limit/rates.h"
#include "limit/shared.h"
#include "telemetry/page.h"

namespace limit {

void expose(telemetry::Page& page, const Rates& rates, const Failures& failures, const Gates& gates);
void expose(telemetry::Page& page, telemetry::Blocks<SharedMetrics> links);

}  // namespace limit
