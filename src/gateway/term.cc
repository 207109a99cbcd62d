#include "gateway/term.h"

#include <algorithm>

#include "gateway/cross_site.h"
#include "gateway/parameters.h"
#include "gateway/render.h"
#include "gateway/worker.h"
#include "http/chars.h"

namespace gateway {

using base::Code;

namespace {

constexpr base::Nanos kReview = base::Seconds(5);

constexpr base::Error kDeadlinePassed = {Code::kDeadline, "the deadline of the route has passed"};
constexpr base::Error kTokenExpired = {Code::kExpired, "the token has expired"};
constexpr base::Error kRightGone = {Code::kWithdrawn, "what let this request in does not hold any more"};

// A reply whose end nobody knows.
bool endless(const Exchange& x) {
  switch (x.plan) {
    case Plan::kTunnel:
      return true;
    case Plan::kOrigin:
      return !x.reply->length();
    case Plan::kFill:
      return !x.reader->head().length;
    case Plan::kAnswer:
      return !x.answer->length();
    default:
      return false;
  }
}

// One that is meant to last: an upgrade, or server-sent events.
bool is_stream(const Exchange& x) {
  std::string_view type;
  if (x.plan == Plan::kOrigin) type = x.reply->head().value(http::FieldId::kContentType);
  if (x.plan == Plan::kFill) type = rendered_value(x.reader->head().fields, "content-type");
  return x.plan == Plan::kTunnel ||
         http::iequals(http::trim_ows(type.substr(0, type.find(';'))), "text/event-stream");
}

bool believed(const identity::Verifiers& verifiers, const identity::Principal& principal) {
  return std::ranges::any_of(verifiers.accepted(), [&](const identity::Verifiers::Accepted& one) {
    return one.id == principal.verifier && one.verifier->trusts(principal.key);
  });
}

// Whether the token may still come from where it came from.
bool may_bring(const Exchange& x, const Route& route) {
  const auto source = std::ranges::find_if(route.token_sources, [&](const config::TokenSource& one) {
    return x.source && one.kind == x.source->kind && one.name == x.source->name &&
           one.prefix == x.source->prefix;
  });
  if (source == route.token_sources.end()) return false;
  return source->kind != config::TokenSource::Kind::kCookie || !changes_something(x.head) ||
         asked_by_own_page(x, *source);
}

}  // namespace

Term::Term(Worker& worker, serve::Http1& session, Exchange& x, Term*& known)
    : Timer(&Term::on_time), worker_(worker), session_(session), x_(x), known_(known) {
  known_ = this;
  if (!x.route) return;
  if (x.head.framing == http::Framing::kChunked) review_ = base::mono_now();  // as soon as may be
  set();
  if (x.route->rules->rules.deadline == base::Millis(0)) return;
  deadline_ = x.started + x.route->rules->rules.deadline;
  set();
}

void Term::replies() {
  replies_ = true;
  if (is_stream(x_)) deadline_ = base::Mono::max();
  review_ = x_.route && endless(x_) ? base::Mono::min() : base::Mono::max();
  review();
}

void Term::review() {
  if (review_ == base::Mono::max()) return;
  const bool known =
      replies_ || x_.principal || !x_.route->rules->verifiers;  // who asks, or that nobody does
  if (const base::Error* const why = known ? objection() : nullptr) return end(*why);
  base::Nanos next = kReview;
  if (x_.principal) next = std::min(next, x_.principal->usable_until - base::wall_now());
  review_ = base::mono_now() + next;
  set();
}

void Term::on_time(net::Timer& timer) {
  auto& term = static_cast<Term&>(timer);
  if (base::mono_now() >= term.deadline_)
    term.end(kDeadlinePassed);
  else
    term.review();
}

void Term::set() {
  if (const base::Mono next = std::min(deadline_, review_); next != base::Mono::max())
    worker_.loop().set(*this, next);
}

void Term::end(const base::Error& why) {
  deadline_ = review_ = base::Mono::max();
  Timer::clear();
  if (x_.gone.requested()) return;
  x_.why_gone = &why;
  x_.error = why;
  if (x_.head_sent)
    session_.cut();
  else
    x_.gone.request();
}

// Why a request like this one, with its principal, would not be let in now; null: it would be.
const base::Error* Term::objection() const {
  const LocalSnapshot& now = *worker_.snapshot();
  const identity::Principal* const principal = x_.principal.get();
  if (principal && !principal->usable(base::wall_now())) return &kTokenExpired;
  const auto match = now.snapshot->router().match(x_.target.collapsed);
  if (!match) return &kRightGone;
  const Route& then = *x_.route->rules;
  const Route& route = *now.routes[match->route].rules;
  if (&route == &then) return principal && !believed(*route.verifiers, *principal) ? &kRightGone : nullptr;
  const bool another = route.rules.app != then.rules.app || route.cache_id.high != then.cache_id.high ||
                       route.cache_id.low != then.cache_id.low;
  if (another || !route.allows(x_.head)) return &kRightGone;
  if (x_.target.parameters && !parameters_pass(x_.target, route, now)) return &kRightGone;
  if (!route.verifiers) return nullptr;
  if (!principal || !believed(*route.verifiers, *principal) || !may_bring(x_, route)) return &kRightGone;
  return route.require.empty() || route.require.hold(*principal) ? nullptr : &kRightGone;
}

}  // namespace gateway
