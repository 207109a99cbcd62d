#include "gateway/worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/sabotage.h"
#include "base/siphash.h"
#include "gateway/record.h"
#include "telemetry/oplog.h"

namespace gateway {

namespace log = telemetry::log;

namespace {

constexpr std::size_t kSpare = 128;  // exchanges kept; more are freed when a peak has passed

// For a connection beyond the limit there is no exchange and no walk: it is told so and closed.
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    "Content-Type: application/problem+json\r\nContent-Length: 117\r\n\r\n"
    R"({"type":"urn:sekisho:problem:overloaded","title":"Overloaded","status":503,"detail":"too many open connections here"})";

}  // namespace

Worker::Worker(Commons commons, telemetry::WorkerMetrics& metrics, telemetry::AccessLog* access_log,
               telemetry::AuditLog* audit_log)
    : commons_(commons),
      metrics_(metrics),
      resolver_(loop_, commons.offload),
      redis_(commons.redis
                 ? std::make_unique<RedisLink>(loop_, resolver_, *commons.redis, *commons.shared_buckets)
                 : nullptr),
      access_log_(access_log),
      audit_log_(audit_log),
      sessions_{.loop = loop_, .pipes = &pipes_, .refusals = &metrics.connections_refused},
      feeders_(loop_),
      connections_(loop_),
      end_(loop_),
      services_{.commons = commons_,
                .loop = loop_,
                .metrics = metrics_,
                .remembered = remembered_,
                .dates = dates_,
                .shared_limits = redis_ ? &redis_->limits() : nullptr,
                .feeders = feeders_} {
  std::uint64_t seed;
  base::random_bytes(&seed, sizeof seed);
  for (int i = 0; i < 16; ++i, seed >>= 4) id_[i] = "0123456789abcdef"[seed & 15];
  std::memset(id_ + 16, '0', sizeof id_ - 16);
  loop_.on_turn([](void* self) { return static_cast<Worker*>(self)->turn(); }, this);
}

Worker::~Worker() = default;

void Worker::listen(const net::Endpoint& address, bool reuse_port, serve::Opening opening) {
  listeners_.push_back(std::make_unique<net::Listener>(loop_, address, reuse_port));
  openings_.push_back(opening);
}

void Worker::prepare(std::shared_ptr<const Snapshot> snapshot) {
  prepared_ = base::make_ref<LocalSnapshot>(std::move(snapshot), snapshot_.get(),
                                            origin::Env{loop_, resolver_}, app::Env{.ready = commons_.ready});
}

void Worker::commit() {
  snapshot_ = std::exchange(prepared_, nullptr);
  if (sabotage::on("reload-resets-connections"))
    for (Connection* c = open_; c; c = c->after_) c->cut();
  for (Connection* c = open_; c; c = c->after_)
    if (c->term_) c->term_->review();
  for (const auto& route : snapshot_->routes)
    if (route.origin) route.origin->show_in(metrics_.origins[route.rules->origin_label]);
}

void Worker::discard() {
  prepared_ = nullptr;
}

void Worker::run() {
  for (std::size_t i = 0; i < listeners_.size(); ++i)
    connections_.spawn(listeners_[i]->run(
        [this, opening = openings_[i]](int fd, const net::Endpoint& peer) { accepted(fd, peer, opening); }));
  if (redis_) redis_->start();
  loop_.run();
}

void Worker::accepted(int fd, const net::Endpoint& peer, serve::Opening opening) {
  if (cut_) {
    ::close(fd);
    return;
  }
  metrics_.connections_accepted.add();
  // Who may say whom it speaks for is known before it says anything.
  if (opening == serve::Opening::kProxyHeader && !snapshot_->snapshot->trusts(peer.bytes())) {
    metrics_.connections_refused[telemetry::Refusal::kUntrustedProxy].add();
    log::warn("connection refused: not from a trusted proxy", {{"peer", peer.host()}});
    ::close(fd);
    return;
  }
  if (commons_.connections.fetch_add(1, std::memory_order_relaxed) >= commons_.max_connections &&
      !sabotage::on("connection-limit-ignored")) {
    commons_.connections.fetch_sub(1, std::memory_order_relaxed);
    metrics_.connections_refused[telemetry::Refusal::kLimit].add();
    log::warn("connection refused: too many are open", {{"limit", commons_.max_connections}});
    [[maybe_unused]] const ssize_t n = ::send(fd, kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::close(fd);
    return;
  }
  auto connection = std::make_unique<Connection>(*this, fd, peer, opening);
  if (!connection->open()) {
    metrics_.connections_refused[telemetry::Refusal::kError].add();
    return;
  }
  connections_.spawn(Connection::run(std::move(connection)));
}

// ---- the end

void Worker::begin_drain() {
  sessions_.draining = true;
}

void Worker::finish_drain() {
  if (sessions_.closing) return;
  sessions_.draining = sessions_.closing = true;
  for (auto& listener : listeners_) listener->stop();
  for (Connection* c = open_; c; c = c->after_) c->close_if_idle();
  end_.spawn(shut());
}

net::Task<> Worker::shut() {
  co_await connections_.drained();
  co_await feeders_.drained();  // told by their last readers' leaving
  if (redis_) {
    redis_->stop();
    co_await redis_->drained();
  }
  co_await resolver_.drained();
  for (const auto& [name, origin] : snapshot_->origins) origin->close_idle();
  access_log_.flush();
  audit_log_.flush();
  loop_.stop();
}

void Worker::cut() {
  cut_ = true;
  for (Connection* c = open_; c; c = c->after_) c->cut();
}

// ---- for the walk

base::Nanos Worker::turn() {
  if (sabotage::every("worker-stuck", base::Seconds(2))) sabotage::sleep(base::Millis(300));
  const base::Mono now = loop_.now();
  dates_.refresh(now);
  metrics_.loop_lag.record(loop_.busy());
  metrics_.loop_lag_last.set(loop_.busy().count());
  access_log_.flush_if_due(now);
  audit_log_.flush_if_due(now);
  const bool pending = access_log_.pending() || audit_log_.pending();
  return pending ? telemetry::LineLog::kMaxAge : net::Loop::kForever;
}

std::string_view Worker::make_request_id() {
  // A random prefix a worker and a counter behind it: unique, cheap, and no secret.
  for (std::size_t i = sizeof id_; i-- > 16;) {
    if (id_[i] == 'f') {
      id_[i] = '0';
      continue;
    }
    id_[i] = id_[i] == '9' ? 'a' : static_cast<char>(id_[i] + 1);
    break;
  }
  return {id_, sizeof id_};
}

void Worker::record(Exchange& x) {
  gateway::record(x, metrics_, access_log_, audit_log_, dates_.wall(x.started));
}

std::unique_ptr<Exchange> Worker::take_exchange() {
  if (spare_.empty()) return std::make_unique_for_overwrite<Exchange>();
  auto exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void Worker::give_back(std::unique_ptr<Exchange> exchange) {
  if (spare_.size() >= kSpare) return;
  exchange->reset();
  spare_.push_back(std::move(exchange));
}

}  // namespace gateway
