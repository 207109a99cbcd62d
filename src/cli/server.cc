#include "cli/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sabotage.h"
#include "config/keys.h"
#include "telemetry/oplog.h"
#include "telemetry/process.h"
#include "version.h"

namespace cli {

namespace log = telemetry::log;

namespace {

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&set, s);
  return set;
}

// The next of our signals, or 0 when there was none for a while.
int next_signal(base::Millis patience) {
  const sigset_t set = our_signals();
  const timespec wait{.tv_sec = patience.count() / 1000, .tv_nsec = (patience.count() % 1000) * 1'000'000};
  const int got = ::sigtimedwait(&set, nullptr, &wait);
  return got > 0 ? got : 0;
}

}  // namespace

void prepare_process() {
  // Where a stream is closed, the next socket would get its number, and the logs would be written to a
  // client.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);  // takes the lowest number: fd
  const sigset_t set = our_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void hide_memory() {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{};  // for a kernel that pipes cores to a program, whatever the process is
  ::setrlimit(RLIMIT_CORE, &none);
}

Server::Server(const Load& load) : Server(load, load()) {}

namespace {

net::LookUpRules look_up_rules(const config::Resolver& rules) {
  net::LookUpRules out{.servers = {},
                       .timeout = rules.timeout,
                       .tries = static_cast<unsigned>(rules.tries),
                       .min_ttl = rules.min_ttl,
                       .system = rules.servers.empty()};
  for (const config::Address& server : rules.servers)
    out.servers.push_back(net::Endpoint::parse(server.host, server.port).value());
  return out;
}

}  // namespace

Server::Server(Load load, const config::Config& first)
    : load_(std::move(load)),
      look_ups_(look_up_rules(first.resolver)),
      limits_(first),
      snapshot_(snapshot_of(first)),
      started_(snapshot_),
      logs_(first),
      cache_(first),
      keys_(look_ups_),
      workers_(snapshot_, cache_, limits_, logs_, look_ups_, {.ready = &ready_, .draining = &draining_}),
      door_(first, look_ups_,
            {.metrics = [this](bool ready) { return metrics(ready); },
             .dependencies = [this] { return services_.dependencies(); },
             .ready = ready_},
            draining_, logs_.audit()) {
  loaded_at_ = base::unix_seconds(base::wall_now());
  hash_ = first.hash;
}

std::shared_ptr<const gateway::Snapshot> Server::snapshot_of(config::Config config) {
  return std::make_shared<const gateway::Snapshot>(std::move(config), limits_.registries());
}

int Server::run() {
  services_.start(snapshot_);
  logs_.event({.event = telemetry::AuditEvent::kStart});
  log::info("sekisho started", {{"version", SEKISHO_VERSION},
                                {"commit", SEKISHO_COMMIT},
                                {"workers", workers_.count()},
                                {"routes", snapshot_->routes().size()},
                                {"max_connections", workers_.max_connections()}});
  for (const std::string& address : addresses())
    log::info("listening", {{"address", address}, {"listener", "main"}});
  if (const std::string address = admin_address(); !address.empty())
    log::info("listening", {{"address", address}, {"listener", "admin"}});

  for (;;) {
    const int signal = next_signal(base::Millis(1000));
    log::tick();
    cache_.tick();
    if (signal == SIGHUP) reload();
    if ((signal == SIGTERM && !sabotage::on("sigterm-ignored")) || signal == SIGINT) return drain(signal);
  }
}

// ---- reload

void Server::reload() {
  std::string why;
  try {
    services_.reopen();
    config::Config next = load_();
    for (const std::string& key : config::changed_but_fixed(started_->config(), next))
      log::warn("this key takes effect at the next start only", {{"key", key}});
    const base::Mono began = base::mono_now();
    why = replace(std::move(next));
    if (why.empty()) {
      reloads_succeeded_.add();
      loaded_at_ = base::unix_seconds(base::wall_now());
      hash_ = snapshot_->config().hash;
      log::info("configuration reloaded", {{"routes", snapshot_->routes().size()},
                                           {"ms", (base::mono_now() - began).count() / 1'000'000}});
      logs_.event({.event = telemetry::AuditEvent::kReload, .by = "SIGHUP"});
      return;
    }
  } catch (const std::exception& error) {
    why = error.what();
    if (sabotage::on("bad-reload-ends")) ::_exit(1);
  }
  reloads_failed_.add();
  log::error("configuration not reloaded; the old one stays", {{"reason", why}});
  logs_.event({.event = telemetry::AuditEvent::kReload,
               .by = "SIGHUP",
               .decision = telemetry::AuditDecision::kError,
               .reason = "invalid_configuration",
               .detail = why});
}

// "" or why not.
std::string Server::replace(config::Config next) {
  const auto snapshot = snapshot_of(std::move(next));
  if (sabotage::on("reload-ignored")) return "";
  std::string why = services_.reload(snapshot);
  if (why.empty()) snapshot_ = snapshot;
  return why;
}

// ---- shutdown

bool Server::finished_by(base::Mono deadline, bool& second_signal) {
  while (!services_.finished() && base::mono_now() < deadline) {
    const int signal = next_signal(base::Millis(10));
    if (signal == SIGTERM || signal == SIGINT) {
      second_signal = true;
      break;
    }
  }
  return services_.finished();
}

int Server::drain(int signal) {
  const config::Shutdown& rules = snapshot_->config().shutdown;
  const std::string_view by = signal == SIGINT ? "SIGINT" : "SIGTERM";
  log::info("shutting down", {{"delay_ms", rules.delay.count()}, {"timeout_ms", rules.timeout.count()}});
  services_.drain();
  bool second_signal = false;
  if (!sabotage::on("drain-without-delay")) finished_by(base::mono_now() + rules.delay, second_signal);
  if (sabotage::on("drain-cuts-in-flight")) second_signal = true;
  bool clean = false;
  const base::Mono deadline = base::mono_now() + rules.timeout;
  if (!second_signal) {
    services_.close();
    clean = finished_by(deadline, second_signal);
  }
  if (!clean) {
    log::warn("cutting what is still open",
              {{"connections", workers_.connections()},
               {"reason", second_signal ? "second signal" : "shutdown.timeout"}});
    services_.cut();
    bool ignored = false;
    finished_by(base::mono_now() + base::Seconds(2), ignored);
  }
  if (!services_.finished()) {  // a worker that does not answer must not keep the process
    log::error("a worker did not stop", {});
    logs_.event({.event = telemetry::AuditEvent::kStop,
                 .by = by,
                 .decision = telemetry::AuditDecision::kError,
                 .reason = "worker_stuck"});
    if (logs_.audit()) logs_.audit()->settle(base::Seconds(1));
    log::flush(base::Millis(500));
    ::_exit(1);
  }
  services_.stop();
  logs_.event({.event = telemetry::AuditEvent::kStop, .by = by});
  log::info("stopped", {{"clean", clean}});
  // What is left of the time, for outputs that are slow; they end by themselves soon where nobody reads.
  logs_.give_up_by(std::max(deadline, base::mono_now() + base::Millis(500)));
  return clean ? 0 : 1;
}

// ---- figures

std::string Server::metrics(bool ready) const {
  telemetry::Page page;
  services_.expose(page);
  page.family("sekisho_reloads_total", "counter", "Reloads of the configuration, by result.");
  page.sample({{"result", "success"}}, reloads_succeeded_.read());
  page.sample({{"result", "failure"}}, reloads_failed_.read());
  page.single("sekisho_config_loaded_timestamp_seconds", "gauge",
              "When the configuration in force was loaded.", loaded_at_.load());
  page.family("sekisho_config_info", "gauge", "The hash of the configuration in force.");
  page.sample({{"hash", fmt::format("{:016x}", hash_.load())}}, 1);
  page.single("sekisho_ready", "gauge", "Whether /ready says yes.", ready ? 1 : 0);
  page.family("sekisho_build_info", "gauge", "What is running.");
  page.sample({{"version", SEKISHO_VERSION}, {"commit", SEKISHO_COMMIT}}, 1);
  telemetry::expose(page, telemetry::read_process());
  if (sabotage::on("metrics-frozen")) {
    static const std::string first = page.take();
    return first;
  }
  return page.take();
}

}  // namespace cli
