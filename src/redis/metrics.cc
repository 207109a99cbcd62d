#include "redis/metrics.h"

#include <algorithm>

namespace redis {

namespace {

constexpr telemetry::Family<Metrics> kFamilies[] = {
    {"sekisho_redis_commands_total", "Commands.", &Metrics::commands},
    {"sekisho_redis_errors_total", "Commands refused, lost, timed out or answered with an error.",
     &Metrics::errors},
    {"sekisho_redis_connects_total", "Attempts to connect.", &Metrics::connects},
    {"sekisho_redis_reconnects_total", "Connections after a worker's first.", &Metrics::reconnects},
    {"sekisho_redis_duration_seconds", "From a command given to its reply.", &Metrics::latency},
};

}  // namespace

void expose(telemetry::Page& page, telemetry::Blocks<Metrics> connections) {
  const bool up =
      std::ranges::all_of(connections, [](const Metrics* one) { return one->connected.read() == 1; });
  page.single("sekisho_redis_up", "gauge", "Whether every worker's connection to Redis takes commands.",
              up ? 1 : 0);
  telemetry::expose(page, kFamilies, connections);
}

}  // namespace redis
