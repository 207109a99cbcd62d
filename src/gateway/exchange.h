// One request and its reply: all that the walk knows of it, from the first byte to the log line.
//
// Owner:    a Connection, from the first byte of a request to its last record; in between requests an idle
//           connection has none. Workers keep a few to reuse.
// Thread:   the worker's own.
// Lifetime: head, target and the views into them live in the session's input and in `scratch`, which stay
//           untouched until the exchange is done. `out` keeps its capacity between requests: a cached hit
//           allocates nothing.
//
// Small on purpose (see the bound below): a stream that waits for its origin holds one of these.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/call.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/scratch.h"
#include "cache/entry.h"
#include "cache/fill.h"
#include "cache/key.h"
#include "cache/storable.h"
#include "gateway/snapshot.h"
#include "http/target.h"
#include "identity/key_source.h"
#include "identity/principal.h"
#include "limit/gate.h"
#include "limit/policy.h"
#include "origin/origin.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "telemetry/metrics.h"

namespace gateway {

// How the reply comes about; decided by the walk, carried out by respond.
enum class Plan : std::uint8_t {
  kProblem,  // error, with a body of our own
  kRefusal,  // the same, with an application's body
  kEntry,    // from the memory tier
  kFill,     // from a fill under way
  kOrigin,   // the origin's reply, streamed
  kTunnel,   // the origin agreed to a WebSocket
  kAnswer,   // an application's
};

enum class CacheUse : std::uint8_t { kNone, kHit, kMiss, kCollapsed, kBypass };

inline constexpr base::Error kClientLeft = {base::Code::kClientGone, "the client has left"};

struct Exchange : serve::Request {
  // ---- what the walk found out
  std::uint8_t stage = 0;  // where the walk is, see walk.h
  http::Target target;
  base::Ref<const LocalSnapshot> snapshot;
  const LocalSnapshot::LocalRoute* route = nullptr;
  std::string_view rest;  // of the path, for the origin
  std::string query;      // for the origin, when it is not the client's own
  bool has_query = false;
  base::Ref<const identity::Principal> principal;
  const config::TokenSource* source = nullptr;  // where its token was; the snapshot's
  identity::KeySource* key_source = nullptr;    // that may know the token's key; the snapshot holds it
  limit::Standing standing;                     // with the rate limits of the route
  limit::Slot slot, origin_slot;  // places among the requests of the route, and those at the origin
  std::string client;             // address as logged: the peer's, or what a trusted proxy says
  std::array<std::uint8_t, 16> client_address{};  // the same for limits; IPv4 as ::ffff:a.b.c.d
  bool trusted_peer = false;
  std::string_view told_proto, told_host;  // by a trusted peer, of what its client asked; empty: nothing
  std::string request_id;
  cache::RequestRules rules;
  cache::KeyView key;
  bool may_fill = false;  // store and collapse
  bool stored = false;    // what this request fetched, before its head went out
  CacheUse cache = CacheUse::kNone;
  bool read_ahead = false;        // of the body, as much as the route says
  std::string_view cache_detail;  // for Cache-Status and the log: why it was not a hit

  // ---- the reply
  const base::Error* why_gone = &kClientLeft;  // why `gone` was requested, if it was
  Plan plan = Plan::kProblem;
  base::Error error{};
  base::Ref<const cache::Entry> entry;
  std::optional<cache::Reader> reader;
  std::optional<origin::Reply> reply;
  std::optional<app::Answer> answer;  // gone when rest() has ended, so that no reset() asks
  bool last = false;                  // whoever sent this is not listened to any further
  bool head_sent = false;
  bool failed = false;  // the reply broke off; the connection cannot be used again
  std::uint16_t status = 0;
  serve::Out out;    // the fields that are particular to this reply
  std::string text;  // and its body, where that is our own

  // ---- the record
  // When each phase before the origin ended; not set where it had nothing to do.
  telemetry::PerEnum<telemetry::Phase, base::Mono> ended{};
  base::Mono origin_asked{}, origin_answered{}, finished{};
  base::Nanos origin_wait{0};  // spent waiting for the origin to give some

  base::Scratch<768> scratch;      // of `target`
  base::Scratch<512> key_scratch;  // of `key`

  void stop(base::Error why) {
    plan = Plan::kProblem;
    error = why;
  }
  // A reply under way: why it will break off.
  void stop_for(base::Error why) {
    if (error.text.empty()) error = why;
  }
  bool whole() const { return head_sent && !failed; }  // once respond is done: the client was given all of it

  // Ready for the next request of the same connection.
  void reset() {
    serve::Request::clear();
    stage = 0;
    target = {};
    snapshot = nullptr;
    route = nullptr;
    rest = {};
    query.clear();
    has_query = false;
    principal = nullptr;
    source = nullptr;
    key_source = nullptr;
    standing.policies = nullptr;
    slot.leave();
    origin_slot.leave();
    client.clear();
    client_address = {};
    trusted_peer = false;
    told_proto = told_host = {};
    request_id.clear();
    rules = {};
    key = {};
    may_fill = false;
    stored = false;
    cache = CacheUse::kNone;
    read_ahead = false;
    cache_detail = {};
    why_gone = &kClientLeft;
    plan = Plan::kProblem;
    error = {};
    entry = nullptr;
    reader.reset();
    reply.reset();
    last = false;
    head_sent = false;
    failed = false;
    status = 0;
    out.clear();
    ended = {};
    origin_asked = origin_answered = {};
    origin_wait = base::Nanos(0);
    scratch.drop();
    key_scratch.drop();
  }
};
static_assert(sizeof(Exchange) <= 8 << 10);

}  // namespace gateway
