// The life of a client's connection: one request after the other, each answered by the guest.
//
// Owner:    run() owns the guest until the session ends; whoever spawns it in a Scope owns run().
// Thread:   that of the session's loop.
// Failure:  none outward. A request that cannot be read is answered, too, and the connection closed.
//
// A guest is whoever answers:
//
//   Http1& session();
//   Request& open_request();       one has begun to arrive, or is under way: where it is read, until close()
//   void close();                  none is any more
//   void next();                   the one that has ended is over; another may follow
//   const Terms& terms();          what the client may; valid until the request has ended
//   bool step(Downstream&);        plain. True: the reply is out, or has failed; false: rest() is awaited
//   net::Task<> rest(Downstream&);
//   bool ended();                  once for each request; false: the reply broke off
//
// The loop is a template over its guest, so that a hit makes no call through a pointer, and no coroutine
// frame beyond this one (docs/life-of-a-request.md).
#pragma once

#include <memory>
#include <utility>

#include "serve/downstream.h"
#include "serve/http1.h"

namespace serve {

namespace detail {

template <class Guest>
Http1::Input look(Http1& http, Guest& guest) {
  using Input = Http1::Input;
  for (;;) {
    if (http.has_input() && http.awaits_proxy_header()) {
      if (const Input input = http.read_proxy_header(); input == Input::kEnd) return input;
    }
    if (http.has_input() && !http.awaits_proxy_header()) {
      if (const Input input = http.parse(guest.open_request(), guest.terms()); input != Input::kMore)
        return input;
    }
    if (const Input input = http.receive(); input != Input::kSome) return input;
  }
}

}  // namespace detail

template <class Guest>
net::Task<> run(std::unique_ptr<Guest> owned) {
  const std::unique_ptr<Guest> self = std::move(owned);
  Guest& guest = *self;
  Http1& http = guest.session();
  using Input = Http1::Input;
  constexpr unsigned kInARow = 32;  // pipelined requests, until others have their turn
  unsigned in_a_row = 0;
  for (;;) {
    if (++in_a_row == kInARow) {
      in_a_row = 0;
      co_await http.loop().yield();
    }
    // ---- a request's head, waited for without holding more than the socket
    Input input;
    while ((input = detail::look(http, guest)) == Input::kMore) {
      const bool patient = http.patient(guest.terms());
      if (http.idles()) guest.close();
      if (!patient) {
        input = Input::kEnd;
        break;
      }
      if (const net::Wake wake = co_await http.readable(); wake != net::Wake::kReady) {
        input = http.gave_up(wake, http.idles() ? nullptr : &guest.open_request());
        break;
      }
    }
    if (input == Input::kEnd) break;

    // ---- the guest answers
    Request& request = guest.open_request();
    http.start(request, input, guest.terms());
    const Downstream down(http);
    if (!guest.step(down)) {
      http.told_of_leaving(&request.gone);  // a client that leaves stops what is done for it
      co_await guest.rest(down);
      http.told_of_leaving(nullptr);
    }
    if (!guest.ended()) {
      http.abort();
      break;
    }

    // ---- and the next, if there may be one
    if (http.ends() && !co_await http.settle()) break;
    guest.next();
    http.next();
  }
  guest.close();
  http.close();
}

}  // namespace serve
