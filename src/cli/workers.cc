#include "cli/workers.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "base/read_file.h"
#include "gateway/redis_link.h"
#include "net/descriptors.h"
#include "telemetry/exposition.h"

namespace cli {

namespace {

unsigned worker_count(const config::Config& config) {
  if (config.workers > 0) return static_cast<unsigned>(config.workers);
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&cpus)));
}

std::uint64_t descriptors_allowed() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return std::min<std::uint64_t>(limit.rlim_cur, 4'000'000);
}

// What is left of the descriptors after logs, listeners, origins and files; each hit needs just one.
std::uint64_t connection_limit(const config::Config& config) {
  if (config.limits.connections > 0) return config.limits.connections;
  const std::uint64_t all = descriptors_allowed();
  const std::uint64_t kept = std::max<std::uint64_t>(256, all / 8);
  return all > 2 * kept ? all - kept : all / 2;
}

// What workers answer to main, which waits for them, but not for ever: one that waits for room in the audit
// log answers when nobody asks any more. Nor does main wait when it is told to end.
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
    const base::Mono deadline = base::mono_now() + base::Seconds(10);
    while (!all_.wait_for(lock, base::Millis(20), [this] { return missing_ == 0; })) {
      if (base::end_is_pending()) return "the process is to end";
      if (base::mono_now() >= deadline) return "a worker does not answer";
    }
    return refusal_;
  }

 private:
  std::mutex lock_;
  std::condition_variable all_;
  std::size_t missing_;
  std::string refusal_;
};

}  // namespace

Workers::Workers(const Snapshot& snapshot, Cache& cache, Limits& limits, Logs& logs, net::LookUps& look_ups,
                 const app::Env& process)
    : connections_(connection_limit(snapshot->config())) {
  const config::Config& config = snapshot->config();
  net::descriptors().limit(descriptors_allowed());
  const gateway::Commons commons{.memory = cache.memory,
                                 .fills = cache.fills,
                                 .loans = cache.loans,
                                 .account = cache.account,
                                 .look_ups = look_ups,
                                 .rates = limits.rates,
                                 .failures = limits.failures,
                                 .connections = connections_,
                                 .make_room = [this](const gateway::Worker& asks) { make_room(asks); },
                                 .redis = config.redis.url ? &config.redis : nullptr,
                                 .shared_buckets = limits.shared.get(),
                                 .process = process};
  for (unsigned i = 0; i < worker_count(config); ++i) {
    metrics_.push_back(std::make_unique<telemetry::WorkerMetrics>());
    workers_.push_back(
        std::make_unique<gateway::Worker>(commons, *metrics_.back(), logs.access(), logs.audit()));
    workers_.back()->prepare(snapshot);
    workers_.back()->commit();
  }
  bind(config);
  net::descriptors().on_scarce([this] {
    for (auto& worker : workers_) worker->loop().post([w = worker.get()] { w->give_up_idle(); });
  });
}

Workers::~Workers() {
  net::descriptors().on_scarce(nullptr);
  cut();
  stop();
}

// The first worker binds alone, so that a port in use is found out; the others share it.
void Workers::bind(const config::Config& config) {
  const bool shared = workers_.size() > 1;
  for (const config::Listen& listen : config.listen) {
    const config::Address& wanted = listen.address;
    net::Endpoint address = *net::Endpoint::parse(wanted.host, wanted.port);
    const net::Listener::Ipv4 ipv4 = ipv4_at(config, wanted.port);
    if (shared && wanted.port != 0) {
      net::Loop loop;
      const net::Listener alone(loop, address, false, ipv4);
    }
    for (auto& worker : workers_) {
      worker->listen(address, shared, ipv4,
                     listen.proxy_protocol ? serve::Opening::kProxyHeader : serve::Opening::kRequest);
      address = worker->listeners().back()->endpoint();  // port 0 has become one
    }
  }
  if (!net::descriptors().room(net::Descriptors::For::kClient))
    throw std::runtime_error(fmt::format(
        "the system allows {} descriptors (ulimit -n), which leaves none for a client beside {} workers",
        descriptors_allowed(), workers_.size()));
}

std::vector<std::string> Workers::addresses() const {
  std::vector<std::string> out;
  for (const auto& listener : workers_.front()->listeners()) out.push_back(listener->address());
  return out;
}

template <class F>
void Workers::on_every_worker(const F& fn) {
  if (threads_.empty()) return;
  for (auto& worker : workers_) worker->loop().post([fn, w = worker.get()] { fn(*w); });
}

// One after the other, so that it is one connection that goes and not one a worker.
void Workers::make_room(const gateway::Worker& asks) {
  const auto is_it = [&asks](const auto& worker) { return worker.get() == &asks; };
  const auto at = std::ranges::find_if(workers_, is_it) - workers_.begin();
  make_room_at(static_cast<std::size_t>(at) + 1, workers_.size() - 1);
}

void Workers::make_room_at(std::size_t at, std::size_t left) {
  if (left == 0) return;
  gateway::Worker& worker = *workers_[at % workers_.size()];
  worker.loop().post([this, &worker, at, left] {
    if (!worker.make_room()) make_room_at(at + 1, left - 1);
  });
}

void Workers::start(const Snapshot&) {
  for (auto& worker : workers_) {
    threads_.emplace_back([this, w = worker.get()] {
      w->run();
      finished_.fetch_add(1);
    });
  }
}

void Workers::prepare(const Snapshot& next) {
  const auto prepared = std::make_shared<Answers>(workers_.size());
  on_every_worker([prepared, next](gateway::Worker& worker) {
    std::string refusal;
    try {
      worker.prepare(next);
    } catch (const std::exception& error) {
      refusal = error.what();
    }
    prepared->give(refusal);
  });
  if (const std::string why = prepared->wait(); !why.empty()) throw std::runtime_error(why);
}

void Workers::commit(const Snapshot&) {
  const auto committed = std::make_shared<Answers>(workers_.size());
  on_every_worker([committed](gateway::Worker& worker) {
    worker.commit();
    committed->give("");
  });
  // "Reloaded" is said when it is so everywhere; a worker that stands still commits before it serves again.
  committed->wait();
}

void Workers::discard() {
  on_every_worker([](gateway::Worker& worker) { worker.discard(); });
}

void Workers::drain() {
  on_every_worker([](gateway::Worker& worker) { worker.begin_drain(); });
}

void Workers::close() {
  on_every_worker([](gateway::Worker& worker) { worker.finish_drain(); });
}

void Workers::cut() {
  on_every_worker([](gateway::Worker& worker) { worker.cut(), worker.finish_drain(); });
}

void Workers::stop() {
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Workers::expose(telemetry::Page& page) const {
  std::vector<const telemetry::WorkerMetrics*> metrics;
  metrics.reserve(metrics_.size());
  for (const auto& one : metrics_) metrics.push_back(one.get());
  telemetry::expose(page, metrics);
  std::vector<const gateway::RedisLink*> links;
  for (const auto& worker : workers_)
    if (const gateway::RedisLink* link = worker->redis()) links.push_back(link);
  gateway::expose(page, links);
  net::descriptors().expose(page);
}

}  // namespace cli
