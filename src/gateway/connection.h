// A client of the gateway: what a session (serve/session.h) asks to have its requests answered. Each goes
// through the walk, once, and reaches record(), good or bad (docs/life-of-a-request.md).
//
// Owner:    the worker's scope, through the coroutine that run() is.  Thread: the worker's.
// Lifetime: from accept to close; between requests it holds no Exchange, only a socket and a deadline.
// Failure:  none outward.
#pragma once

#include <memory>

#include "gateway/exchange.h"
#include "gateway/respond.h"
#include "gateway/term.h"
#include "gateway/walk.h"
#include "limit/connections.h"
#include "net/address.h"
#include "net/task.h"
#include "serve/http1.h"

namespace gateway {

class Worker;

class Connection {
 public:
  // `seat`: its place among all; with a PROXY header its address is counted when that has been told.
  Connection(Worker& worker, int fd, const net::Endpoint& peer, serve::Opening opening,
             limit::Connections::Seat seat);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static net::Task<> run(std::unique_ptr<Connection> connection);

  bool open() const { return session_.open(); }
  void close_if_idle() { session_.close_if_idle(); }
  void cut();  // since the process ends

  // ---- as the session's guest
  serve::Http1& session() { return session_; }
  serve::Request& open_request();
  void close();
  const serve::Terms& terms() const;
  bool step(serve::Downstream down);
  net::Task<> rest(serve::Downstream down);
  bool ended();
  void next() { x_->reset(); }

 private:
  friend class Worker;
  friend class Entrance;
  bool seated(Exchange& x);

  Worker& worker_;
  serve::Http1 session_;
  Walk walk_;
  Responder responder_;
  std::unique_ptr<Exchange> x_;
  Term* term_ = nullptr;  // of the exchange that waits
  limit::Connections::Seat seat_;
  bool unseated_;                 // its address is not counted yet
  bool walking_ = false;          // the walk has to wait before there is something to respond
  Connection* before_ = nullptr;  // the worker's list of open connections
  Connection* after_ = nullptr;
};

}  // namespace gateway
