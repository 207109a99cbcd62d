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

#include "gateway/exchange.h"
#include "net/address.h"
#include "net/stream.h"
#include "net/task.h"

namespace gateway {

class Worker;

class Connection {
 public:
  Connection(Worker& worker, int fd, const net::Endpoint& peer);
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
  Input gave_up_waiting(net::Wake wake);
  net::Task<> linger();

  Worker& worker_;
  net::Stream client_;
  const net::Endpoint peer_;
  const std::string peer_text_;
  std::unique_ptr<Exchange> x_;
  bool idle_ = true;
  bool first_ = true;             // nothing was asked yet
  Connection* before_ = nullptr;  // the worker's list of open connections
  Connection* after_ = nullptr;
};

}  // namespace gateway
