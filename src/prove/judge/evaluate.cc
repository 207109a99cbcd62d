#include "prove/judge/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "prove/judge/statistics.h"

namespace prove {
namespace {

using What = Measure::What;
using Cause = Unknown::Cause;
using State = CheckResult::State;

constexpr double kBucket = 0.1;      // seconds of an Aftermath's bucket
constexpr std::size_t kSecond = 10;  // buckets
constexpr double kRecovered = 0.99;  // good requests of a second
constexpr double kForEver = std::numeric_limits<double>::infinity();

std::unexpected<Unknown> unknown(Cause cause, std::string text) {
  return std::unexpected(Unknown{cause, std::move(text)});
}

double seconds(base::Nanos t) {
  return std::chrono::duration<double>(t).count();
}

std::uint64_t count_of(const StepStats& s, Outcome o) {
  return s.outcomes[static_cast<std::size_t>(o)].count;
}

std::uint64_t reason_of(const StepStats& s, Reason r) {
  return s.reasons[static_cast<std::size_t>(r)];
}

// Requests that were sent, or whose turn to be sent had come, and that did not end as their steps expect.
struct Unmet {
  std::uint64_t for_certain = 0;  // answered wrongly, not at all, or not within the step's timeout
  std::uint64_t cut = 0;          // still under way when the run ended
  std::uint64_t dropped = 0;      // arrivals that the backlog did not hold
  std::uint64_t all() const { return for_certain + cut + dropped; }
};

Unmet unmet_of(const Total& total) {
  const StepStats& s = total.stats;
  const std::uint64_t timed_out = count_of(s, Outcome::kTimedOut);
  const std::uint64_t in_time = reason_of(s, Reason::kReplyTimeout) + reason_of(s, Reason::kConnectTimeout);
  Unmet unmet;
  unmet.cut = timed_out - std::min(timed_out, in_time);
  unmet.for_certain = count_of(s, Outcome::kFailed) + count_of(s, Outcome::kLimited) -
                      total.expected_limits.count + timed_out - unmet.cut;
  unmet.dropped = reason_of(s, Reason::kBacklog);
  return unmet;
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
  add("phase", scope.phase);
  add("window", scope.window);
  return text.empty() ? "the run without its warm-up" : text;
}

// Equal but for what the last binary digits make of decimal ones.
bool same(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return a == b;
  return a == b || std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

bool holds(double a, Relation::Op op, double b) {
  switch (op) {
    case Relation::Op::kLess:
      return a < b && !same(a, b);
    case Relation::Op::kLessOrEqual:
      return a < b || same(a, b);
    case Relation::Op::kGreater:
      return a > b && !same(a, b);
    case Relation::Op::kGreaterOrEqual:
      return a > b || same(a, b);
    case Relation::Op::kEqual:
      return same(a, b);
    case Relation::Op::kNotEqual:
      return !same(a, b);
  }
  return false;
}

bool measures(const Node& node) {
  return node.op == Node::Op::kMeasure || (node.left && measures(*node.left)) ||
         (node.right && measures(*node.right));
}

std::string shown_of(double value, Dimension kind) {
  return std::isinf(value) ? "∞" : show(value, kind);
}

double apply(Node::Op op, double a, double b) {
  switch (op) {
    case Node::Op::kAdd:
      return a + b;
    case Node::Op::kSubtract:
      return a - b;
    case Node::Op::kMultiply:
      return a * b;
    default:
      return a / b;
  }
}

Hdr OutcomeStats::* histogram_of(const Measure& m) {
  return m.clock == Measure::Clock::kService     ? &OutcomeStats::service
         : m.clock == Measure::Clock::kFirstByte ? &OutcomeStats::first_byte
                                                 : &OutcomeStats::response;
}

double statistic_of(const Measure& m, const Hdr& h, double percentile) {
  switch (m.statistic) {
    case Measure::Statistic::kMin:
      return seconds(h.min());
    case Measure::Statistic::kMean:
      return seconds(h.mean());
    case Measure::Statistic::kMax:
      return seconds(h.max());
    case Measure::Statistic::kPercentile:
      break;
  }
  return seconds(h.percentile(percentile));
}

// Of so many requests those that lie beyond the percentile.
double beyond_of(const Measure& m, double requests) {
  return std::floor(requests * (100 - m.percentile) / 100 + 1e-6);
}

std::unexpected<Unknown> too_few(const Measure& m, std::uint64_t requests, double beyond, double needed) {
  return unknown(Cause::kTail, fmt::format("{} of {} requests: {:.0f} lie beyond it and {:.0f} are needed",
                                           m.text, requests, beyond, needed));
}

std::string unknown_tail(std::uint64_t cut, std::uint64_t dropped) {
  std::string why;
  if (cut > 0)
    why = fmt::format("{} requests were cut off by the end of the run (`grace` gives them longer)", cut);
  if (dropped > 0)
    why += fmt::format(
        "{}{} requests were dropped since the backlog was full (`connections` of the scenario "
        "lets more be under way, `backlog` more wait)",
        why.empty() ? "" : " and ", dropped);
  return why + ", and nobody knows how long they would have taken";
}

}  // namespace

const Evaluator::Part& Evaluator::part(const Scope& scope) {
  std::unique_ptr<Part>& part = parts_[fmt::format("{}\n{}\n{}", scope.scenario, scope.phase, scope.window)];
  if (!part) {
    part = std::make_unique<Part>();
    part->segments = timeline_.within(scope);
    part->stretches = extents_of(timeline_.segments(), part->segments);
    part->total = total(result_, part->segments, scope.scenario);
  }
  return *part;
}

CheckResult Evaluator::check(const Check& check, CheckResult::Kind kind) {
  CheckResult result;
  result.kind = kind;
  result.name = check.name.empty() ? check.text : check.name;
  result.check = check.text;
  result.scope = {check.scenario, check.phase, check.window};
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
  if (!left || !right) {
    const Unknown& why = left ? right.error() : left.error();
    ++unknowns_[why.cause];
    result.why = why.text;
    return;
  }
  const bool both = measures(*c.left) && measures(*c.right);
  const bool swapped = !measures(*c.left);  // "1 < requests"
  const Node& node = swapped ? *c.right : *c.left;
  const Dimension kind = node.kind == kPlain && c.left->kind != c.right->kind
                             ? (swapped ? c.left->kind : c.right->kind)
                             : node.kind;
  const Value& told = swapped ? *right : *left;
  const bool open_ended = std::isinf(told.high) && !std::isinf(told.low);
  result.measured = (open_ended ? "> " : "") + shown_of(open_ended ? told.low : told.high, kind);

  const State state = state_of(*left, c.op, *right);
  if (state == State::kUnknown) {
    ++unknowns_[Cause::kOther];
    result.why = told.why.empty() ? (swapped ? left->why : right->why) : told.why;
    return;
  }
  result.state = state;
  if (state == State::kHeld) return;
  if (swapped)
    result.why = fmt::format("it was {}, and {} was asked", result.measured, result.check);
  else if (both)
    result.why = fmt::format("it was {} and must be {} {}, which was {}", result.measured, name_of(c.op),
                             c.right_text, shown_of(right->high, c.right->kind));
  else
    result.why = fmt::format("it was {} and must be {} {}", result.measured, name_of(c.op), c.right_text);
  if (std::isinf(told.high) && !told.why.empty()) result.why += ": " + told.why;
}

// Held or broken only where it is so at every figure within the bounds.
CheckResult::State Evaluator::state_of(const Value& a, Relation::Op op, const Value& b) {
  const auto state = [](bool held, bool broken) {
    return held ? State::kHeld : broken ? State::kBroken : State::kUnknown;
  };
  switch (op) {
    case Relation::Op::kLess:
    case Relation::Op::kLessOrEqual:
      return state(holds(a.high, op, b.low), !holds(a.low, op, b.high));
    case Relation::Op::kGreater:
    case Relation::Op::kGreaterOrEqual:
      return state(holds(a.low, op, b.high), !holds(a.high, op, b.low));
    case Relation::Op::kEqual:
    case Relation::Op::kNotEqual:
      break;
  }
  const bool exact = a.low == a.high && b.low == b.high;
  const bool equal = exact && same(a.low, b.low);
  const bool apart = exact ? !equal : a.high < b.low || b.high < a.low;
  return op == Relation::Op::kEqual ? state(equal, apart) : state(apart, equal);
}

Evaluator::Worked Evaluator::value(const Node& node, const Scope& scope) {
  if (node.op == Node::Op::kLiteral) return Value(node.value);
  if (node.op == Node::Op::kMeasure) return measured(node.measure, scope);
  const Worked a = value(*node.left, scope);
  if (!a) return a;
  if (node.op == Node::Op::kNegative) return Value(-a->high, -a->low, a->why);
  const Worked b = value(*node.right, scope);
  if (!b) return b;
  if (node.op == Node::Op::kDivide && b->low <= 0 && b->high >= 0)
    return unknown(Cause::kOther,
                   node.right->op == Node::Op::kMeasure
                       ? fmt::format("{} was 0, and nothing is a share of it", node.right->measure.text)
                       : "it would divide by 0");
  const std::array corners = {apply(node.op, a->low, b->low), apply(node.op, a->low, b->high),
                              apply(node.op, a->high, b->low), apply(node.op, a->high, b->high)};
  const std::string& why = a->why.empty() ? b->why : a->why;
  if (std::ranges::any_of(corners, [](double x) { return std::isnan(x); }))
    return unknown(Cause::kOther, fmt::format("what never ended cannot be reckoned with: {}", why));
  const auto [low, high] = std::ranges::minmax(corners);
  return Value(low, high, why);
}

Evaluator::Worked Evaluator::measured(const Measure& m, const Scope& asked) {
  Scope scope = asked;
  if (!m.scenario.empty()) scope.scenario = m.scenario;
  if (!m.phase.empty()) scope.phase = m.phase;
  if (!m.window.empty()) scope.window = m.window;
  if (m.what == What::kRecovery) return recovery(m, scope);
  const Part& p = part(scope);
  if (p.segments.empty())
    return unknown(Cause::kOther, fmt::format("nothing of the run lies in {}", name_of(scope)));
  const auto plain = [](const Figure& f) -> Worked {
    if (!f) return std::unexpected(f.error());
    return Value(*f);
  };
  if (m.what == What::kSeries)
    return plain(measure_series(result_.series, m, p.stretches, seconds(campaign_.validity.slope)));
  const StepStats& s = p.total.stats;
  if (m.what == What::kUploaded && s.uploads.bodies == 0)
    return unknown(Cause::kNoRequests, fmt::format("no request with a body was sent in {}", name_of(scope)));
  const std::uint64_t requests = p.total.requests();
  if (m.what == What::kRequests) return Value(static_cast<double>(requests));
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
  const auto share = [](std::uint64_t a, std::uint64_t b) {
    return Value(static_cast<double>(a) / static_cast<double>(b));
  };
  switch (m.what) {
    case What::kSuccess:
      return share(s.met(), requests);
    case What::kShare:
      if (m.unmet) return share(requests - s.met(), requests);
      if (*m.outcome != Outcome::kDenied) return share(count_of(s, *m.outcome), requests);
      if (s.expected_denials == 0)
        return unknown(Cause::kNoRequests, fmt::format("no request in {} expects a denial", name_of(scope)));
      return share(count_of(s, Outcome::kDenied), s.expected_denials);
    case What::kCount:
      if (m.unmet) return Value(static_cast<double>(requests - s.met()));
      return Value(static_cast<double>(count_of(s, *m.outcome)));
    case What::kRetries:
      return Value(static_cast<double>(s.retries));
    case What::kUploaded:
      return share(s.uploads.whole, s.uploads.bodies);
    case What::kUploadedBytes:
      return Value(static_cast<double>(s.uploads.sent));
    case What::kReason:
      return Value(static_cast<double>(reason_of(s, m.reason)));
    case What::kStatus: {
      double sum = 0;
      for (const auto& [status, count] : s.statuses)
        if (status >= m.status_from && status <= m.status_to) sum += static_cast<double>(count);
      return Value(sum);
    }
    case What::kRate:
      return Value(static_cast<double>(s.met()) / p.total.seconds);
    case What::kBytesPerSecond:
      return Value(static_cast<double>(bytes_of(s)) / p.total.seconds);
    default:
      break;
  }
  return unknown(Cause::kOther, "this is not measured");
}

Evaluator::Worked Evaluator::latency(const Measure& m, const Scope& scope, const Part& part) const {
  const bool lag = m.clock == Measure::Clock::kLag;
  if (!lag && !m.outcome) return latency_of_all(m, part.total);
  Hdr OutcomeStats::* which = histogram_of(m);
  const Hdr merged = m.unmet ? latency_of_failed(result_, part.segments, scope.scenario, which) : Hdr();
  const Hdr& h = lag       ? part.total.lag
                 : m.unmet ? merged
                           : part.total.stats.outcomes[static_cast<std::size_t>(*m.outcome)].*which;
  if (h.count() == 0)
    return unknown(Cause::kNoRequests, fmt::format("there is no request that {} could be told of", m.text));
  const double beyond = beyond_of(m, static_cast<double>(h.count()));
  if (m.statistic == Measure::Statistic::kPercentile && beyond < needed_beyond())
    return too_few(m, h.count(), beyond, needed_beyond());
  return Value(statistic_of(m, h, m.percentile));
}

// A request that did not end as expected took for ever, or failing fast would be fast. One that the run's end
// cut off took at least what it had taken by then, and an arrival that was dropped may have been answered at
// once had it been sent: these two are bounds, and only what is broken at the lower one is the target's own.
Evaluator::Worked Evaluator::latency_of_all(const Measure& m, const Total& total) const {
  using enum Measure::Statistic;
  Hdr OutcomeStats::* which = histogram_of(m);
  const Hdr met = latency_of_met(total, which);
  const Unmet unmet = unmet_of(total);
  const std::uint64_t asked = met.count() + unmet.all();
  if (asked == 0)
    return unknown(Cause::kNoRequests, fmt::format("there is no request that {} could be told of", m.text));
  const double n = static_cast<double>(asked);
  const bool percentile = m.statistic == kPercentile;
  const double beyond = percentile ? beyond_of(m, n) : 0;
  const std::string never =
      fmt::format("{} of {} requests did not end as expected", unmet.for_certain, asked);
  if (m.statistic == kMin && met.count() > 0) return Value(seconds(met.min()));
  const bool all = m.statistic == kMin && unmet.cut + unmet.dropped == 0;  // there is no least one
  const bool surely = static_cast<double>(unmet.for_certain) > beyond && (m.statistic != kMin || all);
  if (percentile && beyond < needed_beyond() &&
      !(surely && at_least(unmet.for_certain, asked) > (100 - m.percentile) / 100))
    return too_few(m, asked, beyond, needed_beyond());
  if (surely) return Value(kForEver, kForEver, never);
  Hdr least;  // with those that were cut off, at what they had taken by then
  least.add(met);
  if (unmet.cut > 0) least.add(total.stats.outcomes[static_cast<std::size_t>(Outcome::kTimedOut)].*which);
  const double rank = m.percentile / 100 * n - static_cast<double>(unmet.dropped);
  const auto of_least = [&] {
    if (least.count() == 0 || (percentile && rank <= 0)) return 0.0;
    const auto count = static_cast<double>(least.count());
    if (m.statistic == kMean) return seconds(least.mean()) * count / n;
    return statistic_of(m, least, std::min(100.0, 100 * rank / count));
  };
  if (static_cast<double>(unmet.all()) > beyond)
    return Value(of_least(), kForEver, unknown_tail(unmet.cut, unmet.dropped));
  const double most =
      statistic_of(m, met, std::min(100.0, m.percentile * n / static_cast<double>(met.count())));
  return Value(std::min(of_least(), most), most, {});
}

double Evaluator::needed_beyond() const {
  return static_cast<double>(campaign_.validity.tail_samples);
}

// The first bucket from which on a whole second was good. Requests are in it by their intended start.
Evaluator::Worked Evaluator::recovery(const Measure& m, const Scope& scope) const {
  if (!scope.scenario.empty())
    return unknown(Cause::kOther, "recovery is told of all scenarios together and has no meaning for one");
  std::string fault = m.fault;
  if (fault.empty()) {
    std::string_view window = scope.window;
    for (const std::string_view word : {"before ", "after "})
      if (window.starts_with(word)) window.remove_prefix(word.size());
    if (std::ranges::find(result_.aftermaths, window, &Aftermath::fault) != result_.aftermaths.end())
      fault = window;
  }
  double worst = 0;
  bool any = false, never_seen = false;
  for (const Aftermath& aftermath : result_.aftermaths) {
    if (!fault.empty() && aftermath.fault != fault) continue;
    any = true;
    const auto& buckets = aftermath.good_bad;
    if (buckets.size() < kSecond)
      return unknown(Cause::kOther,
                     fmt::format("the run went on for less than a second after fault '{}'", aftermath.fault));
    std::size_t i = 0;
    for (; i + kSecond <= buckets.size(); ++i) {
      std::uint64_t good = 0, bad = 0;
      for (std::size_t k = i; k < i + kSecond; ++k) {
        good += buckets[k].first;
        bad += buckets[k].second;
      }
      if (good > 0 && static_cast<double>(good) >= kRecovered * static_cast<double>(good + bad)) break;
    }
    const bool never = i + kSecond > buckets.size();
    const double took = static_cast<double>(i) * kBucket;
    worst = std::max(worst, took);
    never_seen = never_seen || never;
  }
  if (!any)
    return unknown(Cause::kOther, fault.empty()
                                      ? "there was no fault to recover from"
                                      : fmt::format("fault '{}' did not end within the run", fault));
  if (!never_seen) return Value(worst);
  return Value(
      worst, kForEver,
      fmt::format("there was no recovery in the {} that the run was watched for after the fault, which is "
                  "too short to tell",
                  show(worst, kTime)));
}

}  // namespace prove
