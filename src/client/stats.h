// Counters that whoever asks a remote server keeps for the metrics.
//
// Owner:    shared by the asker, its pools and whoever scrapes, so that a scrape may outlive a reload.
// Thread:   the asker's worker writes, any thread reads; each number is exact, together they need not be of
//           one moment.
// Failure:  none.
#pragma once

#include "telemetry/metrics.h"

namespace client {

struct Stats {
  using Connections = telemetry::PerEnum<telemetry::OriginConnection, telemetry::Counter>;

  void count(telemetry::OriginConnection what) {
    connections[what].add();
    if (shown) (*shown)[what].add();
  }

  Connections connections;       // of this asker
  Connections* shown = nullptr;  // the worker's, which outlive every asker; null where nobody scrapes
  telemetry::Counter failed;     // exchanges that ended without a reply, by the server's doing
  telemetry::Gauge idle;         // connections kept now
};

}  // namespace client
