#include "client/pool.h"

#include <algorithm>

#include "client/error.h"
#include "net/descriptors.h"
#include "net/dial.h"

namespace client {

namespace {

bool tells_why(const net::Error& error) {
  return error.fault == net::Fault::kTls || error.fault == net::Fault::kCertificate;
}

}  // namespace

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

// Where the name leads by now. Another answer is another pointer, so that this costs a comparison.
void Pool::settle(const net::Resolver::Addresses& now) {
  if (now == settled_) return;
  settled_ = now;
  ++answers_;
  const auto gone = std::erase_if(idle_, [&](const auto& connection) { return !leads_to(*connection); });
  stats_->idle.add(-static_cast<std::int64_t>(gone));
}

bool Pool::leads_to(const Connection& connection) const {
  return std::ranges::any_of(*settled_, [&](const auto& one) { return one.bytes() == connection.address; });
}

std::unique_ptr<Connection> Pool::take_idle(bool certain) {
  if (name_) settle(resolver_.glance(name_, remote_.pool.resolve_every));
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
  trouble_ = {};
  net::Resolver::Addresses addresses = remote_.addresses;
  if (!addresses) {
    if (!name_) name_ = resolver_.name(remote_.host, remote_.port);
    if (!name_)
      co_return std::unexpected(
          base::Error{base::Code::kOverloaded, "too many names are looked up at a time"});
    auto found = co_await resolver_.resolve(name_, remote_.pool.resolve_every, deadline, cancel);
    if (!found) co_return std::unexpected(dial_error(found.error()));
    addresses = std::move(*found);
  }
  auto stream = co_await net::connect(loop_, *addresses, deadline, cancel, &resolver_.laggards());
  if (!stream) co_return std::unexpected(dial_error(stream.error()));
  if (tls_) {
    stream->set_deadline(deadline);
    const net::CancelLink link(cancel, stream->watch());
    const auto secured = co_await stream->handshake(*tls_, remote_.server_name);
    if (!secured) {
      if (tells_why(secured.error())) trouble_ = secured.error().text;
      co_return std::unexpected(dial_error(secured.error()));
    }
    stream->clear_deadline();
  }
  auto connection = std::make_unique<Connection>(std::move(*stream), remote_.limits);
  if (name_) connection->address = net::peer_of(connection->stream().fd());
  co_return connection;
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  if (!connection->reusable()) return;
  if (name_) {
    settle(name_->addresses());
    if (connection->answer != answers_ && !leads_to(*connection)) return;
    connection->answer = answers_;
  }
  if (idle_.size() >= remote_.pool.idle) return;
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
  if (name_) settle(name_->addresses());
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
