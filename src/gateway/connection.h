// A client's connection: the walk of each of its requests, one after the other.
//
// Owner:    the worker's scope, through the coroutine that run() is.  Thread: the worker's.
// Lifetime: from accept to close; between requests it holds no Exchange, only a socket and a deadline.
// Failure:  none outward. A request that cannot be read is answered and the connection closed.
//
// run() is the life of a request (docs/life-of-a-request.md): every request, good or bad, goes through it once
// and reaches record().
#pragma once

#include <memory>

#include "base/error.h"
#include "gateway/exchange.h"
#include "net/address.h"
#include "net/stream.h"
#include "net/task.h"

namespace gateway {

class Worker;

// What the first bytes of a listener's connections are: a request, or a proxy's word on who sends them.
enum class Opening : std::uint8_t { kRequest, kProxyHeader };

class Connection {
 public:
  Connection(Worker& worker, int fd, const net::Endpoint& peer, Opening opening);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static net::Task<> run(std::unique_ptr<Connection> connection);

  bool open() const { return client_.open(); }
  void close_if_idle();  // at shutdown: nobody is to wait for a client who has nothing to say
  void cut();            // now, whatever is under way

 private:
  friend class Worker;
  enum class Input : std::uint8_t { kHead, kRefused, kMore, kEnd };

  net::Task<> serve();
  Input look_at_input();
  Input look_at_proxy_header();  // kHead: it was read, and a request may follow
  Input refuse_proxy_header(std::string_view why);
  Input gave_up_waiting(net::Wake wake);
  net::Task<> linger();

  Worker& worker_;
  net::Stream client_;
  net::Endpoint peer_;                       // the socket's, until a PROXY header names another
  std::string peer_text_;                    // the same, as logs write it
  std::array<std::uint8_t, 16> peer_bytes_;  // the same, as limits count by it
  std::unique_ptr<Exchange> x_;
  bool awaits_proxy_header_;
  bool nameless_ = false;  // see Exchange::nameless_peer
  bool idle_ = true;
  bool first_ = true;             // nothing was asked yet
  Connection* before_ = nullptr;  // the worker's list of open connections
  Connection* after_ = nullptr;
};

}  // namespace gateway
