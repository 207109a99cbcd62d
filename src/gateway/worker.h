// A worker: one thread, one event loop, its listeners, connections, pools, and what it has learned.
//
// Owner:    cli::Server, which starts and stops all workers together.
// Thread:   everything belongs to the worker's thread, except what says otherwise. Others reach it by
//           loop().post().
// Lifetime: members are destroyed in reverse order: tasks before what they use.
// Failure:  construction and prepare() throw one line; afterwards nothing does.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/fill.h"
#include "cache/memory.h"
#include "gateway/connection.h"
#include "gateway/exchange.h"
#include "gateway/redis_link.h"
#include "gateway/snapshot.h"
#include "gateway/walk.h"
#include "identity/remembered.h"
#include "limit/failures.h"
#include "limit/rates.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/offload.h"
#include "net/resolver.h"
#include "net/scope.h"
#include "net/splice.h"
#include "telemetry/access_log.h"
#include "telemetry/audit_log.h"
#include "telemetry/metrics.h"

namespace gateway {

// What all workers share; owned by cli::Server, which outlives them.
struct Commons {
  cache::Memory& memory;
  cache::Fills& fills;
  net::Offload& offload;
  limit::Rates& rates;
  limit::Failures& failures;
  std::atomic<std::uint64_t>& connections;  // open client connections of all workers
  std::uint64_t max_connections = 0;
  const config::Redis* redis = nullptr;            // as configured at start; null: none
  limit::SharedBuckets* shared_buckets = nullptr;  // with redis
};

class Worker {
 public:
  // The logs may be null: then nothing is logged.
  Worker(Commons commons, telemetry::WorkerMetrics& metrics, telemetry::AccessLog* access_log,
         telemetry::AuditLog* audit_log = nullptr);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // ---- before the thread runs, or posted to it
  void listen(const net::Endpoint& address, bool reuse_port, Opening opening);
  const std::vector<std::unique_ptr<net::Listener>>& listeners() const { return listeners_; }
  void prepare(std::shared_ptr<const Snapshot> snapshot);  // builds beside the current one; throws one line
  void commit();                                           // what was prepared serves from now on
  void discard();

  void run();           // the thread's function; returns when drained or cut
  void begin_drain();   // posted: Connection: close from now on, idle connections stay for new requests
  void finish_drain();  // posted: stop accepting, close what is idle, return from run() when all is done
  void cut();           // posted: what is still open is closed now

  // ---- for the walk
  net::Loop& loop() { return loop_; }
  const Commons& commons() const { return commons_; }
  telemetry::WorkerMetrics& metrics() { return metrics_; }
  identity::Remembered& remembered() { return remembered_; }
  net::PipePool& pipes() { return pipes_; }
  const RedisLink* redis() const { return redis_.get(); }  // null: none
  limit::SharedLink* shared_limits() { return redis_ ? &redis_->limits() : nullptr; }
  net::Scope& fills() { return fills_; }
  const base::Ref<const LocalSnapshot>& snapshot() const { return snapshot_; }
  bool draining() const { return draining_; }
  bool closing() const { return closing_; }  // nobody new is waited for
  std::string_view http_date();
  std::string_view make_request_id();  // valid until the next call
  // For dates and log lines; what a token is held against is the clock itself.
  base::Wall wall(base::Mono at) const { return base::Wall(at.time_since_epoch() + wall_offset_); }
  void record(Exchange& x);

  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange);

 private:
  friend class Connection;
  void accepted(int fd, const net::Endpoint& peer, Opening opening);
  net::Task<> shut();
  void read_wall();
  base::Nanos turn();  // before the loop waits; see net::Loop::on_turn

  const Commons commons_;
  telemetry::WorkerMetrics& metrics_;
  net::Loop loop_;
  net::Resolver resolver_;
  net::PipePool pipes_;
  identity::Remembered remembered_;
  std::unique_ptr<RedisLink> redis_;  // null: none
  telemetry::AccessLogBuffer access_log_;
  telemetry::AuditBuffer audit_log_;
  base::Ref<const LocalSnapshot> snapshot_, prepared_;
  std::vector<std::unique_ptr<Exchange>> spare_;
  char id_[26];
  char date_[29];
  std::int64_t date_second_ = -1;
  base::Mono wall_taken_{};
  base::Nanos wall_offset_{0};  // from the monotonic clock to the wall's; refreshed as the loop turns
  bool draining_ = false;
  bool closing_ = false;
  bool cut_ = false;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::vector<Opening> openings_;  // of the listeners' connections, in their order
  Connection* open_ = nullptr;     // a list of all open connections
  net::Scope fills_;
  net::Scope connections_;
  net::Scope end_;
};

}  // namespace gateway
