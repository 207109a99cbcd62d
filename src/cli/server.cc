#include "cli/server.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/sabotage.h"
#include "base/siphash.h"
#include "config/keys.h"
#include "telemetry/exposition.h"
#include "telemetry/oplog.h"
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

unsigned worker_count(const config::Config& config) {
  if (config.workers > 0) return static_cast<unsigned>(config.workers);
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&cpus)));
}

// What is left of the descriptors after logs, listeners, origins and files; each hit needs just one.
std::uint64_t connection_limit(const config::Config& config) {
  if (config.limits.connections > 0) return config.limits.connections;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t all = std::min<std::uint64_t>(limit.rlim_cur, 4'000'000);
  const std::uint64_t kept = std::max<std::uint64_t>(256, all / 8);
  return all > 2 * kept ? all - kept : all / 2;
}

log::Level level_of(config::LogLevel level) {
  return static_cast<log::Level>(level);
}
static_assert(static_cast<int>(config::LogLevel::kError) == static_cast<int>(log::Level::kError));

std::unique_ptr<telemetry::AuditLog> open_audit_log(const config::Audit& rules) {
  if (rules.output.empty()) return nullptr;
  return std::make_unique<telemetry::AuditLog>(telemetry::AuditOptions{
      .output = rules.output,
      .all_requests = rules.requests == config::AuditRequests::kAll,
      .block = rules.when_full == config::WhenFull::kBlock,
      .buffer = rules.buffer,
      .rotation = {.size = rules.rotate_size, .every = rules.rotate_every, .keep = rules.keep},
      .syslog_address = rules.syslog_address});
}

void store(void* memory, base::Ref<const cache::Entry> entry) {
  static_cast<cache::Memory*>(memory)->put(std::move(entry));
}

// What workers answer to main, which waits for them, but not for ever: one that waits for room in the audit log
// answers when nobody asks any more, and main must take signals all the same.
class Answers {
 public:
  explicit Answers(std::size_t expected) : missing_(expected) {}

  void give(const std::string& refusal) {
    const std::lock_guard lock(lock_);
    if (!refusal.empty()) refusal_ = refusal;
    if (--missing_ == 0) all_.notify_one();
  }

  // "": all have answered, and none has refused.
  std::string wait() {
    std::unique_lock lock(lock_);
    const bool all = all_.wait_for(lock, base::Seconds(10), [this] { return missing_ == 0; });
    return all ? refusal_ : "a worker does not answer";
  }

 private:
  std::mutex lock_;
  std::condition_variable all_;
  std::size_t missing_;
  std::string refusal_;
};

}  // namespace

void prepare_process() {
  const sigset_t set = our_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

Server::Server(const Load& load) : Server(load, load()) {}

Server::Server(Load load, config::Config first)
    : load_(std::move(load)),
      shared_buckets_(first.redis.url ? std::make_unique<limit::SharedBuckets>(first.limits.memory / 8)
                                      : nullptr),
      rates_(first.limits),
      failures_(first.limits),
      snapshot_(std::make_shared<const gateway::Snapshot>(std::move(first), registries())),
      started_(snapshot_),
      max_connections_(connection_limit(snapshot_->config())),
      offload_(2),
      key_refresh_(offload_),
      memory_(snapshot_->config().cache.memory.size),
      fills_(snapshot_->config().cache.memory.max_object, snapshot_->config().cache.fill_budget, &store,
             &memory_) {
  const config::Config& config = snapshot_->config();
  log::set_level(level_of(config.log.level));
  log::open(config.log.output);
  if (config.log.access.enabled)
    access_log_ = std::make_unique<telemetry::AccessLog>(config.log.access.output);
  audit_log_ = open_audit_log(config.audit);
  const gateway::Commons commons{.memory = memory_,
                                 .fills = fills_,
                                 .offload = offload_,
                                 .rates = rates_,
                                 .failures = failures_,
                                 .connections = connections_,
                                 .max_connections = max_connections_,
                                 .redis = config.redis.url ? &config.redis : nullptr,
                                 .shared_buckets = shared_buckets_.get()};
  for (unsigned i = 0; i < worker_count(config); ++i) {
    metrics_.push_back(std::make_unique<telemetry::WorkerMetrics>());
    workers_.push_back(
        std::make_unique<gateway::Worker>(commons, *metrics_.back(), access_log_.get(), audit_log_.get()));
    workers_.back()->prepare(snapshot_);
    workers_.back()->commit();
  }
  bind();
  if (config.admin.listen) {
    const auto address = net::Endpoint::parse(config.admin.listen->host, config.admin.listen->port);
    admin_ = std::make_unique<admin::AdminServer>(
        *address, offload_, [this](bool ready) { return metrics(ready); },
        admin::open_token_file(config.admin.token_file), audit_log_.get());
  }
  process_.config_loaded_at = base::unix_seconds(base::wall_now());
  process_.config_hash = config.hash;
}

Server::~Server() {
  on_every_worker([](gateway::Worker& worker) { worker.cut(), worker.finish_drain(); });
  for (auto& thread : threads_) thread.join();
}

// The first worker binds alone, so that a port in use is found out; the others share it.
void Server::bind() {
  const bool shared = workers_.size() > 1;
  for (const config::Listen& listen : snapshot_->config().listen) {
    const config::Address& wanted = listen.address;
    net::Endpoint address = *net::Endpoint::parse(wanted.host, wanted.port);
    if (shared && wanted.port != 0) {
      net::Loop loop;
      const net::Listener alone(loop, address, false);
    }
    for (auto& worker : workers_) {
      worker->listen(address, shared,
                     listen.proxy_protocol ? gateway::Opening::kProxyHeader : gateway::Opening::kRequest);
      address = worker->listeners().back()->endpoint();  // port 0 has become one
    }
  }
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> out;
  for (const auto& listener : workers_.front()->listeners()) out.push_back(listener->address());
  return out;
}

std::string Server::admin_address() const {
  return admin_ ? admin_->address() : "";
}

template <class F>
void Server::on_every_worker(const F& fn) {
  if (threads_.empty()) return;
  for (auto& worker : workers_) worker->loop().post([fn, w = worker.get()] { fn(*w); });
}

int Server::run() {
  key_refresh_.watch(snapshot_->key_sources());
  for (auto& worker : workers_) {
    threads_.emplace_back([this, w = worker.get()] {
      w->run();
      finished_.fetch_add(1);
    });
  }
  if (admin_) admin_->start(snapshot_);
  audit({.event = telemetry::AuditEvent::kStart});
  log::info("sekisho started", {{"version", SEKISHO_VERSION},
                                {"commit", SEKISHO_COMMIT},
                                {"workers", workers_.size()},
                                {"routes", snapshot_->routes().size()},
                                {"max_connections", max_connections_}});
  for (const std::string& address : addresses())
    log::info("listening", {{"address", address}, {"listener", "main"}});
  if (admin_) {
    log::info("listening", {{"address", admin_->address()}, {"listener", "admin"}});
  }

  for (;;) {
    const int signal = next_signal(base::Millis(1000));
    log::tick();
    if (signal == SIGHUP) reload();
    if ((signal == SIGTERM && !sabotage::on("sigterm-ignored")) || signal == SIGINT) return drain(signal);
  }
}

// ---- reload

void Server::reload() {
  std::string why;
  try {
    log::reopen();
    if (access_log_) access_log_->reopen();
    if (audit_log_) audit_log_->reopen();
    config::Config next = load_();
    for (const std::string& key : config::changed_but_fixed(started_->config(), next))
      log::warn("this key takes effect at the next start only", {{"key", key}});
    const base::Mono began = base::mono_now();
    if (swap(std::make_shared<const gateway::Snapshot>(std::move(next), registries()), why)) {
      process_.reloads_succeeded.add();
      process_.config_loaded_at = base::unix_seconds(base::wall_now());
      process_.config_hash = snapshot_->config().hash;
      log::info("configuration reloaded", {{"routes", snapshot_->routes().size()},
                                           {"ms", (base::mono_now() - began).count() / 1'000'000}});
      audit({.event = telemetry::AuditEvent::kReload, .by = "SIGHUP"});
      return;
    }
  } catch (const std::exception& error) {
    why = error.what();
    if (sabotage::on("bad-reload-ends")) ::_exit(1);
  }
  process_.reloads_failed.add();
  log::error("configuration not reloaded; the old one stays", {{"reason", why}});
  audit({.event = telemetry::AuditEvent::kReload,
         .by = "SIGHUP",
         .decision = telemetry::AuditDecision::kError,
         .reason = "invalid_configuration",
         .detail = why});
}

// In two steps, so that either every worker serves from the new snapshot or none does.
bool Server::swap(std::shared_ptr<const gateway::Snapshot> next, std::string& why) {
  if (sabotage::on("reload-ignored")) return true;
  const auto prepared = std::make_shared<Answers>(workers_.size());
  for (auto& worker : workers_) {
    worker->loop().post([prepared, next, w = worker.get()] {
      std::string refusal;
      try {
        w->prepare(next);
      } catch (const std::exception& error) {
        refusal = error.what();
      }
      prepared->give(refusal);
    });
  }
  why = prepared->wait();
  if (!why.empty()) {
    on_every_worker([](gateway::Worker& worker) { worker.discard(); });
    return false;
  }
  const auto committed = std::make_shared<Answers>(workers_.size());
  on_every_worker([committed](gateway::Worker& worker) {
    worker.commit();
    committed->give("");
  });
  // "Reloaded" is said when it is so everywhere; a worker that stands still commits before it serves again.
  committed->wait();
  snapshot_ = std::move(next);
  const config::Config& config = snapshot_->config();
  if (sabotage::on("reload-drops-cache")) memory_.clear();
  memory_.resize(config.cache.memory.size);
  fills_.limits(config.cache.memory.max_object, config.cache.fill_budget);
  fills_.forget_passed();
  snapshot_->configure_gates();
  const base::Mono now = base::mono_now();
  if (!rates_.resize(config.limits, now) || !failures_.configure(config.limits, now))
    log::error("no memory for limits.memory; the tables keep their size", {});
  key_refresh_.watch(snapshot_->key_sources());
  log::set_level(level_of(config.log.level));
  if (admin_) admin_->watch(snapshot_);
  return true;
}

// ---- shutdown

bool Server::finished_by(base::Mono deadline, bool& second_signal) {
  while (finished_ < workers_.size() && base::mono_now() < deadline) {
    const int signal = next_signal(base::Millis(10));
    if (signal == SIGTERM || signal == SIGINT) {
      second_signal = true;
      break;
    }
  }
  return finished_ == workers_.size();
}

void Server::audit(telemetry::AuditRecord record) {
  if (audit_log_) audit_log_->event(record);
}

int Server::drain(int signal) {
  const config::Shutdown& rules = snapshot_->config().shutdown;
  log::info("shutting down", {{"delay_ms", rules.delay.count()}, {"timeout_ms", rules.timeout.count()}});
  if (admin_ && !sabotage::on("drain-keeps-ready")) admin_->draining();
  on_every_worker([](gateway::Worker& worker) { worker.begin_drain(); });
  bool second_signal = false;
  if (!sabotage::on("drain-without-delay")) finished_by(base::mono_now() + rules.delay, second_signal);
  if (sabotage::on("drain-cuts-in-flight")) second_signal = true;
  bool clean = false;
  fills_.close();
  if (!second_signal) {
    on_every_worker([](gateway::Worker& worker) { worker.finish_drain(); });
    clean = finished_by(base::mono_now() + rules.timeout, second_signal);
  }
  if (!clean) {
    log::warn("cutting what is still open",
              {{"connections", connections_.load()},
               {"reason", second_signal ? "second signal" : "shutdown.timeout"}});
    on_every_worker([](gateway::Worker& worker) { worker.cut(), worker.finish_drain(); });
    bool ignored = false;
    finished_by(base::mono_now() + base::Seconds(2), ignored);
  }
  if (finished_ < workers_.size()) {  // a worker that does not answer must not keep the process
    log::error("a worker did not stop", {});
    audit({.event = telemetry::AuditEvent::kStop,
           .by = signal == SIGINT ? "SIGINT" : "SIGTERM",
           .decision = telemetry::AuditDecision::kError,
           .reason = "worker_stuck"});
    if (audit_log_) audit_log_->settle(base::Seconds(1));
    log::flush();
    ::_exit(1);
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  if (admin_) admin_->stop();
  audit({.event = telemetry::AuditEvent::kStop, .by = signal == SIGINT ? "SIGINT" : "SIGTERM"});
  key_refresh_.stop();
  log::info("stopped", {{"clean", clean}});
  return clean ? 0 : 1;
}

telemetry::LimitFigures Server::limit_figures() const {
  telemetry::LimitFigures out;
  const limit::RateStats rates = rates_.stats();
  const limit::FailureStats failures = failures_.stats();
  for (const auto& one : rates.policies) out.policies.push_back({one.name, one.allowed, one.refused});
  out.tables = {{"rates", rates.buckets.entries, rates.buckets.capacity, rates.buckets.evicted},
                {"failures", failures.buckets.entries, failures.buckets.capacity, failures.buckets.evicted}};
  for (const auto& [of, name, s] : gates_.stats())
    out.gates.push_back({of == limit::Gates::Of::kRoute ? "route" : "origin", name, s.max, s.in_use, s.queued,
                         s.entered, s.waited, s.refused, s.timed_out, s.left});
  out.failures_charged = failures.charged;
  out.failures_refused = failures.refused;
  out.redis = shared_buckets_ != nullptr;
  return out;
}

std::string Server::metrics(bool ready) const {
  std::vector<const telemetry::WorkerMetrics*> workers;
  workers.reserve(metrics_.size());
  for (const auto& m : metrics_) workers.push_back(m.get());
  const cache::MemoryStats stats = memory_.stats();
  telemetry::Scrape scrape{.workers = workers,
                           .process = &process_,
                           .cache = {.entries = stats.entries,
                                     .bytes = stats.bytes,
                                     .capacity_bytes = stats.capacity,
                                     .evictions = stats.evictions,
                                     .fills_active = fills_.under_way(),
                                     .fill_bytes = fills_.buffered()},
                           .ready = ready,
                           .version = SEKISHO_VERSION,
                           .commit = SEKISHO_COMMIT};
  scrape.limits = limit_figures();
  const std::vector<telemetry::IssuerKeys> issuers = key_refresh_.figures();
  scrape.issuers = issuers;
  if (audit_log_) scrape.audit = audit_log_->figures();
  if (access_log_) {
    scrape.access_log_lines_written = access_log_->lines_written();
    scrape.access_log_dropped_queue = access_log_->dropped_queue();
    scrape.access_log_dropped_output = access_log_->dropped_output();
  }
  if (sabotage::on("metrics-frozen")) {
    static const std::string first = telemetry::render(scrape);
    return first;
  }
  return telemetry::render(scrape);
}

}  // namespace cli
