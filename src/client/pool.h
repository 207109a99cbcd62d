// The connections of one worker to one remote server: kept ones, most recently used first, and new ones.
//
// Owner:    an origin or a Client, and the replies under way, by reference count: a reply may be the last to
//           let go.
// Thread:   the worker's own.
// Lifetime: a kept connection is closed idle_timeout after its last use, or when its address is none that the
//           last good look-up of the host's name gave. One in use then finishes, and is not kept.
// Failure:  dial() gives kOriginUnreachable, kOriginRefused, kOriginBadReply (TLS), kOverloaded, kCancelled.
//
// Most recently used first, so that a burst's extra connections grow old and go.
//
// A pool that is always warm never dials, so taking a kept connection is what has the name looked up again,
// where that is due. The request does not wait for it and goes where the name led before.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ref.h"
#include "client/connection.h"
#include "client/stats.h"
#include "config/model.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/tls.h"

namespace client {

struct Remote {
  std::string host;  // to resolve, without brackets
  std::uint16_t port = 80;
  bool tls = false;
  std::string server_name;
  config::OriginTimeouts timeouts;
  config::Pool pool;
  config::ReplyLimits limits{};
  net::Resolver::Addresses
      addresses{};  // where it has been settled which may be connected to; else host is looked up
};

class Pool final : public base::Local<Pool> {
 public:
  // Throws std::runtime_error when the CA file cannot be read.
  Pool(net::Loop& loop, net::Resolver& resolver, Remote remote, const config::OriginTls& tls,
       std::shared_ptr<Stats> stats);
  // `tls` is null for plain ones.
  Pool(net::Loop& loop, net::Resolver& resolver, Remote remote, std::shared_ptr<const net::TlsContext> tls,
       std::shared_ptr<Stats> stats);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A kept connection that is still alive, or null; `certain` where the request cannot be repeated.
  std::unique_ptr<Connection> take_idle(bool certain);
  // A new one: name, TCP and TLS within the connect timeout.
  net::Task<base::Result<std::unique_ptr<Connection>>> dial(net::Cancel* cancel);
  // Keeps it where it can be used again, closes it otherwise.
  void give_back(std::unique_ptr<Connection> connection);
  void close_idle();
  bool unused() const { return idle_.empty(); }  // keeps nothing
  // Why the last dial() failed at the other side's TLS, in words for the operator; "": it did not.
  std::string_view trouble() const { return trouble_; }

  const config::OriginTimeouts& timeouts() const { return remote_.timeouts; }
  Stats& stats() { return *stats_; }
  net::Loop& loop() { return loop_; }

 private:
  struct Sweep final : net::Timer {
    explicit Sweep(Pool& p) : Timer(&Sweep::fire), pool(p) {}
    static void fire(net::Timer& timer) { static_cast<Sweep&>(timer).pool.close_old(); }
    Pool& pool;
  };
  void close_old();
  void settle(const net::Resolver::Addresses& now);
  bool leads_to(const Connection& connection) const;

  net::Loop& loop_;
  net::Resolver& resolver_;
  const Remote remote_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::shared_ptr<Stats> stats_;
  net::Resolver::Handle name_;                     // from the first dial on, where the host is looked up
  net::Resolver::Addresses settled_;               // what the connections in idle_ have been held against
  unsigned answers_ = 0;                           // how many there were of these
  std::string_view trouble_{};                     // static
  std::vector<std::unique_ptr<Connection>> idle_;  // the longest idle at the front
  Sweep sweep_{*this};
};

}  // namespace client
