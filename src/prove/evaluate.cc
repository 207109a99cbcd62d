#include "prove/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace prove {
namespace {

using What = Measure::What;
using Cause = Unknown::Cause;
using State = CheckResult::State;

constexpr double kBucket = 0.1;      // seconds of an Aftermath's bucket
constexpr std::size_t kSecond = 10;  // buckets
constexpr double kRecovered = 0.99;  // good requests of a second

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

// Requests that were answered, whether or not the answer was the right one.
std::uint64_t completed(const StepStats& s) {
  const std::uint64_t ended = count_of(s, Outcome::kOk) + count_of(s, Outcome::kDenied) +
                              count_of(s, Outcome::kLimited) + count_of(s, Outcome::kFailed);
  const std::uint64_t unanswered = reason_of(s, Reason::kRefused) + reason_of(s, Reason::kTls) +
                                   reason_of(s, Reason::kReset) + reason_of(s, Reason::kBadReply);
  return ended - std::min(ended, unanswered);
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
  const std::string shown = show(swapped ? right->value : left->value, kind);
  result.measured = left->at_least || right->at_least ? "> " + shown : shown;

  const bool rising = c.op == Relation::Op::kGreater || c.op == Relation::Op::kGreaterOrEqual;
  const bool falling = c.op == Relation::Op::kLess || c.op == Relation::Op::kLessOrEqual;
  const bool held = holds(left->value, c.op, right->value);
  // Of what is only known to be passed, more is true as well, and less is not known.
  const bool open = (left->at_least && !(rising && held) && !(falling && !held)) ||
                    (right->at_least && !(falling && held) && !(rising && !held)) ||
                    (left->at_least && right->at_least);
  if (open) {
    ++unknowns_[Cause::kOther];
    result.why = fmt::format("the run was watched for {} after the fault, which is too short to tell", shown);
    return;
  }
  result.state = held ? State::kHeld : State::kBroken;
  if (held) return;
  if (swapped)
    result.why = fmt::format("it was {}, and {} was asked", shown, result.check);
  else if (both)
    result.why = fmt::format("it was {} and must be {} {}, which was {}", result.measured, name_of(c.op),
                             c.right_text, show(right->value, c.right->kind));
  else
    result.why = fmt::format("it was {} and must be {} {}", result.measured, name_of(c.op), c.right_text);
}

Evaluator::Worked Evaluator::value(const Node& node, const Scope& scope) {
  if (node.op == Node::Op::kLiteral) return Value{node.value};
  if (node.op == Node::Op::kMeasure) return measured(node.measure, scope);
  const Worked a = value(*node.left, scope);
  if (!a) return a;
  if (a->at_least) return unknown(Cause::kOther, "there was no recovery, so nothing is made up of it");
  if (node.op == Node::Op::kNegative) return Value{-a->value};
  const Worked b = value(*node.right, scope);
  if (!b) return b;
  if (b->at_least) return unknown(Cause::kOther, "there was no recovery, so nothing is made up of it");
  switch (node.op) {
    case Node::Op::kAdd:
      return Value{a->value + b->value};
    case Node::Op::kSubtract:
      return Value{a->value - b->value};
    case Node::Op::kMultiply:
      return Value{a->value * b->value};
    default:
      break;
  }
  if (b->value != 0) return Value{a->value / b->value};
  return unknown(Cause::kOther,
                 node.right->op == Node::Op::kMeasure
                     ? fmt::format("{} was 0, and nothing is a share of it", node.right->measure.text)
                     : "it would divide by 0");
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
    return Value{*f};
  };
  if (m.what == What::kSeries)
    return plain(measure_series(result_.series, m, p.stretches, seconds(campaign_.validity.slope)));
  const StepStats& s = p.total.stats;
  const std::uint64_t requests = p.total.requests();
  if (m.what == What::kRequests) return Value{static_cast<double>(requests)};
  if (m.what == What::kOffered) {
    if (!scope.scenario.empty())
      return unknown(Cause::kOther, "arrivals are not scheduled by scenario: offered has no meaning there");
    if (p.total.offered == 0)
      return unknown(Cause::kOther, "no arrivals are scheduled here: the load is closed");
    return Value{static_cast<double>(p.total.offered) / p.total.seconds};
  }
  if (m.what == What::kLatency) return plain(latency(m, p.total));
  if (requests == 0)
    return unknown(Cause::kNoRequests, fmt::format("there was no request in {}", name_of(scope)));
  const auto share = [](std::uint64_t a, std::uint64_t b) {
    return Value{static_cast<double>(a) / static_cast<double>(b)};
  };
  switch (m.what) {
    case What::kSuccess:
      return share(s.met(), requests);
    case What::kShare:
      if (*m.outcome != Outcome::kDenied) return share(count_of(s, *m.outcome), requests);
      if (s.expected_denials == 0)
        return unknown(Cause::kNoRequests, fmt::format("no request in {} expects a denial", name_of(scope)));
      return share(count_of(s, Outcome::kDenied), s.expected_denials);
    case What::kCount:
      return Value{static_cast<double>(count_of(s, *m.outcome))};
    case What::kRetries:
      return Value{static_cast<double>(s.retries)};
    case What::kReason:
      return Value{static_cast<double>(reason_of(s, m.reason))};
    case What::kStatus: {
      double sum = 0;
      for (const auto& [status, count] : s.statuses)
        if (status >= m.status_from && status <= m.status_to) sum += static_cast<double>(count);
      return Value{sum};
    }
    case What::kRate:
      return Value{static_cast<double>(completed(s)) / p.total.seconds};
    case What::kBytesPerSecond:
      return Value{static_cast<double>(bytes_of(s)) / p.total.seconds};
    default:
      break;
  }
  return unknown(Cause::kOther, "this is not measured");
}

Figure Evaluator::latency(const Measure& m, const Total& total) const {
  Hdr OutcomeStats::* which = m.clock == Measure::Clock::kService     ? &OutcomeStats::service
                              : m.clock == Measure::Clock::kFirstByte ? &OutcomeStats::first_byte
                                                                      : &OutcomeStats::response;
  Hdr merged;
  const bool all = m.clock != Measure::Clock::kLag && !m.outcome;
  if (all) merged = latency_of_sent(total.stats, which);
  const Hdr& h = all ? merged
                 : m.clock == Measure::Clock::kLag
                     ? total.lag
                     : total.stats.outcomes[static_cast<std::size_t>(*m.outcome)].*which;
  if (h.count() == 0)
    return unknown(Cause::kNoRequests, fmt::format("there is no request that {} could be told of", m.text));
  // Arrivals that the backlog did not hold waited longest of all, and nobody knows how long: they lie beyond
  // whatever was measured, or dropping them would make the tail look short. So do requests that the run's end
  // cut off: what they had taken by then is in the histogram, and is no more than a beginning.
  const std::uint64_t dropped = all ? reason_of(total.stats, Reason::kBacklog) : 0;
  const std::uint64_t cut = all ? reason_of(total.stats, Reason::kInFlight) : 0;
  const auto asked = static_cast<double>(h.count() + dropped);
  const double beyond = std::floor(asked * (100 - m.percentile) / 100 + 1e-6);
  const bool of_sent = m.statistic == Measure::Statistic::kPercentile
                           ? static_cast<double>(dropped + cut) <= beyond
                           : dropped + cut == 0;
  if (!of_sent && m.statistic != Measure::Statistic::kMin)
    return unknown(
        Cause::kOther,
        fmt::format("{} requests were dropped since the backlog was full or cut off by the end of the run, "
                    "and nobody knows how long they would have taken",
                    dropped + cut));
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
  const std::uint64_t needed = campaign_.validity.tail_samples;
  if (beyond < static_cast<double>(needed))
    return unknown(Cause::kTail, fmt::format("{} of {} requests: {:.0f} lie beyond it and {} are needed",
                                             m.text, h.count(), beyond, needed));
  return seconds(h.percentile(m.percentile * asked / static_cast<double>(h.count())));
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
  Value worst;
  bool any = false;
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
    worst.value = std::max(worst.value, took);
    worst.at_least = worst.at_least || never;
  }
  if (!any)
    return unknown(Cause::kOther, fault.empty()
                                      ? "there was no fault to recover from"
                                      : fmt::format("fault '{}' did not end within the run", fault));
  return worst;
}

}  // namespace prove
