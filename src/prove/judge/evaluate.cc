#include "prove/judge/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/sabotage.h"
#include "prove/judge/latency.h"
#include "prove/judge/recovery.h"
#include "prove/judge/shares.h"

namespace prove {
namespace {

using What = Measure::What;
using Cause = Unknown::Cause;
using State = CheckResult::State;
using Op = Relation::Op;

std::uint64_t count_of(const StepStats& s, Outcome o) {
  return s.outcomes[static_cast<std::size_t>(o)].count;
}

std::uint64_t bytes_of(const StepStats& s) {
  std::uint64_t sum = 0;
  for (const OutcomeStats& o : s.outcomes) sum += o.bytes;
  return sum;
}

std::string name_of(const Scope& scope) {
  std::string text;
  const auto add = [&](std::string_view what, const std::string& name) {
    if (!name.empty()) text += fmt::format("{}{} '{}'", text.empty() ? "" : ", ", what, name);
  };
  add("scenario", scope.scenario);
  add("step", scope.step);
  add("tag", scope.tag);
  add("phase", scope.phase);
  add("window", scope.window);
  return text.empty() ? "the run without its warm-up" : text;
}

bool measures(const Node& node) {
  return node.op == Node::Op::kMeasure || (node.left && measures(*node.left)) ||
         (node.right && measures(*node.right));
}

std::string shown_of(double value, Dimension kind) {
  return std::isinf(value) ? "∞" : show(value, kind);
}

// "5% >= failed" is "failed <= 5%".
Op turned(Op op) {
  switch (op) {
    case Op::kLess:
      return Op::kGreater;
    case Op::kLessOrEqual:
      return Op::kGreaterOrEqual;
    case Op::kGreater:
      return Op::kLess;
    case Op::kGreaterOrEqual:
      return Op::kLessOrEqual;
    default:
      return op;
  }
}

Value share_of(std::uint64_t a, std::uint64_t b) {
  Value share(static_cast<double>(a) / static_cast<double>(b));
  share.sample = b;
  return share;
}

double shortest_timeout(const Campaign& campaign, const std::string& scenario) {
  Nanos least = Nanos::max();
  for (const Scenario& s : campaign.scenarios)
    for (const Step& step : s.steps)
      if (scenario.empty() || s.name == scenario) least = std::min<Nanos>(least, step.timeout);
  return seconds_of(least);
}

bool of_time(Reason reason) {
  return reason == Reason::kReplyTimeout || reason == Reason::kConnectTimeout;
}

// How often something was counted, so that a quotient of such figures is a share of as many.
bool counts(const Node& node) {
  if (node.op == Node::Op::kAdd) return counts(*node.left) && counts(*node.right);
  const Measure& m = node.measure;
  return node.op == Node::Op::kMeasure &&
         (m.what == What::kRequests || m.what == What::kCount || m.what == What::kStatus ||
          (m.what == What::kSeries && m.of == Measure::Of::kDelta));
}

}  // namespace

const Evaluator::Part& Evaluator::part(const Scope& scope) {
  std::unique_ptr<Part>& part = parts_[fmt::format("{}\n{}\n{}\n{}\n{}", scope.scenario, scope.phase,
                                                   scope.window, scope.step, scope.tag)];
  if (!part) {
    part = std::make_unique<Part>();
    part->segments = timeline_.within(scope);
    part->stretches = extents_of(timeline_.segments(), part->segments);
    part->total = total(result_, part->segments, scope);
    for (const std::size_t i : part->segments) {
      const Phase& phase = campaign_.phases[timeline_.segments()[i].phase];
      if (phase.users) part->users = std::max({part->users, phase.users->first, phase.users->second});
    }
    part->total.busy = std::max(part->total.busy, busiest_of(result_, part->stretches));
    part->timeout = shortest_timeout(campaign_, scope.scenario);
  }
  return *part;
}

CheckResult Evaluator::check(const Check& check, CheckResult::Kind kind) {
  CheckResult result;
  result.kind = kind;
  result.name = check.name.empty() ? check.text : check.name;
  result.check = check.text;
  result.scope = scope_of(check);
  result.line = check.line;
  const auto comparison = parse_expression(check.text, campaign_.define);
  if (comparison)
    compare(*comparison, result);
  else
    result.why = comparison.error();
  return result;
}

void Evaluator::compare(const Relation& c, CheckResult& result) {
  const Worked left = value(*c.left, result.scope);
  const Worked right = value(*c.right, result.scope);
  if (!left || !right) return unknown_for(left ? right.error() : left.error(), result);
  const bool both = measures(*c.left) && measures(*c.right);
  const bool swapped = !measures(*c.left);  // "1 < requests"
  const Node& node = swapped ? *c.right : *c.left;
  const Dimension kind = node.kind == kPlain && c.left->kind != c.right->kind
                             ? (swapped ? c.left->kind : c.right->kind)
                             : node.kind;
  const Value& told = swapped ? *right : *left;
  const bool open_ended = std::isinf(told.high) && !std::isinf(told.low);
  result.measured = (open_ended ? "> " : "") + shown_of(open_ended ? told.low : told.high, kind);

  const std::expected<State, Unknown> state = compared(c, *left, *right, both, swapped);
  if (!state) return unknown_for(state.error(), result);
  result.state = *state;
  if (*state == State::kHeld) return;
  if (swapped)
    result.why = fmt::format("it was {}, and {} was asked", result.measured, result.check);
  else if (both)
    result.why = fmt::format("it was {} and must be {} {}, which was {}", result.measured, name_of(c.op),
                             c.right_text, shown_of(right->high, c.right->kind));
  else
    result.why = fmt::format("it was {} and must be {} {}", result.measured, name_of(c.op), c.right_text);
  if ((std::isinf(told.high) || told.low == told.high) && !told.why.empty()) result.why += ": " + told.why;
}

void Evaluator::unknown_for(const Unknown& why, CheckResult& result) {
  ++unknowns_[why.cause];
  result.why = why.text;
}

std::expected<State, Unknown> Evaluator::compared(const Relation& c, const Value& left, const Value& right,
                                                  bool both, bool swapped) const {
  const Value& told = swapped ? right : left;
  const Node& node = swapped ? *c.right : *c.left;
  if (!both && told.sample > 0 && node.kind == kShare) {
    const auto state_at = [&](double share) {
      Value one = told;
      one.low = one.high = share;
      return state_of_share(one, swapped ? turned(c.op) : c.op, (swapped ? left : right).high,
                            campaign_.validity.tail_samples, campaign_.validity.shares == Shares::kConfident);
    };
    // What it may have been at both ends must come to the same.
    const auto least = state_at(told.low), most = state_at(told.high);
    if (!least || !most) return least ? most : least;
    if (*least == *most) return *least;
  }
  const State state = state_of(left, c.op, right);
  if (state != State::kUnknown) return state;
  const bool late = (left.late || right.late) && !std::isinf(told.high);
  return unknown(late ? Cause::kLate : Cause::kOther,
                 told.why.empty() ? (swapped ? left.why : right.why) : told.why);
}

Worked Evaluator::value(const Node& node, const Scope& scope) {
  if (node.op == Node::Op::kLiteral) return Value(node.value);
  if (node.op == Node::Op::kMeasure) return measured(node.measure, scope);
  const Worked a = value(*node.left, scope);
  if (!a) return a;
  if (node.op == Node::Op::kNegative) return negative(*a);
  Worked b = value(*node.right, scope);
  if (!b) return b;
  // A share of what the target counted needs as many as one of our own requests.
  if (node.op == Node::Op::kDivide && counts(*node.right) && b->low >= 1)
    b->sample = static_cast<std::uint64_t>(b->low);
  return combined(node.op, *a, *b, *node.right);
}

Worked Evaluator::measured(const Measure& m, const Scope& asked) {
  const Scope scope = scope_of(m, asked);
  if (m.what == What::kRecovery) return recovery_of(result_, campaign_, timeline_, m, scope);
  const Part& p = part(scope);
  if (p.segments.empty())
    return unknown(Cause::kOther, fmt::format("nothing of the run lies in {}", name_of(scope)));
  const auto plain = [](const Figure& f) -> Worked {
    if (!f) return std::unexpected(f.error());
    return Value(*f);
  };
  if (m.what == What::kSeries)
    return plain(measure_series(result_.series, m, p.stretches, seconds_of(campaign_.validity.slope)));
  const StepStats& s = p.total.stats;
  if (m.what == What::kUploaded && s.uploads.bodies == 0)
    return unknown(Cause::kNoRequests, fmt::format("no request with a body was sent in {}", name_of(scope)));
  const std::uint64_t requests = p.total.requests();
  if (m.what == What::kRequests) return paced(static_cast<double>(requests), p);
  if (m.what == What::kOffered) {
    if (!scope.scenario.empty())
      return unknown(Cause::kOther, "arrivals are not scheduled by scenario: offered has no meaning there");
    if (p.total.offered == 0)
      return unknown(Cause::kOther, "no arrivals are scheduled here: the load is closed");
    return Value(static_cast<double>(p.total.offered) / p.total.seconds);
  }
  if (m.what == What::kLatency) return latency(m, scope, p);
  if (requests == 0)
    return unknown(Cause::kNoRequests, fmt::format("there was no request in {}", name_of(scope)));
  switch (m.what) {
    case What::kSuccess:
      return doubted(share_of(s.met(), requests), 1.0 / static_cast<double>(requests), p);
    case What::kShare:
      if (m.unmet && !sabotage::on("prove-failed-is-one-outcome"))
        return doubted(share_of(requests - s.met(), requests), -1.0 / static_cast<double>(requests), p);
      if (*m.outcome == Outcome::kTimedOut || *m.outcome == Outcome::kSkipped)
        return doubted(share_of(count_of(s, *m.outcome), requests), -1.0 / static_cast<double>(requests), p);
      if (*m.outcome != Outcome::kDenied)
        return doubted(share_of(count_of(s, *m.outcome), requests), 1.0 / static_cast<double>(requests), p);
      if (s.expected_denials == 0)
        return unknown(Cause::kNoRequests, fmt::format("no request in {} expects a denial", name_of(scope)));
      return doubted(share_of(count_of(s, Outcome::kDenied), s.expected_denials),
                     1.0 / static_cast<double>(s.expected_denials), p);
    case What::kCount:
      if (m.unmet) return doubted(static_cast<double>(requests - s.met()), -1, p);
      if (*m.outcome == Outcome::kTimedOut || *m.outcome == Outcome::kSkipped)
        return doubted(static_cast<double>(count_of(s, *m.outcome)), -1, p);
      return doubted(static_cast<double>(count_of(s, *m.outcome)), 1, p);
    case What::kRetries:
      return Value(static_cast<double>(s.retries));
    case What::kRedirects:
      return Value(static_cast<double>(s.redirects));
    case What::kLeftOut:
      return Value(static_cast<double>(s.left_out));
    case What::kUploaded:
      return share_of(s.uploads.whole, s.uploads.bodies);
    case What::kUploadedBytes:
      return Value(static_cast<double>(s.uploads.sent));
    case What::kReason: {
      const Value seen(static_cast<double>(s.reasons[static_cast<std::size_t>(m.reason)]));
      return of_time(m.reason) ? doubted(seen, -1, p) : seen;
    }
    case What::kStatus: {
      double sum = 0;
      for (const auto& [status, count] : s.statuses)
        if (status >= m.status_from && status <= m.status_to) sum += static_cast<double>(count);
      return Value(sum);
    }
    case What::kRate:
      if (sabotage::on("prove-rate-counts-failures"))
        return Value(static_cast<double>(requests) / p.total.seconds);
      return paced(static_cast<double>(s.met()) / p.total.seconds, p);
    case What::kBytesPerSecond:
      return paced(static_cast<double>(bytes_of(s)) / p.total.seconds, p);
    default:
      break;
  }
  return unknown(Cause::kOther, "this is not measured");
}

// What was not answered in time, or not sent, may have been by a harness at rest: each such request is worth
// `one` more.
Value Evaluator::doubted(Value seen, double one, const Part& part) const {
  const Lateness late(part.total, campaign_.validity, part.users);
  const StepStats& s = part.total.stats;
  const auto reason = [&](Reason r) { return s.reasons[static_cast<std::size_t>(r)]; };
  const std::uint64_t in_time = reason(Reason::kReplyTimeout) + reason(Reason::kConnectTimeout);
  std::uint64_t open = late.unheard(in_time, part.timeout);
  if (late.doubt()) {
    const bool failed = count_of(s, Outcome::kFailed) + count_of(s, Outcome::kLimited) > 0;
    // Steps behind one that failed were not skipped by the harness.
    open += count_of(s, Outcome::kTimedOut) - std::min(count_of(s, Outcome::kTimedOut), in_time) +
            reason(Reason::kBacklog) + (failed ? 0 : reason(Reason::kEarlierStep));
  }
  if (open == 0) return seen;
  if (one > 0)
    seen.high = std::min(seen.sample > 0 ? 1.0 : HUGE_VAL, seen.high + one * static_cast<double>(open));
  else
    seen.low = std::max(0.0, seen.low + one * static_cast<double>(open));
  seen.late = true;
  seen.why = fmt::format(
      "{} requests were not answered in time, or not sent, by a generator that was late or "
      "busy itself",
      open);
  return seen;
}

// How fast users go on depends on the generator, too: with more of a CPU it may have been more.
Value Evaluator::paced(double seen, const Part& part) const {
  if (part.users == 0 || seen == 0) return seen;
  Value value(seen);
  if (part.total.busy > campaign_.validity.busy) {
    value.high = std::numeric_limits<double>::infinity();
    value.why = "the generator was the limit, and how many more the target would have answered nobody knows";
  } else if (part.total.waited > 0) {
    value.high = seen / std::max(0.01, 1 - part.total.waited / 100);
    value.why = fmt::format("the generator waited for a CPU for {} of the time",
                            show(part.total.waited / 100, kShare));
  }
  value.late = value.high > value.low;
  return value;
}

Worked Evaluator::latency(const Measure& m, const Scope& scope, const Part& part) const {
  const auto needed = static_cast<double>(campaign_.validity.tail_samples);
  if (m.clock == Measure::Clock::kLag) return lag_of(m, part.total, needed);
  const Lateness late(part.total, campaign_.validity, part.users);
  if (!m.outcome) return latency_of_all(m, part.total, late, needed, part.timeout);
  Hdr OutcomeStats::* which = histogram_of(m);
  if (m.unmet) return latency_of(m, latency_of_failed(result_, part.segments, scope, which), late, needed);
  return latency_of(m, part.total.stats.outcomes[static_cast<std::size_t>(*m.outcome)].*which, late, needed);
}

}  // namespace prove
