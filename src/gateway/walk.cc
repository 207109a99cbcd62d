#include "gateway/walk.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/sabotage.h"
#include "cache/memory.h"
#include "gateway/cache_key.h"
#include "gateway/cross_site.h"
#include "gateway/early.h"
#include "gateway/feed.h"
#include "gateway/forward.h"
#include "gateway/invalidate.h"
#include "gateway/key_refresh.h"
#include "gateway/parameters.h"
#include "gateway/render.h"
#include "http/chars.h"
#include "http/coding.h"
#include "http/via.h"
#include "http/websocket.h"
#include "identity/extract.h"

namespace gateway {

namespace {

// How long a small reply is waited for as a whole before its head goes out: then it is one write, and what is
// said of its being stored is true.
constexpr base::Nanos kWhole = base::Millis(20);

bool takes_coding(const Exchange& x, std::string_view reply_fields) {
  return http::accepts_codings(http::accept_encoding_of(x.head.fields),
                               rendered_value(reply_fields, "content-encoding"));
}

bool asks_upgrade(const Exchange& x) {
  return x.route->rules->can.upgrades && http::asks_websocket(x.head);
}

}  // namespace

using base::Code;
using http::FieldId;
using http::Method;
using telemetry::Phase;

// In the order of walk.h. `phase`: which one is over once the stage has been passed.
struct Walk::Stages {
  struct Row {
    Next (Walk::*step)(Exchange&);
    net::Task<bool> (Walk::*wait)(Exchange&, const Client& client);  // null: the step never waits
    Phase phase;
  };
  static constexpr Phase kNone = Phase::kCount;
  static constexpr std::array<Row, 10> kRows = {{
      {&Walk::shed, nullptr, kNone},
      {&Walk::route, nullptr, kNone},
      {&Walk::identify, &Walk::fetch_keys, Phase::kIdentity},
      {&Walk::require, nullptr, kNone},
      {&Walk::rate, &Walk::draw_tokens, kNone},
      {&Walk::enter, &Walk::queue, Phase::kLimit},
      {&Walk::allow, nullptr, kNone},
      {&Walk::look_up, nullptr, Phase::kCache},
      {&Walk::read_ahead, &Walk::read_body, Phase::kBody},
      {&Walk::ask, &Walk::ask_origin, kNone},
  }};
};

// ---- the loop

template <std::size_t I>
bool Walk::pass(Exchange& x, Next& next) {
  constexpr Stages::Row kRow = Stages::kRows[I];
  next = (this->*kRow.step)(x);
  if (next == Next::kWait) x.stage = I;
  if constexpr (kRow.phase != Phase::kCount) {
    if (next == Next::kGoOn || (next == Next::kRespond && x.plan != Plan::kProblem))
      x.ended[kRow.phase] = base::mono_now();
  }
  return next == Next::kGoOn || next == Next::kSkip;
}

// Unrolled, so that each step is a direct call; the stage is compared only where the walk is resumed.
template <std::size_t... I>
Walk::Next Walk::fold(Exchange& x, std::index_sequence<I...>) {
  Next next = Next::kGoOn;
  (void)((x.stage > I || pass<I>(x, next)) && ...);
  return next;
}

Walk::Next Walk::advance(Exchange& x) {
  return fold(x, std::make_index_sequence<Stages::kRows.size()>());
}

net::Task<> Walk::wait(Exchange& x, serve::Downstream down) {
  HeldBody body(down.body(), services_.commons.account);
  const Client client{down, body};
  do {
    const bool go_on = co_await (this->*Stages::kRows[x.stage].wait)(x, client);
    if (!go_on) co_return;
    if (x.gone.requested()) {
      x.stop(*x.why_gone);
      co_return;
    }
  } while (advance(x) == Next::kWait);
}

// ---- the stages

// A worker that is this far behind answers late whatever it does: better some soon than all too late.
Walk::Next Walk::shed(Exchange& x) {
  const base::Nanos most = x.snapshot->config().limits.lag;
  if (most == base::Nanos(0) || x.started - services_.loop.now() <= most) return Next::kGoOn;
  x.stop({Code::kShed, "the worker is too far behind"});
  return Next::kRespond;
}

Walk::Next Walk::route(Exchange& x) {
  const std::span<char> scratch = x.scratch.take(http::target_scratch(x.head.target));
  if (const auto ok = http::parse_target(x.head.target, scratch, x.target); !ok) {
    x.stop(ok.error());
    x.last = true;
    return Next::kRespond;
  }
  if (!learn_client(x)) return Next::kRespond;
  if (x.target.secure && !http::iequals(x.told_proto, "https")) {
    x.stop({Code::kMisdirected, "an https URL over a connection that is not encrypted"});
    return Next::kRespond;
  }
  // Before the cache: a request that waits for the answer to itself would wait for ever.
  if (x.head.fields.has(FieldId::kVia) && http::has_passed_us(x.head.fields)) {
    x.stop({Code::kLoop, "an origin leads back to this gateway"});
    return Next::kRespond;
  }
  const auto match = x.snapshot->snapshot->router().match(x.target.collapsed);
  if (!match) {
    if (x.target.path == "*") return answer_options(x, http::kUsualMethods);
    x.stop({Code::kNoRoute, "no route serves this path"});
    return Next::kRespond;
  }
  x.route = &x.snapshot->routes[match->route];
  x.rest = x.target.plain ? x.target.path.substr(match->length) : rest_for(*x.route->rules, x.target, *match);
  if (x.rest.empty()) x.rest = "/";
  if (x.target.parameters && !parameters_pass(x.target, *x.route->rules, *x.snapshot)) {
    x.stop({Code::kBadRequest, "a ';' in the path is refused here"});
    return Next::kRespond;
  }
  if (x.target.has_query) {
    const std::vector<std::string>& hidden = x.route->rules->credentials.queries();
    x.has_query = true;
    if (http::query_has(x.target.raw_query, hidden)) {
      http::query_without(x.target.raw_query, hidden, x.query);
      x.has_query = !x.query.empty();
    } else {
      x.query.assign(x.target.raw_query);
    }
  }
  return Next::kGoOn;
}

Walk::Next Walk::identify(Exchange& x) {
  if (sabotage::on("hit-before-identity") && look_up(x) == Next::kRespond && x.plan == Plan::kEntry)
    return Next::kRespond;
  const Route& rules = *x.route->rules;
  if (!rules.verifiers || sabotage::on("auth-off")) return Next::kGoOn;
  telemetry::PerEnum<telemetry::Verification, telemetry::Counter>& counts = services_.metrics.verifications;
  const auto credential =
      identity::extract(x.head, x.target.raw_query, rules.token_sources, credential_scratch_);
  if (!credential) {
    counts[telemetry::Verification::kFailed].add();
    x.stop(credential.error());
    return Next::kRespond;
  }
  if (credential->source->kind == config::TokenSource::Kind::kCookie && changes_something(x.head) &&
      !asked_by_own_page(x, *credential->source)) {
    counts[telemetry::Verification::kFailed].add();
    x.stop({Code::kCrossSite, "a cookie counts for this only with an Origin or a Sec-Fetch-Site of our own"});
    return Next::kRespond;
  }
  x.source = credential->source;
  const base::Wall now = base::wall_tick();
  if (const identity::Principal* known =
          services_.remembered.find(*rules.verifiers, credential->token, now)) {
    counts[telemetry::Verification::kRemembered].add();
    x.principal = base::Ref<const identity::Principal>(known);
    return Next::kGoOn;
  }
  if (!admit(x, credential->token)) return Next::kRespond;
  identity::Refused refused;
  // By the exact clock: the tick is some milliseconds late, and a token may have been issued within these.
  auto principal = rules.verifiers->verify(credential->token, base::wall_now(), &refused);
  if (!principal && refused.ask && refused.ask->want(base::mono_now(), refused.named)) {
    x.key_source = refused.ask;
    return Next::kWait;
  }
  if (!principal) {
    counts[telemetry::Verification::kFailed].add();
    // That our own keys are missing is not the caller's failure; that it cost a signature is.
    const bool unauthorized = principal.error().code == Code::kUnauthorized;
    if (unauthorized || refused.checked)
      services_.commons.failures.charge(x.client_address, services_.loop.now());
    if (unauthorized) services_.commons.failures.forget(credential->token);
    x.stop(principal.error());
    return Next::kRespond;
  }
  counts[telemetry::Verification::kVerified].add();
  services_.remembered.insert(credential->token, *principal, now);
  services_.commons.failures.vouch(credential->token);
  x.principal = std::move(*principal);
  return Next::kGoOn;
}

bool Walk::admit(Exchange& x, std::string_view token) {
  limit::Failures& failures = services_.commons.failures;
  if (failures.vouched(token) || !failures.exhausted(x.client_address, services_.loop.now()) ||
      sabotage::on("failures-ignored"))
    return true;
  x.stop({Code::kTooManyFailures, "too many credentials from this address have failed"});
  x.last = true;
  return false;
}

Walk::Next Walk::require(Exchange& x) {
  const identity::ClaimRules& rules = x.route->rules->require;
  if (rules.empty() || sabotage::on("auth-off")) return Next::kGoOn;
  if (x.principal && (rules.hold(*x.principal) || sabotage::on("claims-not-checked"))) return Next::kGoOn;
  x.stop({Code::kClaimsRejected, "the token's claims are not those that this route asks for"});
  return Next::kRespond;
}

Walk::Next Walk::rate(Exchange& x) {
  const limit::Policies& policies = *x.route->rules->rates;
  if (policies.empty() || sabotage::on("rates-ignored")) return Next::kGoOn;
  limit::Caller caller{.address = x.client_address, .issuer = {}, .subject = {}};
  if (x.principal) {
    caller.issuer = x.principal->issuer;
    caller.subject = x.principal->subject;
  }
  const base::Mono wait_until = x.standing.policies ? x.standing.wait_until : base::Mono{};
  // A worker in the middle of a long turn has an old time. By that the bucket from which another has just
  // taken would be emptier than it is, and a burst of exactly two one too small.
  const base::Mono now = std::max(x.started, services_.loop.now());
  x.standing = services_.commons.rates.check(policies, caller, now, services_.shared_limits, wait_until);
  switch (x.standing.outcome) {
    case limit::Standing::Outcome::kGranted:
      return Next::kGoOn;
    case limit::Standing::Outcome::kRefused:
      x.stop({Code::kTooManyRequests, "a rate limit is exhausted"});
      return Next::kRespond;
    case limit::Standing::Outcome::kWait:
      return Next::kWait;
  }
  return Next::kRespond;
}

Walk::Next Walk::enter(Exchange& x) {
  const Route& rules = *x.route->rules;
  limit::Gate* const gate = rules.gate.get();
  if (!gate || sabotage::on("concurrency-ignored")) return rules.rates->empty() ? Next::kSkip : Next::kGoOn;
  if (x.slot) return Next::kGoOn;  // waited for
  auto slot = gate->try_enter();
  if (!slot) return Next::kWait;
  x.slot = std::move(*slot);
  return Next::kGoOn;
}

// What this origin can be asked at all. After identity, so that a stranger learns nothing of it.
Walk::Next Walk::allow(Exchange& x) {
  if (x.head.method == Method::kTrace) {
    x.stop({Code::kMethodNotAllowed, "TRACE is not forwarded"});
    return Next::kRespond;
  }
  if (!x.route->rules->allows(x.head)) {
    x.stop({Code::kMethodNotAllowed, "this route does not let the method through"});
    return Next::kRespond;
  }
  if (goes_no_further(x.head) && x.route->rules->can.forwards_fields)
    return answer_options(x, allowed_methods(x));
  if (!x.route->rules->can.writes && x.head.method != Method::kGet && x.head.method != Method::kHead &&
      !x.route->app) {
    x.stop({Code::kMethodNotAllowed, "this origin serves GET and HEAD"});
    return Next::kRespond;
  }
  if (x.head.upgrade && asks_upgrade(x)) {
    if (const auto sound = http::check_handshake(x.head); !sound) {
      x.stop(sound.error());
      return Next::kRespond;
    }
  }
  if (x.head.content_length > x.snapshot->config().limits.body) {
    x.stop({Code::kBodyTooLarge, "the request body is larger than allowed"});
    return Next::kRespond;
  }
  return Next::kGoOn;
}

// RFC 9110 sections 7.6.2 and 9.3.7: what is asked of us, not of what is behind.
Walk::Next Walk::answer_options(Exchange& x, std::string_view allowed) {
  app::Answer answer{.type = {}};
  answer.add("Allow", allowed);
  x.answer = std::move(answer);
  x.plan = Plan::kAnswer;
  return Next::kRespond;
}

Walk::Next Walk::look_up(Exchange& x) {
  const Route& rules = *x.route->rules;
  const bool readable = x.head.method == Method::kGet || x.head.method == Method::kHead;
  if (!rules.cacheable || !readable || x.head.framing != http::Framing::kNone || x.head.upgrade)
    return Next::kSkip;

  x.rules = cache::request_rules(x.head, credentials_go_on(x));
  if (x.rules.bypass()) {
    x.cache = CacheUse::kBypass;
    x.cache_detail = x.rules.why_not;
    return Next::kSkip;
  }
  if (!put_cache_key(x)) {
    x.cache = CacheUse::kBypass;
    x.cache_detail = "key-too-long";
    return Next::kSkip;
  }
  if (x.rules.lookup && !sabotage::on("cache-off")) {
    x.entry = services_.commons.memory.find(x.key, x.started);
    if (x.entry && x.entry->coded() == cache::Coded::kAsked && !takes_coding(x, x.entry->fields())) {
      // It stays for those who accept it; this one's own copy would only push it out.
      x.cache_detail = "another coding";
    } else if (x.entry && kept_will_do(x)) {
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
  x.cache = CacheUse::kMiss;
  x.may_fill = x.rules.store && x.cache_detail.empty() && x.head.method == Method::kGet &&
               !services_.commons.fills.passed_lately(x.key, x.started);
  return Next::kGoOn;
}

// What is fresh may still not be what the client asks for; how often the origin is asked for its sake is the
// route's to say, as anybody can ask so.
bool Walk::kept_will_do(const Exchange& x) {
  if (x.rules.accepts(*x.entry, x.started)) return true;
  switch (x.route->rules->rules.cache.client_no_cache) {
    case config::ClientNoCache::kLimited:
      return !x.entry->grant_anew(x.started);
    case config::ClientNoCache::kIgnore:
      return true;
    case config::ClientNoCache::kAlways:
      return false;
  }
  return false;
}

// So far as the route says. An upload is held up by whoever sends it, and not by the origin's places.
Walk::Next Walk::read_ahead(Exchange& x) {
  if (x.route->rules->rules.read_ahead == 0 || x.head.framing == http::Framing::kNone) return Next::kSkip;
  return x.read_ahead ? Next::kGoOn : Next::kWait;
}

// What is not in the cache, and not refused, comes from behind, or from an application inside.
Walk::Next Walk::ask(Exchange& x) {
  return x.origin_answered == base::Mono{} && !x.answer ? Next::kWait : Next::kRespond;
}

// ---- what waits

net::Task<bool> Walk::fetch_keys(Exchange& x, const Client&) {
  const base::Mono until = base::mono_now() + x.key_source->rules().timeout;
  co_await keys_fetched(*x.key_source, services_.loop, until, &x.gone);
  co_return true;
}

net::Task<bool> Walk::draw_tokens(Exchange& x, const Client&) {
  co_await limit::Rates::wait(x.standing, *services_.shared_limits, &x.gone);
  co_return true;
}

net::Task<bool> Walk::queue(Exchange& x, const Client&) {
  auto slot = co_await x.route->rules->gate->enter(services_.loop, &x.gone);
  if (slot)
    x.slot = std::move(*slot);
  else
    x.stop(slot.error());
  co_return slot.has_value();
}

net::Task<bool> Walk::read_body(Exchange& x, const Client& client) {
  const base::Mono before = base::mono_now();
  client.body.interrupt_by(&x.gone);  // as by the route's deadline
  const auto held = co_await client.body.hold(x.route->rules->rules.read_ahead);
  client.body.interrupt_by(nullptr);
  x.client_wait += base::mono_now() - before;
  x.read_ahead = true;
  if (!held) x.stop(x.gone.requested() ? *x.why_gone : held.error());
  co_return held.has_value();
}

net::Task<bool> Walk::ask_origin(Exchange& x, const Client& client) {
  if (x.route->app) {
    co_await answer_inside(x, client.down);
    co_return x.answer.has_value();
  }
  x.origin_asked = base::mono_now();
  const bool answered = x.may_fill && co_await collapse(x, client.down);
  if (!answered) co_await ask_alone(x, client);
  x.origin_answered = base::mono_now();
  co_return true;
}

net::Task<> Walk::answer_inside(Exchange& x, serve::Downstream down) {
  app::Call call{.head = &x.head,
                 .path = x.rest,
                 .raw_query = x.query,
                 .request_id = x.request_id,
                 .peer = x.client,
                 .upload = x.head.framing == http::Framing::kNone ? nullptr : &down.body(),
                 .gone = &x.gone};
  if (x.principal)
    call.caller = {.credential = "jwt",
                   .issuer = x.principal->issuer,
                   .subject = x.principal->subject,
                   .agent = x.principal->agent};
  x.route->app->find(call);
  auto answer = co_await x.route->app->answer(call);
  if (!answer) {
    x.stop(answer.error());
    co_return;
  }
  x.plan = answer->failed ? Plan::kRefusal : Plan::kAnswer;
  if (answer->failed) x.error = answer->error;
  x.answer = std::move(*answer);
}

net::Task<bool> Walk::collapse(Exchange& x, serve::Downstream down) {
  auto [fill, leader] = services_.commons.fills.join(x.key, services_.loop);
  // The reader is there before the feeder begins: a fill without readers is given up.
  x.reader.emplace(fill, services_.loop);
  Early early(x, down);
  base::Ref<Handover> handover;
  if (leader) {
    handover = base::make_ref<Handover>();
    handover->first_asker = &early;
    services_.feeders.spawn(feed(services_, fill, handover, FillAsk(x, *handover)));
  } else {
    x.cache = CacheUse::kCollapsed;
  }
  const auto start = co_await x.reader->start(&x.gone);
  if (handover) handover->first_asker = nullptr;
  switch (start) {
    case cache::Reader::Start::kServe:
      if (!leader && x.reader->head().coded == cache::Coded::kAsked &&
          !takes_coding(x, x.reader->head().fields))
        break;
      if (x.reader->head().length.value_or(UINT64_MAX) <= cache::Entry::kInlineBody)
        co_await x.reader->whole(base::mono_now() + kWhole, &x.gone);
      x.stored = x.reader->kept();
      if (x.reader->head().length && !x.reader->keeps_all()) x.cache_detail = "no memory";
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

net::Task<> Walk::ask_alone(Exchange& x, const Client& client) {
  std::string fields;
  if (x.route->rules->can.forwards_fields) forward_fields(x, ForFill::kNo, fields);
  Early early(x, client.down);
  bool sent = false;
  const upstream::Request request({.method = x.head.method,
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
                                   .body = x.head.framing == http::Framing::kNone ? nullptr : &client.body,
                                   .account = &services_.commons.account,
                                   .websocket = asks_upgrade(x) ? &x.head : nullptr,
                                   .interims = &early,
                                   .sent = &sent,
                                   .request_id = x.request_id});
  auto answer = co_await upstream::ask(way_of(services_, *x.route), request, &x.gone);
  if (!answer) {
    if (sent) invalidate_unanswered(services_, x);
    x.stop(x.gone.requested() ? *x.why_gone : answer.error());
    co_return;
  }
  invalidate_written(services_, x, answer->reply.head());
  x.plan = answer->reply.status() == 101 ? Plan::kTunnel : Plan::kOrigin;
  x.reply = std::move(answer->reply);
  x.origin_slot = std::move(answer->place);
}

}  // namespace gateway
