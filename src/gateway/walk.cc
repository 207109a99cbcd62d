#include "gateway/walk.h"

#include "base/sabotage.h"
#include "cache/memory.h"
#include "gateway/feed.h"
#include "gateway/forward.h"
#include "gateway/record.h"
#include "gateway/worker.h"
#include "identity/extract.h"

namespace gateway {

using base::Code;
using http::FieldId;
using http::Method;

Walk::Next Walk::decide(Exchange& x) {
  if (!route(x)) return Next::kRespond;
  if (sabotage::on("hit-before-identity") && look_up(x) == Next::kRespond && x.plan == Plan::kEntry)
    return Next::kRespond;
  if (!identify(x)) return Next::kRespond;
  x.identified = base::mono_now();
  if (!allow(x)) return Next::kRespond;
  return look_up(x);
}

bool Walk::route(Exchange& x) {
  if (const auto ok = http::parse_target(x.head.target, x.scratch, x.target); !ok) {
    x.stop(ok.error());
    x.keep_alive = false;
    return false;
  }
  if (!learn_client(x)) return false;
  const auto match = x.snapshot->snapshot->router().match(x.target.collapsed);
  if (!match) {
    x.stop({Code::kNoRoute, "no route serves this path"});
    return false;
  }
  x.route = &x.snapshot->routes[match->route];
  x.rest = x.route->rules->keeps_slashes ? rest_of(x.target.path, *match)
                                         : x.target.collapsed.substr(match->length);
  if (x.rest.empty()) x.rest = "/";
  if (x.target.has_query) {
    x.query.assign(x.target.raw_query);
    x.has_query = true;
    for (const std::string& name : x.route->rules->stripped_queries) {
      std::string kept;
      http::query_without(x.query, name, kept);
      x.query = std::move(kept);
      if (x.query.empty()) x.has_query = false;
    }
  }
  return true;
}

bool Walk::identify(Exchange& x) {
  const Route& rules = *x.route->rules;
  if (!rules.identity || sabotage::on("auth-off")) return true;
  telemetry::PerEnum<telemetry::Verification, telemetry::Counter>& counts = worker_.metrics().verifications;
  const auto credential =
      identity::extract(x.head, x.target.raw_query, rules.identity->from, credential_scratch_);
  if (!credential) {
    counts[telemetry::Verification::kFailed].add();
    x.stop(credential.error());
    return false;
  }
  const base::Wall now = base::wall_tick();
  const std::uint64_t verifier = rules.verifier->id();
  if (const identity::Principal* known = worker_.remembered().find(verifier, credential->token, now)) {
    counts[telemetry::Verification::kRemembered].add();
    x.principal = base::Ref<const identity::Principal>(known);
    return true;
  }
  auto principal = rules.verifier->verify(credential->token, now);
  if (!principal) {
    counts[telemetry::Verification::kFailed].add();
    x.stop(principal.error());
    return false;
  }
  counts[telemetry::Verification::kVerified].add();
  worker_.remembered().insert(verifier, credential->token, *principal, now);
  x.principal = std::move(*principal);
  return true;
}

// What this origin can be asked at all. After identity, so that a stranger learns nothing of it.
bool Walk::allow(Exchange& x) {
  if (x.head.method == Method::kTrace) {
    x.stop({Code::kMethodNotAllowed, "TRACE is not forwarded"});
    return false;
  }
  if (!x.route->rules->forwards_fields && x.head.method != Method::kGet && x.head.method != Method::kHead) {
    x.stop({Code::kMethodNotAllowed, "this origin serves GET and HEAD"});
    return false;
  }
  if (x.head.content_length > x.snapshot->snapshot->config().limits.body) {
    x.stop({Code::kBodyTooLarge, "the request body is larger than allowed"});
    return false;
  }
  return true;
}

Walk::Next Walk::look_up(Exchange& x) {
  const Route& rules = *x.route->rules;
  const bool readable = x.head.method == Method::kGet || x.head.method == Method::kHead;
  if (!rules.cacheable || !readable || x.head.framing != http::Framing::kNone || x.head.upgrade)
    return Next::kWait;

  x.rules = cache::request_rules(x.head, credentials_go_on(x));
  if (x.rules.bypass()) {
    x.cache = CacheUse::kBypass;
    x.cache_detail = x.rules.why_not;
    return Next::kWait;
  }
  std::string effective;
  cache::KeyParts parts{.origin = x.route->cache_id, .path = x.rest};
  if (x.has_query && !sabotage::on("key-ignores-query")) {
    parts.has_query = x.route->origin->effective_query(x.query, true, effective);
    parts.query = effective;
  }
  // Whatever the origin is told of the host may stand in its answer, be it as Host or as X-Forwarded-Host.
  std::string told;
  if (rules.forwards_fields) {
    parts.host = x.head.host;
    if (x.trusted_peer) {
      told.append(x.head.host).append(" ").append(x.told_host);
      parts.host = told.append(" ").append(x.told_proto);
    }
  }
  const auto key = cache::make_key(parts, x.key_scratch);
  if (!key) {
    x.cache = CacheUse::kBypass;
    x.cache_detail = "key-too-long";
    return Next::kWait;
  }
  x.key = *key;
  if (x.rules.lookup && !sabotage::on("cache-off")) {
    x.entry = worker_.commons().memory.find(x.key, x.started);
    if (x.entry && x.rules.accepts(*x.entry, x.started)) {
      x.looked_up = base::mono_now();
      x.plan = Plan::kEntry;
      x.cache = CacheUse::kHit;
      return Next::kRespond;
    }
    x.entry = nullptr;
  }
  if (x.rules.only_if_cached) {
    x.stop({Code::kOriginUnreachable, "only-if-cached, and it is not"});
    return Next::kRespond;
  }
  x.looked_up = base::mono_now();
  x.cache = CacheUse::kMiss;
  x.may_fill = x.rules.store && x.head.method == Method::kGet &&
               !worker_.commons().fills.passed_lately(x.key, x.started);
  return Next::kWait;
}

// ---- what waits

net::Task<> Walk::ask(Exchange& x, RequestBody& body) {
  x.origin_asked = base::mono_now();
  const bool answered = x.may_fill && co_await collapse(x);
  if (!answered) co_await pass(x, body);
  x.origin_answered = base::mono_now();
}

net::Task<bool> Walk::collapse(Exchange& x) {
  auto [fill, leader] = worker_.commons().fills.join(x.key, worker_.loop());
  // The reader is there before the feeder begins: a fill without readers is given up.
  x.reader.emplace(fill, worker_.loop());
  base::Ref<Handover> handover;
  if (leader) {
    handover = base::make_ref<Handover>();
    worker_.fills().spawn(feed(worker_, fill, handover, FillAsk(x)));
  } else {
    x.cache = CacheUse::kCollapsed;
  }
  switch (co_await x.reader->start(&x.gone)) {
    case cache::Reader::Start::kServe:
      x.entry = x.reader->entry();
      x.plan = x.entry ? Plan::kEntry : Plan::kFill;
      co_return true;
    case cache::Reader::Start::kFailed:
      x.stop(x.reader->error());
      x.reader.reset();
      co_return true;
    case cache::Reader::Start::kAlone:
      break;
  }
  x.reader.reset();
  x.cache = CacheUse::kMiss;
  // The leader's fetch asked for the whole object; who wants a part or has a condition asks for that instead.
  if (!handover || !handover->reply || selects(x.head.fields)) co_return false;
  x.reply = std::move(handover->reply);
  x.cache_detail = handover->why_not;
  x.plan = Plan::kOrigin;
  co_return true;
}

net::Task<> Walk::pass(Exchange& x, RequestBody& body) {
  std::string fields;
  if (x.route->rules->forwards_fields) forward_fields(x, ForFill::kNo, fields);
  origin::Ask ask{.method = x.head.method,
                  .method_text = x.head.method_text,
                  .path = x.rest,
                  .raw_query = x.query,
                  .has_query = x.has_query,
                  .host = x.head.host,
                  .fields = fields,
                  .range = x.head.value(FieldId::kRange),
                  .if_range = x.head.value(FieldId::kIfRange),
                  .if_match = x.head.value(FieldId::kIfMatch),
                  .if_none_match = x.head.value(FieldId::kIfNoneMatch),
                  .if_modified_since = x.head.value(FieldId::kIfModifiedSince),
                  .if_unmodified_since = x.head.value(FieldId::kIfUnmodifiedSince),
                  .framing = x.head.framing,
                  .content_length = x.head.content_length,
                  .body = x.head.framing == http::Framing::kNone ? nullptr : &body,
                  .websocket = x.route->rules->forwards_fields && asks_websocket(x.head),
                  .request_id = x.request_id};
  const base::Mono asked = base::mono_now();
  auto reply = co_await x.route->origin->fetch(ask, &x.gone);
  record_origin(*x.route->rules, reply, base::mono_now() - asked, worker_.metrics());
  if (!reply) {
    x.stop(x.gone.requested() ? base::Error{Code::kClientGone, "the client has left"} : reply.error());
    co_return;
  }
  x.plan = reply->status() == 101 ? Plan::kTunnel : Plan::kOrigin;
  x.reply = std::move(*reply);
}

}  // namespace gateway
