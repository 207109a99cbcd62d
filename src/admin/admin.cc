#include "admin/admin.h"

#include <algorithm>
#include <array>
#include <utility>

#include "serve/session.h"

namespace admin {

namespace {

constexpr std::size_t kConnections = 64;  // then the oldest goes, so that silent ones do not keep others out

bool is_loopback(const net::Endpoint& address) {
  const auto bytes = address.bytes();
  constexpr std::array<std::uint8_t, 13> kV4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
  constexpr std::array<std::uint8_t, 16> kV6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return std::equal(kV4.begin(), kV4.end(), bytes.begin()) || bytes == kV6;
}

}  // namespace

AdminServer::AdminServer(const std::optional<Place>& place, net::LookUps& look_ups, Sources sources,
                         base::Secret token, telemetry::AuditLog* audit)
    : readiness_(loop_, look_ups, std::move(sources.dependencies), sources.ready),
      operations_(readiness_, std::move(sources.metrics)),
      credentials_(std::move(token)),
      house_{.shared = shared_,
             .operations = operations_,
             .credentials = credentials_,
             .audit = audit,
             .local = place && is_loopback(place->address)},
      connections_(loop_),
      end_(loop_) {
  if (place) listener_.emplace(loop_, place->address, false, place->ipv4);
}

AdminServer::~AdminServer() {
  stop();
}

void AdminServer::start(const std::shared_ptr<const gateway::Snapshot>& snapshot) {
  adopt(snapshot);
  if (listener_)
    connections_.spawn(
        listener_->run([this](int fd, const net::Endpoint& peer) { accepted(fd, peer); }, [](int) {}));
  thread_ = std::thread([this] { loop_.run(); });
}

void AdminServer::accepted(int fd, const net::Endpoint& peer) {
  auto session = std::make_unique<Session>(house_, fd, peer);
  if (!session->is_open()) return;
  if (house_.open.size() > kConnections) house_.open[house_.open.size() - kConnections - 1]->cut();
  connections_.spawn(serve::run(std::move(session)));
}

void AdminServer::watch(std::shared_ptr<const gateway::Snapshot> snapshot) {
  loop_.post([this, next = std::move(snapshot)] { adopt(next); });
}

void AdminServer::adopt(const std::shared_ptr<const gateway::Snapshot>& snapshot) {
  readiness_.watch(snapshot);
  house_.hosts = Hosts(snapshot->config().admin.hosts);
  credentials_.accept(snapshot->admin_verifiers(), {snapshot, &snapshot->admin_require()});
}

void AdminServer::draining() {
  loop_.post([this] { readiness_.draining(); });
}

void AdminServer::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { end_.spawn(shut()); });
  thread_.join();
}

net::Task<> AdminServer::shut() {
  if (listener_) listener_->stop();
  for (Session* session : house_.open) session->cut();
  co_await connections_.drained();
  co_await readiness_.stop();
  loop_.stop();
}

}  // namespace admin
