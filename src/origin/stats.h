// Counters that an origin keeps for the metrics.
//
// Owner:    shared by the origin, its pool and whoever scrapes, so that a scrape may outlive a reload.
// Thread:   the worker of the origin writes, any thread reads; each number is exact, together they need not
//           be of one moment.
// Failure:  none.
#pragma once

#include "telemetry/metrics.h"

namespace origin {

struct OriginStats {
  using Connections = telemetry::PerEnum<telemetry::OriginConnection, telemetry::Counter>;

  void count(telemetry::OriginConnection what) {
    connections[what].add();
    if (shown) (*shown)[what].add();
  }

  Connections connections;       // of this origin
  Connections* shown = nullptr;  // the worker's, which outlive every origin; null where nobody scrapes
  telemetry::Counter failed;     // exchanges that ended without a reply, by the origin's doing
  telemetry::Gauge idle;         // connections kept now
};

}  // namespace origin
