// A worker's connection to Redis, what goes over it, and what both count.
//
// Owner:    Worker, where the configuration names a Redis.
// Thread:   the worker's own.
// Lifetime: start() when the thread runs; stop() and drained() before it dies.
// Failure:  the constructor throws one line (the CA file); later a Redis that is not there is what
//           redis::Connection and limit::SharedLink say of it.
#pragma once

#include <vector>

#include "config/model.h"
#include "limit/shared.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"
#include "redis/connection.h"
#include "telemetry/page.h"

namespace gateway {

class RedisLink {
 public:
  RedisLink(net::Loop& loop, net::Resolver& resolver, const config::Redis& rules,
            limit::SharedBuckets& shared);

  void start() { connection_.start(); }
  void stop() { connection_.stop(); }
  net::Task<> drained() { return connection_.drained(); }
  limit::SharedLink& limits() { return limits_; }

  const redis::Metrics& connection_metrics() const { return connection_metrics_; }
  const limit::SharedMetrics& limit_metrics() const { return limit_metrics_; }

 private:
  redis::Metrics connection_metrics_;
  limit::SharedMetrics limit_metrics_;
  redis::Connection connection_;
  limit::SharedLink limits_;
};

// Of all workers, from any thread; nothing where there are none.
void expose(telemetry::Page& page, const std::vector<const RedisLink*>& links);

}  // namespace gateway
