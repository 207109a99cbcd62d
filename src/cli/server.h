// `sekisho serve`: builds everything, starts it in order, answers signals, and takes it down in reverse.
//
// Owner:    main.
// Thread:   the main thread, which does nothing but wait for signals; workers and admin have their own.
// Failure:  the constructor throws one line (configuration, address in use, log file); then nothing runs.
//
//   SIGHUP            load the configuration again: all of it, or nothing; reopen the log files
//   SIGTERM, SIGINT   drain: readiness red, go on for shutdown.delay, then finish what is in flight, then exit 0
//   a second one      end now
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "admin/admin.h"
#include "cache/fill.h"
#include "cache/memory.h"
#include "config/model.h"
#include "gateway/key_refresh.h"
#include "gateway/snapshot.h"
#include "gateway/worker.h"
#include "limit/failures.h"
#include "limit/gate.h"
#include "limit/rates.h"
#include "limit/shared.h"
#include "net/offload.h"
#include "telemetry/access_log.h"
#include "telemetry/audit_log.h"
#include "telemetry/metrics.h"

namespace cli {

class Server {
 public:
  using Load = std::function<config::Config()>;  // throws one line

  explicit Server(const Load& load);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::vector<std::string> addresses() const;  // that are listened on, ports known
  std::string admin_address() const;           // "" without one

  int run();  // until a signal says otherwise; 0 when everything in flight was finished, 1 when it was cut

 private:
  Server(Load load, config::Config first);
  void bind();
  void reload();
  bool swap(std::shared_ptr<const gateway::Snapshot> next, std::string& why);
  int drain(int signal);
  void audit(telemetry::AuditRecord record);
  bool finished_by(base::Mono deadline, bool& second_signal);
  std::string metrics(bool ready) const;
  telemetry::LimitFigures limit_figures() const;
  template <class F>
  void on_every_worker(const F& fn);

  gateway::Registries registries() { return {.rates = rates_, .gates = gates_}; }

  Load load_;
  std::unique_ptr<limit::SharedBuckets> shared_buckets_;  // null: no Redis
  limit::Rates rates_;
  limit::Failures failures_;
  limit::Gates gates_;
  std::shared_ptr<const gateway::Snapshot> snapshot_;
  const std::shared_ptr<const gateway::Snapshot> started_;  // what holds for keys that a reload cannot change
  std::uint64_t max_connections_;
  net::Offload offload_;
  gateway::KeyRefresh key_refresh_;
  cache::Memory memory_;
  cache::Fills fills_;
  std::unique_ptr<telemetry::AccessLog> access_log_;
  std::unique_ptr<telemetry::AuditLog> audit_log_;
  telemetry::ProcessMetrics process_;
  std::vector<std::unique_ptr<telemetry::WorkerMetrics>> metrics_;
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::size_t> finished_{0};
  std::vector<std::unique_ptr<gateway::Worker>> workers_;
  std::unique_ptr<admin::AdminServer> admin_;
  std::vector<std::thread> threads_;
};

// Signals for the main thread alone, no SIGPIPE, all the descriptors we may have. Before any thread starts.
void prepare_process();

}  // namespace cli
