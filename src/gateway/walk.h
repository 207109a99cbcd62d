// The way of a request: shed → route → identify (and admit) → require → rate → enter → allow → cache → origin. The
// order is policy.
//
// Owner:    a Worker.  Thread: its own.
// Failure:  whatever stops a request is noted in the exchange as a problem; nothing throws.
//
// decide() is plain: it does all that needs no waiting, and for a cached hit that is everything. Only where it
// answers kWait is wait() awaited, so that a hit makes no coroutine frame beyond its connection's own.
//
// Why this order:
//   route first, since it says who may call and whom we ask; nothing else is known of an unrouted request;
//   who is calling before anything is given away, a cached byte least of all (C9);
//   admit within identify: whoever is known already passes, and an address whose credentials failed too often is
//   turned away before the next one costs a verification;
//   what the caller may before how often, so that a refusal costs no token of a bucket;
//   how often before how many at a time, so that nobody waits in a queue who would be refused at its end;
//   the cache before the origin, since a hit must not depend on what is behind us.
// `decide` (policy) joins here when it comes to work; see docs/life-of-a-request.md.
#pragma once

#include "gateway/exchange.h"
#include "gateway/request_body.h"
#include "net/task.h"

namespace gateway {

class Worker;

class Walk {
 public:
  // kGoOn is between the stages only.
  enum class Next : std::uint8_t { kGoOn, kRespond, kWait };

  explicit Walk(Worker& worker) : worker_(worker) {}

  Next decide(Exchange& x);
  net::Task<> wait(Exchange& x, RequestBody& body);

 private:
  // Each says whether the walk goes on; where not, the exchange holds the reply, or what is waited for.
  bool shed(Exchange& x);
  bool route(Exchange& x);
  Next identify(Exchange& x);
  bool admit(Exchange& x, std::string_view token);
  Next known(Exchange& x);  // from here on it is settled who is calling
  bool require(Exchange& x);
  Next rate(Exchange& x);
  Next within_rates(Exchange& x);
  Next enter(Exchange& x);
  Next entered(Exchange& x);
  bool allow(Exchange& x);
  Next look_up(Exchange& x);

  Next resume(Exchange& x, Awaits awaited);
  net::Task<> ask(Exchange& x, RequestBody& body);

  net::Task<bool> collapse(Exchange& x);  // false: ask the origin alone
  net::Task<> pass(Exchange& x, RequestBody& body);

  Worker& worker_;
  std::string credential_scratch_;
};

}  // namespace gateway
