// A worker's connection to Redis, and what goes over it.
//
// Owner:    Worker, where the configuration names a Redis.
// Thread:   the worker's own.
// Lifetime: start() when the thread runs; stop() and drained() before it dies.
// Failure:  the constructor throws one line (the CA file); later a Redis that is not there is what redis::Connection
//           and limit::SharedLink say of it.
#pragma once

#include "config/model.h"
#include "limit/shared.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"
#include "redis/connection.h"
#include "telemetry/metrics.h"

namespace gateway {

class RedisLink {
 public:
  RedisLink(net::Loop& loop, net::Resolver& resolver, const config::Redis& rules,
            limit::SharedBuckets& shared, telemetry::WorkerMetrics& metrics);

  void start() { connection_.start(); }
  void stop() { connection_.stop(); }
  net::Task<> drained() { return connection_.drained(); }
  limit::SharedLink& limits() { return limits_; }

 private:
  redis::Connection connection_;
  limit::SharedLink limits_;
};

}  // namespace gateway
