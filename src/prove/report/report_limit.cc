#include "prove/report/report_limit.h"

#include <fmt/format.h>

#include <algorithm>

#include "prove/report/figures.h"

namespace prove {
namespace {

// From where on a figure is told as the limit. A report's judgement, no verdict's: that has its own,
// configurable.
constexpr double kBusyGenerator = 90;  // percent of one thread
constexpr Nanos kLateGenerator{10'000'000};
constexpr double kBusyTarget = 0.9;  // of the machine's CPUs
constexpr double kErrors = 1;        // percent of the requests
constexpr double kWaitShare = 2;     // response p99 as a multiple of service p99

struct Peaks {
  std::uint64_t waiting = 0, connections = 0, in_flight = 0;
  double rate = 0, rate_seconds = 0;
  Nanos rate_p99{0};
};

// What a limit is sought in: neither warm-up nor faults, in which the target is meant to suffer. A run that
// is all fault is taken whole.
struct Calm {
  Total total;
  Hdr response, service;
  std::uint64_t sent = 0;
  Peaks peaks;
  bool faults = false;  // some were left out
};

bool in_fault(const Result& result, Nanos from, Nanos to) {
  return std::ranges::any_of(result.spans,
                             [&](const Span& s) { return s.fault && from < s.to && to > s.from; });
}

// The catching up after a fault is no calm either: as long again as the fault lasted, ten seconds at most.
bool is_calm(const Result& result, const Interval& row) {
  const auto nanos = [](double seconds) { return Nanos(static_cast<std::int64_t>(seconds * 1e9)); };
  const double from = row.at - row.seconds;
  return std::ranges::none_of(result.spans, [&](const Span& s) {
    const Nanos after = std::min<Nanos>(s.to - s.from, base::Seconds(10));
    return s.fault && nanos(from) < s.to + after && nanos(row.at) > s.from;
  });
}

std::uint64_t ended(const Interval& row) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < kOutcomes; ++i)
    if (static_cast<Outcome>(i) != Outcome::kSkipped) n += row.outcomes[i];
  return n;
}

// Whether more ended than was due, by far: that is no rate of the target's but what it owed. Only where an
// arrival is one request.
bool catches_up(const Result& result, const Interval& row) {
  constexpr double kMore = 1.2;
  const bool single =
      std::ranges::all_of(result.scenarios, [](const auto& s) { return s.steps.size() == 1; });
  return single && row.offered > 0 &&
         static_cast<double>(ended(row)) >
             std::max(kMore * static_cast<double>(row.offered), static_cast<double>(row.offered + 10));
}

// The longest stretch in which next to nothing ended though arrivals were due, and what was held back in it
// ended afterwards: a freeze.
struct Freeze {
  double from = 0, seconds = 0;
  std::uint64_t offered = 0;  // in it
};
Freeze freeze_of(const Result& result) {
  constexpr std::uint64_t kTold = 10;  // fewer arrivals may stay away by chance
  Freeze longest, now;
  const auto& rows = result.intervals;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Interval& row = rows[i];
    const bool still = is_calm(result, row) &&
                       (row.offered > 0 ? ended(row) * 10 < row.offered : now.seconds > 0 && ended(row) == 0);
    if (!still) {
      // It may end near the end of an interval, and what was held back comes in the next.
      const bool caught_up =
          catches_up(result, row) || (i + 1 < rows.size() && catches_up(result, rows[i + 1]));
      if (now.offered >= kTold && now.seconds > longest.seconds && caught_up) longest = now;
      now = {};
      continue;
    }
    if (now.seconds == 0) now.from = row.at - row.seconds;
    now.seconds += row.seconds;
    now.offered += row.offered;
  }
  return longest;
}

template <class Wanted>
Peaks peaks_of(const Result& result, Wanted&& wanted) {
  Peaks peaks;
  double longest = 0;
  for (const Interval& row : result.intervals) longest = std::max(longest, row.seconds);
  for (const Interval& row : result.intervals) {
    const double middle = row.at - (row.seconds / 2);
    const auto phase = std::ranges::find_if(
        result.phases, [&](const PhaseInfo& p) { return middle >= p.from && middle < p.to; });
    if (phase == result.phases.end() || phase->warm_up || !wanted(row)) continue;
    peaks.waiting = std::max(peaks.waiting, row.waiting);
    peaks.connections = std::max(peaks.connections, row.connections);
    peaks.in_flight = std::max(peaks.in_flight, row.in_flight);
    if (row.seconds < longest / 2) continue;  // a remainder makes no rate
    if (catches_up(result, row)) continue;    // what a freeze had held back makes none either
    const double rate = static_cast<double>(ended(row)) / row.seconds;
    if (rate > peaks.rate) {
      peaks.rate = rate;
      peaks.rate_seconds = row.seconds;
      peaks.rate_p99 = row.p99;
    }
  }
  return peaks;
}

Calm calm_of(const Result& result, const Peaks& all) {
  std::vector<std::size_t> measured, calm;
  for (std::size_t i = 0; i < result.timeline.size(); ++i) {
    const Segment& segment = result.timeline[i];
    if (segment.warm_up) continue;
    measured.push_back(i);
    if (!in_fault(result, segment.from, segment.to)) calm.push_back(i);
  }
  Calm c;
  c.faults = !calm.empty() && calm.size() < measured.size();
  c.total = total(result, calm.empty() ? measured : calm);
  c.peaks = calm.empty() ? all : peaks_of(result, [&](const Interval& row) { return is_calm(result, row); });
  c.response = latency_of_sent(c.total.stats, &OutcomeStats::response);
  c.service = latency_of_sent(c.total.stats, &OutcomeStats::service);
  c.sent = c.total.requests() - c.total.stats.outcomes[static_cast<std::size_t>(Outcome::kSkipped)].count;
  return c;
}

const TargetCpu* busiest(const Summary& s) {
  const auto most = std::ranges::max_element(s.cpu, {}, &TargetCpu::peak);
  return most == s.cpu.end() ? nullptr : &*most;
}

std::string cpus_text(double used, std::uint64_t cpus) {
  return cpus > 0 ? fmt::format("{:.2f} of {} CPUs", used, cpus) : fmt::format("{:.2f} CPUs", used);
}

std::string p99_text(const Peaks& peaks) {
  return peaks.rate_p99.count() > 0 ? duration_text(peaks.rate_p99) : "–";
}

double error_share(const Calm& c) {
  const auto& o = c.total.stats.outcomes;
  const std::uint64_t bad = o[static_cast<std::size_t>(Outcome::kFailed)].count +
                            o[static_cast<std::size_t>(Outcome::kTimedOut)].count;
  return c.sent > 0 ? 100.0 * static_cast<double>(bad) / static_cast<double>(c.sent) : 0;
}

std::string sentence(const Result& result, const Summary& s, const Calm& c) {
  if (s.measured.requests() == 0) return "Nothing was measured.";
  const Nanos lag = s.measured.lag.percentile(99);
  const Nanos response = c.response.percentile(99), service = c.service.percentile(99);
  const TargetCpu* cpu = busiest(s);
  const std::uint64_t cpus = result.environment.cpus;
  const std::string_view outside = c.faults ? " (outside of the faults)" : "";
  if (lag > kLateGenerator && machine_was_busy(s.measured))
    return fmt::format(
        "The machine was busy with other things, so that the load generator took up arrivals {} late (p99): "
        "{}. "
        "Latencies were that much shorter than they look.",
        duration_text(lag), generator_text(s.measured));
  if (s.measured.busy > kBusyGenerator || lag > kLateGenerator)
    return fmt::format(
        "The load generator was the limit, not the target: its busiest thread spent {:.0f} % of its time on "
        "a "
        "CPU and took up arrivals {} late (p99).",
        s.measured.busy, duration_text(lag));
  if (error_share(c) > kErrors)
    return fmt::format("Errors were the limit{}: {} of the requests failed or timed out ({}).", outside,
                       percent_text(error_share(c)), reasons_text(c.total.stats));
  if (const Freeze freeze = freeze_of(result); freeze.seconds > 0)
    return fmt::format(
        "The target froze: from {} on next to nothing ended for {}, and what was due meanwhile "
        "ended late (p99 {}).",
        clock_text(freeze.from), seconds_text(freeze.seconds), duration_text(response));
  if (cpu != nullptr && cpus > 0 && cpu->peak > kBusyTarget * static_cast<double>(cpus))
    return fmt::format("The CPU was the limit: the target {} used up to {}.", cpu->target,
                       cpus_text(cpu->peak, cpus));
  if (c.peaks.waiting > 0 && service.count() > 0 &&
      static_cast<double>(response.count()) > kWaitShare * static_cast<double>(service.count()))
    return fmt::format(
        "Connections were the limit{}: up to {} arrivals waited for a free one, so that p99 was {} from the "
        "intended start and {} from the first byte sent.",
        outside, count_text(c.peaks.waiting), duration_text(response), duration_text(service));
  std::string text = fmt::format("No limit was reached{}: ", outside);
  if (c.peaks.rate > 0)
    text += fmt::format("at the highest rate, {}, p99 was {}; ", rate_text(c.peaks.rate), p99_text(c.peaks));
  text += fmt::format("the generator was {:.0f} % busy", s.measured.busy);
  if (machine_was_busy(s.measured))
    text += fmt::format(" and waited for a CPU for {:.0f} %", s.measured.waited);
  if (cpu != nullptr) text += fmt::format("; the target used at most {}", cpus_text(cpu->peak, cpus));
  return text + ".";
}

}  // namespace

void tell_limit(const Result& result, Summary& s) {
  const Peaks all = peaks_of(result, [](const Interval&) { return true; });
  const Calm calm = calm_of(result, all);
  s.limit = sentence(result, s, calm);
  if (calm.peaks.rate > 0)
    s.capacity.push_back({"Highest rate", rate_text(calm.peaks.rate),
                          fmt::format("over {}, p99 {}{}", seconds_text(calm.peaks.rate_seconds),
                                      p99_text(calm.peaks), calm.faults ? ", outside of faults" : "")});
  for (const TargetCpu& cpu : s.cpu) {
    s.capacity.push_back(
        {s.cpu.size() > 1 ? "CPU of " + cpu.target : "Target CPU",
         cpus_text(cpu.mean, result.environment.cpus),
         fmt::format("on average, {:.2f} at the highest{}", cpu.peak,
                     cpu.processes > 1 ? fmt::format("; {:.0f} processes", cpu.processes) : "")});
    if (s.cpu.size() == 1 && s.sent > 0 && cpu.seconds > 0)
      s.capacity.push_back(
          {"CPU a request",
           duration_text(Nanos(static_cast<std::int64_t>(1e9 * cpu.seconds / static_cast<double>(s.sent)))),
           "of the target"});
  }
  const bool ran = s.measured.requests() > 0 || !result.intervals.empty();
  if (!ran)
    s.capacity.push_back({"Generator", "–", "it had nothing to do"});
  else
    s.capacity.push_back(
        {"Generator", fmt::format("{:.0f} % busy", s.measured.busy),
         fmt::format("its busiest thread; it waited for a CPU for {:.0f} % of the time", s.measured.waited)});
  const Hdr& lag = s.measured.lag;
  s.capacity.push_back(
      {"Send lag", lag.count() > 0 ? duration_text(lag.percentile(99)) : "–",
       lag.count() > 0 ? fmt::format("p99; p50 {}", duration_text(lag.percentile(50))) : "nothing was due"});
  if (all.connections == 0)
    s.capacity.push_back({"Connections", "–", "none was made"});
  else
    s.capacity.push_back({"Connections", count_text(all.connections),
                          fmt::format("at the most, {} in flight, {} waiting", count_text(all.in_flight),
                                      count_text(all.waiting))});
  if (s.bytes > 0) s.capacity.push_back({"Replies", bytes_text(static_cast<double>(s.bytes)), "of bodies"});
}

}  // namespace prove
