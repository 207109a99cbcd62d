#include "client/pool.h"

#include <algorithm>

#include "client/error.h"
#include "net/descriptors.h"

namespace client {

Pool::Pool(net::Loop& loop, net::Resolver& resolver, Remote remote, const config::OriginTls& tls,
           std::shared_ptr<Stats> stats)
    : loop_(loop),
      resolver_(resolver),
      remote_(std::move(remote)),
      tls_(remote_.tls ? std::make_shared<const net::TlsContext>(tls.verify, tls.ca_file) : nullptr),
      stats_(std::move(stats)) {}

Pool::Pool(net::Loop& loop, net::Resolver& resolver, Remote remote,
           std::shared_ptr<const net::TlsContext> tls, std::shared_ptr<Stats> stats)
    : loop_(loop),
      resolver_(resolver),
      remote_(std::move(remote)),
      tls_(std::move(tls)),
      stats_(std::move(stats)) {}

Pool::~Pool() {
  close_idle();
}

std::unique_ptr<Connection> Pool::take_idle(bool certain) {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    stats_->idle.add(-1);
    if (connection->quiet(certain)) return connection;
  }
  return nullptr;
}

net::Task<base::Result<std::unique_ptr<Connection>>> Pool::dial(net::Cancel* cancel) {
  const base::Mono deadline = loop_.now() + remote_.timeouts.connect;
  net::Resolver::Addresses addresses = remote_.addresses;
  if (!addresses) {
    auto found =
        co_await resolver_.resolve(remote_.host, remote_.port, remote_.pool.resolve_every, deadline, cancel);
    if (!found) co_return std::unexpected(dial_error(found.error()));
    addresses = std::move(*found);
  }
  auto stream = co_await net::connect(loop_, *addresses, deadline, cancel);
  if (!stream) co_return std::unexpected(dial_error(stream.error()));
  if (tls_) {
    stream->set_deadline(deadline);
    const net::CancelLink link(cancel, stream->watch());
    const auto secured = co_await stream->handshake(*tls_, remote_.server_name);
    if (!secured) co_return std::unexpected(dial_error(secured.error()));
    stream->clear_deadline();
  }
  co_return std::make_unique<Connection>(std::move(*stream), remote_.limits);
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  if (!connection->reusable() || idle_.size() >= remote_.pool.idle) return;
  if (!net::descriptors().room(net::Descriptors::For::kKept)) return;
  connection->stream().uncancel();
  connection->stream().clear_deadline();
  connection->rest();
  connection->idle_since = loop_.now();
  if (idle_.empty()) loop_.set(sweep_, connection->idle_since + remote_.pool.idle_timeout);
  idle_.push_back(std::move(connection));
  stats_->idle.add();
}

void Pool::close_old() {
  const base::Mono now = loop_.now();
  const auto young = std::ranges::find_if(idle_, [&](const auto& c) {
    return c->idle_since + remote_.pool.idle_timeout > now && !c->stream().hangup();
  });
  stats_->idle.add(-(young - idle_.begin()));
  idle_.erase(idle_.begin(), young);
  if (!idle_.empty()) loop_.set(sweep_, idle_.front()->idle_since + remote_.pool.idle_timeout);
}

void Pool::close_idle() {
  stats_->idle.add(-static_cast<std::int64_t>(idle_.size()));
  idle_.clear();
  sweep_.clear();
}

}  // namespace client
