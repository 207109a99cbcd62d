#include "prove/record/result.h"

#include <fmt/format.h>

#include <algorithm>

#include "prove/model/seconds.h"

namespace prove {

void OutcomeStats::add(const OutcomeStats& other) {
  count += other.count;
  bytes += other.bytes;
  response.add(other.response);
  service.add(other.service);
  first_byte.add(other.first_byte);
}

void Uploads::add(const Uploads& other) {
  bodies += other.bodies;
  whole += other.whole;
  overtaken += other.overtaken;
  bytes += other.bytes;
  sent += other.sent;
}

void StepStats::add(const StepStats& other) {
  for (std::size_t i = 0; i < kOutcomes; ++i) outcomes[i].add(other.outcomes[i]);
  for (std::size_t i = 0; i < reasons.size(); ++i) reasons[i] += other.reasons[i];
  for (const auto& [status, count] : other.statuses) statuses[status] += count;
  expected_denials += other.expected_denials;
  retries += other.retries;
  redirects += other.redirects;
  left_out += other.left_out;
  uploads.add(other.uploads);
}

void SegmentStats::add(const SegmentStats& other) {
  offered += other.offered;
  sent += other.sent;
  lag.add(other.lag);
  busy.insert(busy.end(), other.busy.begin(), other.busy.end());
  waited.insert(waited.end(), other.waited.begin(), other.waited.end());
  if (steps.size() < other.steps.size()) steps.resize(other.steps.size());
  for (std::size_t s = 0; s < other.steps.size(); ++s) {
    if (steps[s].size() < other.steps[s].size()) steps[s].resize(other.steps[s].size());
    for (std::size_t i = 0; i < other.steps[s].size(); ++i) steps[s][i].add(other.steps[s][i]);
  }
}

namespace {

// Adds up what each generator did for so many percent of so many seconds.
void add_shares(std::vector<double>& sums, const std::vector<double>& percents, double seconds) {
  if (sums.size() < percents.size()) sums.resize(percents.size());
  for (std::size_t g = 0; g < percents.size(); ++g) sums[g] += percents[g] * seconds;
}

}  // namespace

bool is_about(const Scope& scope, const ScenarioInfo& scenario, std::size_t step) {
  if (!scope.scenario.empty() && scenario.name != scope.scenario) return false;
  if (!scope.step.empty() && scenario.steps[step] != scope.step) return false;
  if (scope.tag.empty()) return true;
  return step < scenario.tags.size() &&
         std::ranges::find(scenario.tags[step], scope.tag) != scenario.tags[step].end();
}

Total total(const Result& result, const std::vector<std::size_t>& segments, std::string_view scenario,
            std::string_view step) {
  return total(
      result, segments,
      Scope{.scenario = std::string(scenario), .phase = {}, .window = {}, .step = std::string(step)});
}

Total total(const Result& result, const std::vector<std::size_t>& segments, const Scope& steps) {
  Total sum;
  std::vector<double> busy, waited;
  for (const std::size_t index : segments) {
    const SegmentStats& segment = result.segments[index];
    const double seconds = seconds_of(result.timeline[index].to - result.timeline[index].from);
    sum.seconds += seconds;
    sum.offered += segment.offered;
    sum.sent += segment.sent;
    sum.lag.add(segment.lag);
    add_shares(busy, segment.busy, seconds);
    add_shares(waited, segment.waited, seconds);
    for (std::size_t s = 0; s < segment.steps.size(); ++s) {
      for (std::size_t i = 0; i < segment.steps[s].size(); ++i) {
        if (!is_about(steps, result.scenarios[s], i)) continue;
        const StepStats& cell = segment.steps[s][i];
        sum.stats.add(cell);
        if (cell.expects_limits())
          sum.expected_limits.add(cell.outcomes[static_cast<std::size_t>(Outcome::kLimited)]);
      }
    }
  }
  if (!busy.empty() && sum.seconds > 0) sum.busy = std::ranges::max(busy) / sum.seconds;
  if (!waited.empty() && sum.seconds > 0) sum.waited = std::ranges::max(waited) / sum.seconds;
  return sum;
}

bool machine_was_busy(const Total& total) {
  constexpr double kWaited = 1, kOwn = 60;  // percent; at 60 it is busy by itself, and waits for that
  return total.waited > kWaited && total.busy < kOwn;
}

std::string generator_text(const Total& total) {
  return fmt::format("its thread waited for a CPU for {:.0f} % of the time and used {:.0f} %", total.waited,
                     total.busy);
}

Hdr latency_of_sent(const StepStats& stats, Hdr OutcomeStats::* which) {
  Hdr all;
  for (std::size_t i = 0; i < kOutcomes; ++i)
    if (static_cast<Outcome>(i) != Outcome::kSkipped) all.add(stats.outcomes[i].*which);
  return all;
}

Hdr latency_of_met(const Total& total, Hdr OutcomeStats::* which) {
  Hdr met;
  met.add(total.expected_limits.*which);
  for (const Outcome o : {Outcome::kOk, Outcome::kDenied})
    met.add(total.stats.outcomes[static_cast<std::size_t>(o)].*which);
  return met;
}

Hdr latency_of_failed(const Result& result, const std::vector<std::size_t>& segments, const Scope& steps,
                      Hdr OutcomeStats::* which) {
  Hdr failed;
  for (const std::size_t index : segments)
    for (std::size_t s = 0; s < result.segments[index].steps.size(); ++s)
      for (std::size_t i = 0; i < result.segments[index].steps[s].size(); ++i) {
        if (!is_about(steps, result.scenarios[s], i)) continue;
        const StepStats& cell = result.segments[index].steps[s][i];
        for (const Outcome o : {Outcome::kFailed, Outcome::kTimedOut, Outcome::kLimited})
          if (o != Outcome::kLimited || !cell.expects_limits())
            failed.add(cell.outcomes[static_cast<std::size_t>(o)].*which);
      }
  return failed;
}

}  // namespace prove
