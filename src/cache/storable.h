// May a reply be stored, and for how long: RFC 9111 §3 and §4.2 for a shared cache, as far as it goes yet.
//
// Owner:    nobody; functions on values.
// Thread:   any.
// Failure:  none; what is doubtful is not stored, and why_not says so for the log.
//
// So far only complete 200 replies to GET without Set-Cookie and Vary are stored, never stale and never
// revalidated. A CDN-Cache-Control takes the place of Cache-Control and Expires (RFC 9213 §2.1); a
// Cache-Control that cannot be read may hide a no-store. no-store, private and no-cache of the origin win
// (their qualified forms too, §5.2.2.4 allows it); s-maxage goes before max-age before Expires less Date
// (§4.2.1); a route's ttl speaks only where the origin says nothing about freshness. There is no heuristic
// freshness (§4.2.2): without any of these a reply is not stored. A Pragma: no-cache of an otherwise silent
// origin counts as no-cache.
//
// Whether the body arrived whole is the fill's to know.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace http {
struct RequestHead;
struct ResponseHead;
}  // namespace http

namespace cache {

class Entry;

// What a request lets the cache do (RFC 9111 §5.2.1).
struct RequestRules {
  bool lookup = true;           // answer from the cache, if it has it
  bool store = true;            // keep the reply
  bool anew = false;            // no-cache, max-age=0, Pragma: no-cache: not what is stored; refresh it
  bool only_if_cached = false;  // absent: 504
  std::optional<base::Nanos> max_age = {};    // the oldest that will do
  std::optional<base::Nanos> min_fresh = {};  // must stay fresh for this long
  std::string_view why_not = {};  // why lookup or store is off: a Cache-Status fwd reason or a log word

  bool bypass() const { return !lookup && !store; }
  // Whether the client would have this entry; what becomes of it if not is the route's to say.
  bool accepts(const Entry& entry, base::Mono now) const;
};

// credentials_go_on: the request's Authorization or Cookie reaches the origin, so that the reply may be meant
// for this caller alone; it is then neither answered from the cache nor stored.
RequestRules request_rules(const http::RequestHead& request, bool credentials_go_on);

struct ExchangeTimes {
  base::Mono requested;      // when the request was sent
  base::Mono received;       // when the reply's head was complete; Entry::Parts::stored_at
  base::Wall received_wall;  // the same moment, to compare with Date
};

struct Storable {
  bool store = false;
  base::Nanos freshness{0};       // §4.2.1, from the origin's generation of the reply
  base::Nanos initial_age{0};     // §4.2.3 corrected_initial_age
  std::string_view why_not = {};  // static; empty when it may be stored
};

// route_ttl: nullopt when the route has none.
Storable may_store(const RequestRules& rules, const http::ResponseHead& reply,
                   std::optional<base::Nanos> route_ttl, const ExchangeTimes& times);

}  // namespace cache
