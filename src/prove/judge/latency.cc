#include "prove/judge/latency.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/sabotage.h"
#include "prove/judge/statistics.h"

namespace prove {
namespace {

using Cause = Unknown::Cause;
using enum Measure::Statistic;

constexpr double kForEver = std::numeric_limits<double>::infinity();

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
  std::uint64_t unheard = 0;  // not within the step's timeout, by a harness that may not have looked in time
  std::uint64_t unclocked = 0;  // of all these, those that the clock knows no time of
  std::uint64_t all() const { return for_certain + cut + dropped + unheard; }
};

// `which`: the clock; what was never sent has nothing on that of the service.
Unmet unmet_of(const Total& total, const Lateness& late, double timeout, Hdr OutcomeStats::* which) {
  const StepStats& s = total.stats;
  const std::uint64_t timed_out = count_of(s, Outcome::kTimedOut);
  const std::uint64_t in_time = reason_of(s, Reason::kReplyTimeout) + reason_of(s, Reason::kConnectTimeout);
  Unmet unmet;
  unmet.cut = timed_out - std::min(timed_out, in_time);
  unmet.for_certain =
      count_of(s, Outcome::kFailed) + count_of(s, Outcome::kLimited) - total.expected_limits.count;
  unmet.unheard = late.unheard(timed_out - unmet.cut, timeout);
  unmet.for_certain += timed_out - unmet.cut - unmet.unheard;
  unmet.dropped = reason_of(s, Reason::kBacklog);
  const std::uint64_t clocked = (s.outcomes[static_cast<std::size_t>(Outcome::kTimedOut)].*which).count();
  unmet.unclocked = timed_out - std::min(timed_out, clocked);
  return unmet;
}

double statistic_of(const Measure& m, const Hdr& h, double percentile) {
  switch (m.statistic) {
    case kMin:
      return seconds_of(h.min());
    case kMean:
      return seconds_of(h.mean());
    case kMax:
      return seconds_of(h.max());
    case kPercentile:
      break;
  }
  return seconds_of(h.percentile(percentile));
}

// Of so many requests those that lie beyond the percentile.
double beyond_of(const Measure& m, double requests) {
  return std::floor(requests * (100 - m.percentile) / 100 + 1e-6);
}

std::unexpected<Unknown> too_few(const Measure& m, std::uint64_t requests, double beyond, double needed) {
  return unknown(Cause::kTail, fmt::format("{} of {} requests: {:.0f} lie beyond it and {:.0f} are needed",
                                           m.text, requests, beyond, needed));
}

std::unexpected<Unknown> of_nothing(const Measure& m) {
  return unknown(Cause::kNoRequests, fmt::format("there is no request that {} could be told of", m.text));
}

std::string unknown_tail(const Unmet& unmet) {
  std::string why;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) why += fmt::format("{}{} requests were {}", why.empty() ? "" : " and ", count, what);
  };
  add(unmet.cut, "cut off by the end of the run (`grace` gives them longer)");
  add(unmet.dropped,
      "dropped since the backlog was full (`connections` of the scenario lets more be under way, `backlog` "
      "more wait)");
  add(unmet.unheard, "not answered in time, as a generator saw it that was late itself");
  return why + ", and nobody knows how long they would have taken";
}

// What the harness may have added is taken from the lower bound. `at`: the lower bound by the share of
// requests that do not exceed it.
template <class At>
Value without_delays(const Measure& m, Value value, const Lateness& late, const At& at) {
  const double measured = value.low;
  if (!std::isfinite(measured)) return value;  // what failed did so whenever it was sent
  if (!late.bounded())
    value.low = 0;
  else if (m.statistic == kMean)
    value.low = std::max(0.0, measured - late.mean());
  else if (m.statistic == kMin)
    value.low = std::max(0.0, measured - late.most());
  else
    value.low = std::min(measured, late.least(m.statistic == kMax ? 1 : m.percentile / 100, at));
  value.late = value.low < measured;
  if (value.late && value.why.empty())
    value.why = late.bounded()
                    ? fmt::format("of {} the harness may have added {}, since it sent or read late",
                                  show(measured, kTime), show(measured - value.low, kTime))
                    : "the generator was the limit, and how long replies waited for it nobody knows";
  return value;
}

}  // namespace

Hdr OutcomeStats::* histogram_of(const Measure& m) {
  return m.clock == Measure::Clock::kService     ? &OutcomeStats::service
         : m.clock == Measure::Clock::kFirstByte ? &OutcomeStats::first_byte
                                                 : &OutcomeStats::response;
}

Worked lag_of(const Measure& m, const Total& total, double needed) {
  const Hdr& h = total.lag;
  if (h.count() == 0) return of_nothing(m);
  const double beyond = beyond_of(m, static_cast<double>(h.count()));
  if (m.statistic == kPercentile && beyond < needed) return too_few(m, h.count(), beyond, needed);
  return Value(statistic_of(m, h, m.percentile));
}

Worked latency_of(const Measure& m, const Hdr& h, const Lateness& late, double needed) {
  if (h.count() == 0) return of_nothing(m);
  const double beyond = beyond_of(m, static_cast<double>(h.count()));
  if (m.statistic == kPercentile && beyond < needed) return too_few(m, h.count(), beyond, needed);
  return without_delays(m, Value(statistic_of(m, h, m.percentile)), late,
                        [&](double share) { return seconds_of(h.percentile(100 * share)); });
}

// A request that did not end as expected took for ever, or failing fast would be fast. One that the run's end
// cut off took at least what it had taken by then, and an arrival that was dropped may have been answered at
// once had it been sent: these two are bounds, and only what is broken at the lower one is the target's own.
Worked latency_of_all(const Measure& m, const Total& total, const Lateness& late, double needed,
                      double timeout) {
  Hdr OutcomeStats::* which = histogram_of(m);
  const bool fast = sabotage::on("prove-failures-are-fast");
  const Hdr met = fast ? latency_of_sent(total.stats, which) : latency_of_met(total, which);
  const Unmet unmet = fast ? Unmet() : unmet_of(total, late, timeout, which);
  const std::uint64_t asked = met.count() + unmet.all();
  if (asked == 0) return of_nothing(m);
  const double n = static_cast<double>(asked);
  const bool percentile = m.statistic == kPercentile;
  const double beyond = percentile ? beyond_of(m, n) : 0;
  const std::string never =
      fmt::format("{} of {} requests did not end as expected", unmet.for_certain, asked);
  if (m.statistic == kMin && met.count() > 0)
    return without_delays(m, Value(seconds_of(met.min())), late, [](double) { return 0.0; });
  const bool all = m.statistic == kMin && unmet.all() == unmet.for_certain;  // there is no least one
  const bool surely = static_cast<double>(unmet.for_certain) > beyond && (m.statistic != kMin || all);
  if (percentile && beyond < needed &&
      !(surely && at_least(unmet.for_certain, asked) > (100 - m.percentile) / 100))
    return too_few(m, asked, beyond, needed);
  if (surely) return Value(kForEver, kForEver, never);
  Hdr least;  // with those that were cut off, at what they had taken by then
  least.add(met);
  double before = static_cast<double>(unmet.dropped);  // that lie before all, since they may have been quick
  if (unmet.cut + unmet.unheard > 0) {
    least.add(total.stats.outcomes[static_cast<std::size_t>(Outcome::kTimedOut)].*which);
    before += static_cast<double>(unmet.unclocked);
  }
  const auto count = static_cast<double>(least.count());
  const auto at = [&](double share) {  // what failed lies behind all
    const double rank = share * n - before;
    if (count == 0 || rank <= 0) return 0.0;
    return seconds_of(least.percentile(std::min(100.0, 100 * rank / count)));
  };
  double low = 0;
  if (count > 0)
    low = m.statistic == kMean  ? seconds_of(least.mean()) * count / n
          : m.statistic == kMin ? (before > 0 ? 0 : seconds_of(least.min()))
          : m.statistic == kMax ? seconds_of(least.max())
                                : at(m.percentile / 100);
  if (static_cast<double>(unmet.all()) > beyond)
    return without_delays(m, Value(low, kForEver, unknown_tail(unmet)), late, at);
  const double most =
      statistic_of(m, met, std::min(100.0, m.percentile * n / static_cast<double>(met.count())));
  return without_delays(m, Value(std::min(low, most), most, {}), late, at);
}

}  // namespace prove
