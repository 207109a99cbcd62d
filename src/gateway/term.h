// How long an exchange that waits may go on: to the deadline of its route, and where its reply has no end,
// for as long as whoever asked has the right to it.
//
// Owner:    Connection::rest(), for one exchange.
// Thread:   the worker's.
// Failure:  none. What it ends, it ends by Exchange::gone with the reason in Exchange::why_gone; once the
//           head is out the client's connection is cut, too.
//
// Identity is asked once, when a request comes. A tunnel, an event stream and any other reply of unknown
// length may last for days after that: they end when the token does, and when a reload has taken away what
// let them in. The same is looked at again every five seconds, since an issuer may have withdrawn the key. So
// it is with an upload of unknown length, as long as nothing answers it. A body of known length that has
// begun is finished.
#pragma once

#include "gateway/exchange.h"
#include "net/timer.h"
#include "serve/http1.h"

namespace gateway {

class Worker;

class Term final : net::Timer {
 public:
  // `known`: where it is found while it lives, null otherwise.
  Term(Worker& worker, serve::Http1& session, Exchange& x, Term*& known);
  ~Term() { known_ = nullptr; }

  // The walk is over, and what it has found is about to be sent.
  void replies();
  // To be called when another snapshot serves.
  void review();

 private:
  static void on_time(net::Timer& timer);
  void set();
  void end(const base::Error& why);
  const base::Error* objection() const;

  Worker& worker_;
  serve::Http1& session_;
  Exchange& x_;
  Term*& known_;
  bool replies_ = false;
  base::Mono deadline_ = base::Mono::max(), review_ = base::Mono::max();
};

}  // namespace gateway
