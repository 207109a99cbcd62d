// The way of a request: a loop over the stages below, each asked in its turn whether the request goes on.
//
// Owner:    a Connection.  Thread: its worker's.
// Failure:  whatever stops a request is noted in the exchange as a problem; nothing throws.
//
//   shed → route → identify (and admit) → require → rate → enter → allow → look_up → read_ahead → ask
//
// The order is policy:
//   route first, since it says who may call and whom we ask; nothing else is known of an unrouted request;
//   who is calling before anything is given away, a cached byte least of all (C9);
//   admit within identify: whoever is known already passes, and an address whose credentials failed too often
//   is turned away before the next one costs a verification;
//   what the caller may before how often, so that a refusal costs no token of a bucket;
//   how often before how many at a time, so that nobody waits in a queue who would be refused at its end;
//   the cache before the origin, since a hit must not depend on what is behind us;
//   a body before the origin, where the route says so: who is slow to send it keeps no place there.
//
// A stage is a row of Walk::Stages (walk.cc): a plain step, and for one that may have to wait a coroutine
// beside it. advance() does all that needs no waiting, and for a cached hit that is everything, so that it
// makes no coroutine frame beyond its connection's own. Where a step says kWait, wait() awaits what it needs
// and enters the same loop at the same stage: the step is asked again, finds in the exchange what the wait
// has brought, and counts and charges once.
#pragma once

#include <utility>

#include "gateway/exchange.h"
#include "gateway/held_body.h"
#include "gateway/services.h"
#include "net/task.h"
#include "serve/downstream.h"

namespace gateway {

class Walk {
 public:
  enum class Next : std::uint8_t {
    kGoOn,
    kSkip,     // the same; the stage had nothing to do, and its phase took no time
    kRespond,  // the exchange holds the reply, or the problem
    kWait,
  };

  explicit Walk(const Services& services) : services_(services) {}

  // From the exchange's stage on; kRespond or kWait.
  Next advance(Exchange& x);
  // After kWait, until there is something to respond. `down` has the body of the request, and takes what
  // comes before a reply.
  net::Task<> wait(Exchange& x, serve::Downstream down);

 private:
  struct Stages;   // the rows, in their order
  struct Client {  // as a wait sees it
    serve::Downstream down;
    HeldBody& body;  // of the request, from its beginning
  };

  // ---- steps
  Next shed(Exchange& x);
  Next route(Exchange& x);
  Next identify(Exchange& x);
  Next require(Exchange& x);
  Next rate(Exchange& x);
  Next enter(Exchange& x);
  Next allow(Exchange& x);
  Next look_up(Exchange& x);
  Next read_ahead(Exchange& x);
  Next ask(Exchange& x);

  // ---- waits; false: there is something to respond, a problem
  net::Task<bool> fetch_keys(Exchange& x, const Client& client);
  net::Task<bool> draw_tokens(Exchange& x, const Client& client);
  net::Task<bool> queue(Exchange& x, const Client& client);
  net::Task<bool> read_body(Exchange& x, const Client& client);
  net::Task<bool> ask_origin(Exchange& x, const Client& client);

  template <std::size_t... I>
  Next fold(Exchange& x, std::index_sequence<I...>);
  template <std::size_t I>
  bool pass(Exchange& x, Next& next);

  static Next answer_options(Exchange& x, std::string_view allowed);
  bool admit(Exchange& x, std::string_view token);
  static bool kept_will_do(const Exchange& x);                    // the entry found, for this request
  net::Task<bool> collapse(Exchange& x, serve::Downstream down);  // false: ask the origin alone
  net::Task<> ask_alone(Exchange& x, const Client& client);
  net::Task<> answer_inside(Exchange& x, serve::Downstream down);

  const Services& services_;
  std::string credential_scratch_;
};

}  // namespace gateway
