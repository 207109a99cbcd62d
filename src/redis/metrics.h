// What one connection to Redis counts.
//
// Owner:    whoever has the connection; outlives it.
// Thread:   one writer, its worker; read by any (counter.h).
// Failure:  none.
#pragma once

#include "telemetry/counter.h"
#include "telemetry/histogram.h"
#include "telemetry/page.h"

namespace redis {

struct Metrics {
  telemetry::Gauge connected;     // 1 while commands are taken
  telemetry::Counter commands;    // given to the connection, also those that it refused at once
  telemetry::Counter errors;      // of these: refused, lost, timed out, or answered with an error
  telemetry::Counter connects;    // attempts
  telemetry::Counter reconnects;  // connections after the first that reached readiness
  telemetry::Histogram latency;   // from a command given to its reply
};

void expose(telemetry::Page& page, telemetry::Blocks<Metrics> connections);

}  // namespace redis
