// A worker: one thread, one event loop, its listeners, connections, pools, and what it has learned.
//
// Owner:    cli::Server, which starts and stops all workers together.
// Thread:   everything belongs to the worker's thread, except what says otherwise. Others reach it by
//           loop().post().
// Lifetime: members are destroyed in reverse order: tasks before what they use.
// Failure:  construction and prepare() throw one line; afterwards nothing does.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/connection.h"
#include "gateway/dates.h"
#include "gateway/entrance.h"
#include "gateway/exchange.h"
#include "gateway/redis_link.h"
#include "gateway/services.h"
#include "gateway/snapshot.h"
#include "identity/remembered.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/scope.h"
#include "net/splice.h"
#include "telemetry/access_log.h"
#include "telemetry/audit_log.h"
#include "telemetry/metrics.h"

namespace gateway {

class Worker {
 public:
  // The logs may be null: then nothing is logged.
  Worker(Commons commons, telemetry::WorkerMetrics& metrics, telemetry::AccessLog* access_log,
         telemetry::AuditLog* audit_log = nullptr);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // ---- before the thread runs, or posted to it
  void listen(const net::Endpoint& address, bool reuse_port, net::Listener::Ipv4 ipv4,
              serve::Opening opening);
  const std::vector<std::unique_ptr<net::Listener>>& listeners() const { return listeners_; }
  void prepare(std::shared_ptr<const Snapshot> snapshot);  // builds beside the current one; throws one line
  void commit();                                           // what was prepared serves from now on
  void discard();

  void run();           // the thread's function; returns when drained or cut
  void begin_drain();   // posted: Connection: close from now on, idle connections stay for new requests
  void finish_drain();  // posted: stop accepting, close what is idle, return from run() when all is done
  void cut();           // posted: what is still open is closed now
  // Posted, when descriptors are scarce: idle connections to origins, idle pipes.
  void give_up_idle();
  bool make_room() { return entrance_.make_room(); }  // posted; false: nobody rests here

  // ---- for connections
  net::Loop& loop() { return loop_; }
  const Commons& commons() const { return commons_; }
  const Services& services() const { return services_; }
  serve::Shared& sessions() { return sessions_; }
  telemetry::WorkerMetrics& metrics() { return metrics_; }
  const RedisLink* redis() const { return redis_.get(); }  // null: none
  net::Scope& tasks() { return feeders_; }
  const base::Ref<const LocalSnapshot>& snapshot() const { return snapshot_; }
  std::string_view make_request_id();  // valid until the next call
  void record(Exchange& x);

  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange);

 private:
  friend class Connection;
  friend class Entrance;
  net::Task<> shut();
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
  Dates dates_;
  serve::Shared sessions_;
  bool cut_ = false;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::vector<serve::Opening> openings_;  // of the listeners' connections, in their order
  Connection* open_ = nullptr;            // a list of all open connections
  Entrance entrance_;
  net::Scope feeders_;
  net::Scope connections_;
  net::Scope end_;
  const Services services_;
};

}  // namespace gateway
