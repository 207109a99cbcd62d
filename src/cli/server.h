// `sekisho serve`: builds everything, starts it in order, answers signals, and takes it down in reverse.
//
// Owner:    main.
// Thread:   the main thread, which does nothing but wait for signals; workers and admin have their own.
// Failure:  the constructor throws one line (configuration, address in use, log file); then nothing runs.
//
//   SIGHUP            load the configuration again: all of it, or nothing; reopen the log files
//   SIGTERM, SIGINT   drain: readiness red, go on for shutdown.delay, finish what is in flight, exit 0
//   a second one      end now
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/service.h"
#include "cli/services.h"
#include "cli/workers.h"
#include "config/model.h"
#include "gateway/snapshot.h"
#include "net/dns.h"
#include "telemetry/counter.h"

namespace cli {

class Server {
 public:
  using Load = std::function<config::Config()>;  // throws one line

  explicit Server(const Load& load);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // That are listened on, ports known; "" without an admin listener.
  std::vector<std::string> addresses() const { return workers_.addresses(); }
  std::string admin_address() const { return door_.address(); }

  int run();  // until a signal says otherwise; 0 when everything in flight was finished, 1 when it was cut

 private:
  Server(Load load, const config::Config& first);
  std::shared_ptr<const gateway::Snapshot> snapshot_of(config::Config config);
  void reload();
  std::string replace(config::Config next);
  int drain(int signal);
  bool finished_by(base::Mono deadline, bool& second_signal);
  std::string metrics(bool ready) const;

  Load load_;
  net::Dns look_ups_;
  telemetry::SharedCounter reloads_succeeded_, reloads_failed_;
  std::atomic<std::int64_t> loaded_at_{0};  // unix seconds; of the configuration in force, as is its hash
  std::atomic<std::uint64_t> hash_{0};

  // As /ready and /serving say: told by the door, read by workers.
  std::atomic<bool> ready_{false};
  std::atomic<bool> draining_{false};

  // What each needs is constructed before it.
  Limits limits_;
  std::shared_ptr<const gateway::Snapshot> snapshot_;
  const std::shared_ptr<const gateway::Snapshot> started_;  // what holds for keys that a reload cannot change
  Logs logs_;
  Cache cache_;
  Keys keys_;
  Workers workers_;
  Door door_;

  ServiceList services_{&logs_, &keys_, &door_, &limits_, &cache_, &workers_};  // as they start
};

// The standard streams are open, signals are for the main thread alone, no SIGPIPE, all the descriptors we
// may have. Before any thread starts.
void prepare_process();

// Nobody but root looks into this process, which holds secrets: no core dumps, no debugger, no /proc/PID/mem.
void hide_memory();

}  // namespace cli
