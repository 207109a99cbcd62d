#include "gateway/worker.h"

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

}  // namespace

Worker::Worker(Commons commons, telemetry::WorkerMetrics& metrics, telemetry::AccessLog* access_log,
               telemetry::AuditLog* audit_log)
    : commons_(commons),
      metrics_(metrics),
      resolver_(loop_, commons.look_ups),
      redis_(commons.redis
                 ? std::make_unique<RedisLink>(loop_, resolver_, *commons.redis, *commons.shared_buckets)
                 : nullptr),
      access_log_(access_log),
      audit_log_(audit_log),
      sessions_{.loop = loop_,
                .pipes = &pipes_,
                .refusals = &metrics.connections_refused,
                .account = &commons.account},
      entrance_(*this),
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

void Worker::listen(const net::Endpoint& address, bool reuse_port, net::Listener::Ipv4 ipv4,
                    serve::Opening opening) {
  listeners_.push_back(std::make_unique<net::Listener>(loop_, address, reuse_port, ipv4));
  openings_.push_back(opening);
}

void Worker::prepare(std::shared_ptr<const Snapshot> snapshot) {
  prepared_ = base::make_ref<LocalSnapshot>(std::move(snapshot), snapshot_.get(),
                                            origin::Env{loop_, resolver_}, commons_.process);
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
    connections_.spawn(
        listeners_[i]->run([this, opening = openings_[i]](
                               int fd, const net::Endpoint& peer) { entrance_.accepted(fd, peer, opening); },
                           [this](int fd) { entrance_.turn_away(fd); }));
  if (redis_) redis_->start();
  loop_.run();
}

void Worker::give_up_idle() {
  for (const auto& [name, origin] : snapshot_->origins) origin->close_idle();
  pipes_.close_idle();
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
