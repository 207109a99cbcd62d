#include "gateway/walk.h"

#include <utility>

#include "base/sabotage.h"
#include "cache/memory.h"
#include "gateway/feed.h"
#include "gateway/forward.h"
#include "gateway/key_refresh.h"
#include "gateway/record.h"
#include "gateway/worker.h"
#include "identity/extract.h"

namespace gateway {

using base::Code;
using http::FieldId;
using http::Method;

Walk::Next Walk::decide(Exchange& x) {
  if (shed(x) || !route(x)) return Next::kRespond;
  if (sabotage::on("hit-before-identity") && look_up(x) == Next::kRespond && x.plan == Plan::kEntry)
    return Next::kRespond;
  if (const Next next = identify(x); next != Next::kGoOn) return next;
  return known(x);
}

Walk::Next Walk::known(Exchange& x) {
  x.identified = base::mono_now();
  if (!require(x)) return Next::kRespond;
  if (const Next next = rate(x); next != Next::kGoOn) return next;
  return within_rates(x);
}

Walk::Next Walk::within_rates(Exchange& x) {
  if (const Next next = enter(x); next != Next::kGoOn) return next;
  return entered(x);
}

Walk::Next Walk::entered(Exchange& x) {
  if (x.route->rules->gate || !x.route->rules->rates->empty()) x.limited = base::mono_now();
  if (!allow(x)) return Next::kRespond;
  return look_up(x);
}

// A worker that is this far behind answers late whatever it does: better some soon than all too late.
bool Walk::shed(Exchange& x) {
  const base::Nanos most = x.snapshot->snapshot->config().limits.lag;
  if (most == base::Nanos(0) || x.started - worker_.loop().now() <= most) return false;
  x.stop({Code::kShed, "the worker is too far behind"});
  return true;
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

Walk::Next Walk::identify(Exchange& x) {
  const Route& rules = *x.route->rules;
  if (!rules.verifiers || sabotage::on("auth-off")) return Next::kGoOn;
  telemetry::PerEnum<telemetry::Verification, telemetry::Counter>& counts = worker_.metrics().verifications;
  const auto credential =
      identity::extract(x.head, x.target.raw_query, rules.token_sources, credential_scratch_);
  if (!credential) {
    counts[telemetry::Verification::kFailed].add();
    x.stop(credential.error());
    return Next::kRespond;
  }
  const base::Wall now = base::wall_tick();
  if (const identity::Principal* known =
          worker_.remembered().find(*rules.verifiers, credential->token, now)) {
    counts[telemetry::Verification::kRemembered].add();
    x.principal = base::Ref<const identity::Principal>(known);
    return Next::kGoOn;
  }
  if (!admit(x, credential->token)) return Next::kRespond;
  identity::KeySource* may_know = nullptr;
  auto principal = rules.verifiers->verify(credential->token, now, &may_know);
  if (!principal && may_know && may_know->want(base::mono_now())) {
    x.awaits = Awaits::kKeys;
    x.key_source = may_know;
    return Next::kWait;
  }
  if (!principal) {
    counts[telemetry::Verification::kFailed].add();
    // That our own keys are missing is not the caller's failure.
    if (principal.error().code == Code::kUnauthorized) {
      worker_.commons().failures.charge(x.client_address, worker_.loop().now());
      worker_.commons().failures.forget(credential->token);
    }
    x.stop(principal.error());
    return Next::kRespond;
  }
  counts[telemetry::Verification::kVerified].add();
  worker_.remembered().insert(credential->token, *principal, now);
  worker_.commons().failures.vouch(credential->token);
  x.principal = std::move(*principal);
  return Next::kGoOn;
}

bool Walk::admit(Exchange& x, std::string_view token) {
  limit::Failures& failures = worker_.commons().failures;
  if (failures.vouched(token) || !failures.exhausted(x.client_address, worker_.loop().now()) ||
      sabotage::on("failures-ignored"))
    return true;
  x.stop({Code::kTooManyFailures, "too many credentials from this address have failed"});
  x.keep_alive = false;
  return false;
}

bool Walk::require(Exchange& x) {
  const identity::ClaimRules& rules = x.route->rules->require;
  if (rules.empty() || sabotage::on("auth-off")) return true;
  if (x.principal && (rules.hold(*x.principal) || sabotage::on("claims-not-checked"))) return true;
  x.stop({Code::kClaimsRejected, "the token's claims are not those that this route asks for"});
  return false;
}

Walk::Next Walk::rate(Exchange& x) {
  const limit::Policies& policies = *x.route->rules->rates;
  if (policies.empty() || sabotage::on("rates-ignored")) return Next::kGoOn;
  limit::Caller caller{.address = x.client_address, .issuer = {}, .subject = {}};
  if (x.principal) {
    caller.issuer = x.principal->issuer;
    caller.subject = x.principal->subject;
  }
  x.standing = worker_.commons().rates.check(policies, caller, worker_.loop().now(), worker_.shared_limits());
  switch (x.standing.outcome) {
    case limit::Standing::Outcome::kGranted:
      return Next::kGoOn;
    case limit::Standing::Outcome::kRefused:
      x.stop({Code::kTooManyRequests, "a rate limit is exhausted"});
      return Next::kRespond;
    case limit::Standing::Outcome::kWait:
      x.awaits = Awaits::kRates;
      return Next::kWait;
  }
  return Next::kRespond;
}

Walk::Next Walk::enter(Exchange& x) {
  limit::Gate* gate = x.route->rules->gate.get();
  if (!gate || sabotage::on("concurrency-ignored")) return Next::kGoOn;
  if (auto slot = gate->try_enter()) {
    x.slot = std::move(*slot);
    return Next::kGoOn;
  }
  x.awaits = Awaits::kPlace;
  return Next::kWait;
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

net::Task<> Walk::wait(Exchange& x, RequestBody& body) {
  for (;;) {
    const Awaits awaited = std::exchange(x.awaits, Awaits::kOrigin);
    switch (awaited) {
      case Awaits::kKeys:
        co_await keys_fetched(*x.key_source, worker_.loop(), base::mono_now() + x.key_source->rules().timeout,
                              &x.gone);
        break;
      case Awaits::kRates:
        co_await limit::Rates::wait(x.standing, *worker_.shared_limits(), &x.gone);
        break;
      case Awaits::kPlace: {
        auto slot = co_await x.route->rules->gate->enter(worker_.loop(), &x.gone);
        if (!slot) {
          x.stop(slot.error());
          co_return;
        }
        x.slot = std::move(*slot);
        break;
      }
      case Awaits::kOrigin:
        co_await ask(x, body);
        co_return;
    }
    if (x.gone.requested()) {
      x.stop({Code::kClientGone, "the client has left"});
      co_return;
    }
    if (resume(x, awaited) == Next::kRespond) co_return;
  }
}

// From the stage that had to wait.
Walk::Next Walk::resume(Exchange& x, Awaits awaited) {
  Next next = Next::kGoOn;
  switch (awaited) {
    case Awaits::kKeys:
      next = identify(x);
      return next == Next::kGoOn ? known(x) : next;
    case Awaits::kRates:
      next = rate(x);
      return next == Next::kGoOn ? within_rates(x) : next;
    case Awaits::kPlace:
    case Awaits::kOrigin:
      break;
  }
  return entered(x);
}

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
  x.origin_slot = std::move(handover->slot);
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
  if (limit::Gate* gate = x.route->rules->origin_gate.get(); gate && !sabotage::on("concurrency-ignored")) {
    auto slot = co_await gate->enter(worker_.loop(), &x.gone);
    if (!slot) {
      x.stop(slot.error());
      co_return;
    }
    x.origin_slot = std::move(*slot);
  }
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
