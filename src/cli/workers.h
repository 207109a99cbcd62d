// All workers as one service: listeners, threads, what each counts. The last in the list: nobody is served
// before everything else stands, and everybody has been before anything goes.
//
// Owner:    Server.  Thread, lifetime: as service.h says; the workers have threads of their own.
// Failure:  the constructor throws one line (an address in use, an origin that cannot be made).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/make.h"
#include "cli/service.h"
#include "cli/services.h"
#include "gateway/worker.h"
#include "net/look_up.h"
#include "telemetry/metrics.h"

namespace cli {

class Workers final : public Service {
 public:
  // `snapshot`: what they serve by from the first request on.
  Workers(const Snapshot& snapshot, Cache& cache, Limits& limits, Logs& logs, net::LookUps& look_ups,
          const app::Env& process);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t count() const { return workers_.size(); }
  std::uint64_t connections() const { return connections_.open(); }  // of clients
  std::uint64_t max_connections() const { return connections_.most(); }
  std::vector<std::string> addresses() const;  // that are listened on, ports known

  void start(const Snapshot& now) override;
  void prepare(
      const Snapshot& next) override;  // either every worker serves from the new snapshot or none does
  void commit(const Snapshot& now) override;
  void discard() override;
  void drain() override;
  void close() override;
  void cut() override;
  bool finished() const override { return finished_ == workers_.size(); }
  void stop() override;
  void expose(telemetry::Page& page) const override;

 private:
  void bind(const config::Config& config);
  void make_room(const gateway::Worker& asks);  // any worker's thread
  void make_room_at(std::size_t at, std::size_t left);
  template <class F>
  void on_every_worker(const F& fn);

  limit::Connections connections_;
  std::atomic<std::size_t> finished_{0};
  std::vector<std::unique_ptr<telemetry::WorkerMetrics>> metrics_;
  std::vector<std::unique_ptr<gateway::Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace cli
