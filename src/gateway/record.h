// The last step of every request: what is counted and logged of it, once, however it ended.
//
// Owner:    nobody; a function.  Thread: the worker's.  Failure: none.
#pragma once

#include "gateway/exchange.h"
#include "telemetry/access_log.h"
#include "telemetry/audit_log.h"
#include "telemetry/metrics.h"

namespace gateway {

// The audit log gets every request that was denied, by a rule or a limit of ours; every request, if it says
// so.
void record(Exchange& x, telemetry::WorkerMetrics& metrics, telemetry::AccessLogBuffer& log,
            telemetry::AuditBuffer& audit, base::Wall started);

}  // namespace gateway
