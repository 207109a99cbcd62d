// The way of a request: route → admit → identify → limit → decide → cache → origin. The order is policy.
//
// Owner:    a Worker.  Thread: its own.
// Failure:  whatever stops a request is noted in the exchange as a problem; nothing throws.
//
// decide() is plain: it does all that needs no waiting, and for a cached hit that is everything. Only where it
// answers kWait is ask() awaited, so that a hit makes no coroutine frame beyond its connection's own.
//
// Why this order:
//   route first, since it says who may call and whom we ask; nothing else is known of an unrouted request;
//   who is calling before anything is given away, a cached byte least of all (C9);
//   the cache before the origin, since a hit must not depend on what is behind us.
// `admit` (by address), `limit` and `decide` (policy) join here as they come to work; see docs/life-of-a-request.md.
#pragma once

#include "gateway/exchange.h"
#include "gateway/request_body.h"
#include "net/task.h"

namespace gateway {

class Worker;

class Walk {
 public:
  enum class Next : std::uint8_t { kRespond, kWait };

  explicit Walk(Worker& worker) : worker_(worker) {}

  Next decide(Exchange& x);
  net::Task<> ask(Exchange& x, RequestBody& body);

 private:
  // Each says whether the walk goes on; where not, the exchange holds the reply.
  bool route(Exchange& x);
  bool identify(Exchange& x);
  bool allow(Exchange& x);
  Next look_up(Exchange& x);

  net::Task<bool> collapse(Exchange& x);  // false: ask the origin alone
  net::Task<> pass(Exchange& x, RequestBody& body);

  Worker& worker_;
  std::string credential_scratch_;
};

}  // namespace gateway
