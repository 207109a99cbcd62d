// What requests are served with: what the process has once, and what a worker lends.
//
// Owner:    Commons: cli, which outlives the workers. Services: a Worker, with references to its own members.
// Thread:   what Commons names may be used by any thread; the rest of Services belongs to the worker's.
// Failure:  none; plain references.
//
// The walk, the responder and the feeder of a fill take this and not the Worker, so that a test, or a caller
// within the process, can put together what they need.
#pragma once

#include <cstdint>
#include <functional>

#include "app/make.h"
#include "base/account.h"
#include "cache/fill.h"
#include "cache/loan.h"
#include "cache/memory.h"
#include "config/model.h"
#include "gateway/dates.h"
#include "identity/remembered.h"
#include "limit/connections.h"
#include "limit/failures.h"
#include "limit/rates.h"
#include "limit/shared.h"
#include "net/look_up.h"
#include "net/loop.h"
#include "net/scope.h"
#include "telemetry/metrics.h"

namespace gateway {

class Worker;

struct Commons {
  cache::Memory& memory;
  cache::Fills& fills;
  cache::Loans& loans;
  base::Account& account;
  net::LookUps& look_ups;
  limit::Rates& rates;
  limit::Failures& failures;
  limit::Connections& connections;  // open client connections of all workers
  // Has another worker close the connection that has rested longest there. Null: there is none.
  std::function<void(const Worker& asks)> make_room{};
  const config::Redis* redis = nullptr;            // as configured at start; null: none
  limit::SharedBuckets* shared_buckets = nullptr;  // with redis
  app::Env process{};                              // what applications tell of the process
};

struct Services {
  const Commons& commons;
  net::Loop& loop;
  telemetry::WorkerMetrics& metrics;
  identity::Remembered& remembered;  // tokens that this worker has verified
  Dates& dates;
  limit::SharedLink* shared_limits;  // null: no Redis
  net::Scope& feeders;               // of fills, which outlive the request that started them
};

}  // namespace gateway
