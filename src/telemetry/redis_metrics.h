// What one worker's connection to Redis counts, and what limits shared through it count.
//
// Owner:    WorkerMetrics.  Thread: one writer, its worker; read by any (counter.h).
// Failures: none.
#pragma once

#include "telemetry/counter.h"
#include "telemetry/histogram.h"

namespace telemetry {

struct RedisMetrics {
  Gauge connected;     // 1 while commands are taken
  Counter commands;    // given to the connection, also those that it refused at once
  Counter errors;      // of these: refused, lost, timed out, or answered with an error
  Counter connects;    // attempts
  Counter reconnects;  // connections after the first that reached readiness
  Histogram latency;   // from a command given to its reply
};

struct SharedLimitMetrics {
  Counter leases;  // draws from Redis that were answered
  Counter waits;   // requests that waited for one
  Counter
      fallbacks;  // decisions by local buckets since Redis did not answer: sekisho_rate_limit_fallback_total
};

}  // namespace telemetry
