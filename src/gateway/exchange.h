// One request and its reply: all that the walk knows of it, from the first byte to the log line.
//
// Owner:    a Connection, from the first byte of a request to its last record; in between requests an idle
//           connection has none, which is what keeps ten thousand of them small. Workers keep a few to reuse.
// Thread:   the worker's own.
// Lifetime: head, target and the views into them live in `input` and `scratch`, which stay untouched until
//           the exchange is done. `out` keeps its capacity between requests: a cached hit allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "cache/entry.h"
#include "cache/fill.h"
#include "cache/key.h"
#include "cache/storable.h"
#include "gateway/snapshot.h"
#include "http/head.h"
#include "http/target.h"
#include "identity/key_source.h"
#include "identity/principal.h"
#include "limit/gate.h"
#include "limit/policy.h"
#include "net/address.h"
#include "net/loop.h"
#include "origin/origin.h"

namespace gateway {

class RequestBody;

// How the reply comes about; decided by the walk, carried out by respond.
enum class Plan : std::uint8_t {
  kProblem,  // error, with a body of our own
  kEntry,    // from the memory tier
  kFill,     // from a fill under way
  kOrigin,   // the origin's reply, streamed
  kTunnel,   // the origin agreed to a WebSocket
};

// What a request waits for when the walk says so.
enum class Awaits : std::uint8_t { kOrigin, kKeys, kRates, kPlace };

enum class CacheUse : std::uint8_t { kNone, kHit, kMiss, kCollapsed, kBypass };

struct Exchange {
  static constexpr std::size_t kHead = 32 << 10;            // the largest head that may be configured
  static constexpr std::size_t kTarget = 16 << 10;          // the largest target
  static constexpr std::size_t kInput = kHead + (8 << 10);  // with room to read a chunked body behind a head

  // ---- input; [begin, end) is not consumed yet, what is before may be viewed by head and target
  std::size_t begin = 0, end = 0;
  std::size_t head_size = 0;
  std::size_t seen = 0;     // of the head being read, see http::parse_request
  base::Mono first_byte{};  // when it began to arrive: its deadline counts from here, however it drips
  bool parsed = false;      // head is good; false: it was refused, and only the error is

  http::RequestHead head;
  http::Target target;

  // ---- what the walk found out
  base::Ref<const LocalSnapshot> snapshot;
  const LocalSnapshot::LocalRoute* route = nullptr;
  std::string_view rest;  // of the path, for the origin
  std::string query;      // for the origin, when it is not the client's own
  bool has_query = false;
  base::Ref<const identity::Principal> principal;
  Awaits awaits = Awaits::kOrigin;
  identity::KeySource* key_source = nullptr;  // that may know the token's key; the snapshot holds it
  limit::Standing standing;                   // with the rate limits of the route
  limit::Slot slot, origin_slot;  // places among the requests of the route, and those at the origin
  const net::Endpoint* peer = nullptr;
  bool nameless_peer = false;  // relayed by a proxy that did not say for whom: nothing it says is believed
  std::string client;          // address as logged: the peer's, or what a trusted proxy says
  std::array<std::uint8_t, 16> client_address{};  // the same for limits; IPv4 as ::ffff:a.b.c.d
  bool trusted_peer = false;
  std::string_view told_proto, told_host;  // by a trusted peer, of what its client asked; empty: nothing
  std::string request_id;
  cache::RequestRules rules;
  cache::KeyView key;
  bool may_fill = false;  // store and collapse
  CacheUse cache = CacheUse::kNone;
  std::string_view cache_detail;  // for Cache-Status and the log: why it was not a hit

  // ---- the reply
  Plan plan = Plan::kProblem;
  base::Error error{};
  base::Ref<const cache::Entry> entry;
  std::optional<cache::Reader> reader;
  std::optional<origin::Reply> reply;
  bool keep_alive = true;
  bool head_sent = false;
  bool failed = false;  // the reply broke off; the connection cannot be used again
  std::uint16_t status = 0;
  std::string out;                         // head, and the body where it is small
  net::Cancel gone;                        // the client has left
  std::optional<std::uint64_t> body_left;  // of the request's body, when it was not read

  // ---- the record
  base::Mono started{}, identified{}, limited{}, looked_up{}, origin_asked{}, origin_answered{}, finished{};
  base::Nanos client_wait{0};  // spent waiting for the client to take bytes
  base::Nanos origin_wait{0};  // and for the origin to give some
  std::uint64_t bytes_in = 0, bytes_out = 0;

  std::array<char, kTarget * 2 + 2> scratch;
  std::array<char, kTarget * 2 + 512> key_scratch;
  std::array<char, kInput> input;

  void stop(base::Error why) {
    plan = Plan::kProblem;
    error = why;
  }
  bool whole() const { return head_sent && !failed; }  // once respond is done: the client was given all of it
  std::string_view pending() const { return {input.data() + begin, end - begin}; }

  // Ready for the next request of the same connection; input keeps what is pending.
  void reset() {
    seen = 0;
    parsed = false;
    head.fields.clear();
    target = {};
    snapshot = nullptr;
    route = nullptr;
    rest = {};
    query.clear();
    has_query = false;
    principal = nullptr;
    awaits = Awaits::kOrigin;
    key_source = nullptr;
    standing.policies = nullptr;
    slot.leave();
    origin_slot.leave();
    nameless_peer = false;
    client.clear();
    client_address = {};
    trusted_peer = false;
    told_proto = told_host = {};
    request_id.clear();
    rules = {};
    key = {};
    may_fill = false;
    cache = CacheUse::kNone;
    cache_detail = {};
    plan = Plan::kProblem;
    error = {};
    entry = nullptr;
    reader.reset();
    reply.reset();
    keep_alive = true;
    head_sent = false;
    failed = false;
    status = 0;
    out.clear();
    gone.reset();
    body_left.reset();
    identified = limited = looked_up = origin_asked = origin_answered = {};
    client_wait = origin_wait = base::Nanos(0);
    bytes_in = bytes_out = 0;
  }
};

}  // namespace gateway
