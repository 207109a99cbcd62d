#include "prove/report_limit.h"

#include <fmt/format.h>

#include <algorithm>

#include "prove/figures.h"

namespace prove {
namespace {

// From where on a figure is told as the limit. A report's judgement, no verdict's: that has its own, configurable.
constexpr double kBusyGenerator = 90;  // percent of one thread
constexpr Nanos kLateGenerator{10'000'000};
constexpr double kBusyTarget = 0.9;  // of the machine's CPUs
constexpr double kErrors = 1;        // percent of the requests
constexpr double kWaitShare = 2;     // response p99 as a multiple of service p99

struct Peaks {  // over the intervals outside warm-up
  std::uint64_t waiting = 0, connections = 0, in_flight = 0;
  double rate = 0, rate_seconds = 0;
  Nanos rate_p99{0};
};

std::uint64_t ended(const Interval& row) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < kOutcomes; ++i)
    if (static_cast<Outcome>(i) != Outcome::kSkipped) n += row.outcomes[i];
  return n;
}

Peaks peaks_of(const Result& result) {
  Peaks peaks;
  double longest = 0;
  for (const Interval& row : result.intervals) longest = std::max(longest, row.seconds);
  for (const Interval& row : result.intervals) {
    const double middle = row.at - (row.seconds / 2);
    const auto phase = std::ranges::find_if(
        result.phases, [&](const PhaseInfo& p) { return middle >= p.from && middle < p.to; });
    if (phase == result.phases.end() || phase->warm_up) continue;
    peaks.waiting = std::max(peaks.waiting, row.waiting);
    peaks.connections = std::max(peaks.connections, row.connections);
    peaks.in_flight = std::max(peaks.in_flight, row.in_flight);
    if (row.seconds < longest / 2) continue;  // a remainder makes no rate
    const double rate = static_cast<double>(ended(row)) / row.seconds;
    if (rate > peaks.rate) {
      peaks.rate = rate;
      peaks.rate_seconds = row.seconds;
      peaks.rate_p99 = row.p99;
    }
  }
  return peaks;
}

const TargetCpu* busiest(const Summary& s) {
  const auto most = std::ranges::max_element(s.cpu, {}, &TargetCpu::peak);
  return most == s.cpu.end() ? nullptr : &*most;
}

std::string cpus_text(double used, std::uint64_t cpus) {
  return cpus > 0 ? fmt::format("{:.2f} of {} CPUs", used, cpus) : fmt::format("{:.2f} CPUs", used);
}

double error_share(const Summary& s) {
  const auto& o = s.measured.stats.outcomes;
  const std::uint64_t bad = o[static_cast<std::size_t>(Outcome::kFailed)].count +
                            o[static_cast<std::size_t>(Outcome::kTimedOut)].count;
  return s.sent > 0 ? 100.0 * static_cast<double>(bad) / static_cast<double>(s.sent) : 0;
}

std::string sentence(const Result& result, const Summary& s, const Peaks& peaks) {
  if (s.measured.requests() == 0) return "Nothing was measured.";
  const Nanos lag = s.measured.lag.percentile(99);
  const Nanos response = s.response.percentile(99), service = s.service.percentile(99);
  const TargetCpu* cpu = busiest(s);
  const std::uint64_t cpus = result.environment.cpus;
  if (s.measured.busy > kBusyGenerator || lag > kLateGenerator)
    return fmt::format(
        "The load generator was the limit, not the target: its busiest thread spent {} of its time on a CPU "
        "and "
        "took up arrivals {} late (p99).",
        percent_text(s.measured.busy), duration_text(lag));
  if (error_share(s) > kErrors)
    return fmt::format("Errors were the limit: {} of the requests failed or timed out ({}).",
                       percent_text(error_share(s)), reasons_text(s.measured.stats));
  if (cpu != nullptr && cpus > 0 && cpu->peak > kBusyTarget * static_cast<double>(cpus))
    return fmt::format("The CPU was the limit: the target {} used up to {}.", cpu->target,
                       cpus_text(cpu->peak, cpus));
  if (peaks.waiting > 0 && service.count() > 0 &&
      static_cast<double>(response.count()) > kWaitShare * static_cast<double>(service.count()))
    return fmt::format(
        "Connections were the limit: up to {} arrivals waited for a free one, so that p99 was {} from the "
        "intended "
        "start and {} from the first byte sent.",
        count_text(peaks.waiting), duration_text(response), duration_text(service));
  std::string text = fmt::format("No limit was reached: at the highest rate, {}, p99 was {}",
                                 rate_text(peaks.rate), duration_text(peaks.rate_p99));
  if (s.measured.busy > 0) text += fmt::format("; the generator was {:.0f} % busy", s.measured.busy);
  if (cpu != nullptr) text += fmt::format("; the target used at most {}", cpus_text(cpu->peak, cpus));
  return text + ".";
}

}  // namespace

void tell_limit(const Result& result, Summary& s) {
  const Peaks peaks = peaks_of(result);
  s.limit = sentence(result, s, peaks);
  if (peaks.rate > 0)
    s.capacity.push_back(
        {"Highest rate", rate_text(peaks.rate),
         fmt::format("over {}, p99 {}", seconds_text(peaks.rate_seconds), duration_text(peaks.rate_p99))});
  for (const TargetCpu& cpu : s.cpu) {
    s.capacity.push_back({s.cpu.size() > 1 ? "CPU of " + cpu.target : "Target CPU",
                          cpus_text(cpu.mean, result.environment.cpus),
                          fmt::format("on average, {:.2f} at the highest", cpu.peak)});
    if (s.cpu.size() == 1 && s.sent > 0)
      s.capacity.push_back(
          {"CPU a request",
           duration_text(Nanos(static_cast<std::int64_t>(1e9 * cpu.seconds / static_cast<double>(s.sent)))),
           "of the target"});
  }
  s.capacity.push_back({"Generator", fmt::format("{:.0f} % busy", s.measured.busy), "its busiest thread"});
  s.capacity.push_back({"Send lag", duration_text(s.measured.lag.percentile(99)),
                        fmt::format("p99; p50 {}", duration_text(s.measured.lag.percentile(50)))});
  s.capacity.push_back({"Connections", count_text(peaks.connections),
                        fmt::format("at the most, {} in flight, {} waiting", count_text(peaks.in_flight),
                                    count_text(peaks.waiting))});
  if (s.bytes > 0) s.capacity.push_back({"Replies", bytes_text(static_cast<double>(s.bytes)), "of bodies"});
}

}  // namespace prove
