#include "prove/report/report_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "prove/model/seconds.h"
#include "prove/report/figures.h"
#include "prove/report/report_limit.h"

namespace prove {
namespace {

std::vector<Stretch> phases_of(const Result& result) {
  std::vector<Stretch> all;
  for (std::size_t p = 0; p < result.phases.size(); ++p) {
    const PhaseInfo& phase = result.phases[p];
    std::vector<std::size_t> inside;
    for (std::size_t i = 0; i < result.timeline.size(); ++i)
      if (result.timeline[i].phase == p) inside.push_back(i);
    all.push_back({.name = phase.name,
                   .from = phase.from,
                   .to = phase.to,
                   .kind = phase.warm_up ? Stretch::Kind::kWarmUp : Stretch::Kind::kPhase,
                   .load = phase.load,
                   .seconds = 0,
                   .total = total(result, inside),
                   .response = {},
                   .service = {}});
  }
  return all;
}

std::vector<Stretch> spans_of(const Result& result) {
  std::vector<Stretch> all;
  for (const Span& span : result.spans) {
    std::vector<std::size_t> inside;
    for (std::size_t i = 0; i < result.timeline.size(); ++i)
      if (result.timeline[i].from >= span.from && result.timeline[i].to <= span.to) inside.push_back(i);
    all.push_back({.name = span.name,
                   .from = seconds_of(span.from),
                   .to = seconds_of(span.to),
                   .kind = span.fault ? Stretch::Kind::kFault : Stretch::Kind::kWindow,
                   .load = {},
                   .seconds = 0,
                   .total = total(result, inside),
                   .response = {},
                   .service = {}});
  }
  return all;
}

// What was cut short did not last as long as its timeline says.
double lasted(const Result& result, double from, double to) {
  return std::max(
      0.0, (result.interrupted || !result.aborted.empty() ? std::min(to, result.ended_at) : to) - from);
}

bool measured_at(const Result& result, double at) {
  for (const PhaseInfo& phase : result.phases)
    if (at >= phase.from && at < phase.to) return !phase.warm_up;
  return false;
}

std::vector<TargetCpu> cpu_of(const Result& result) {
  std::vector<TargetCpu> all;
  for (const Series& series : result.series) {
    if (series.name != "process_cpu_seconds" || series.points.size() < 2) continue;
    TargetCpu cpu{.target = series.target};
    double measured = 0;
    for (std::size_t i = 1; i < series.points.size(); ++i) {
      const Point &a = series.points[i - 1], &b = series.points[i];
      const double seconds = b.at - a.at, used = b.value - a.value;
      if (!(seconds > 0 && used >= 0) || !measured_at(result, (a.at + b.at) / 2)) continue;  // < 0: restarted
      cpu.seconds += used;
      measured += seconds;
      cpu.peak = std::max(cpu.peak, used / seconds);
    }
    if (measured <= 0) continue;
    cpu.mean = cpu.seconds / measured;
    for (const Series& other : result.series)
      if (other.name == "process_count" && other.target == cpu.target)
        for (const Point& p : other.points) cpu.processes = std::max(cpu.processes, p.value);
    all.push_back(cpu);
  }
  return all;
}

// One line a reason: what broke the verdict first, then what is unknown.
std::vector<std::string> reasons_of(const Result& result) {
  std::vector<std::string> all;
  if (result.verdict == Verdict::kPass) return all;
  if (result.interrupted)
    all.push_back(fmt::format("Interrupted after {}; what was measured until then is reported.",
                              seconds_text(result.ended_at)));
  for (const CheckResult& by : result.aborted)
    all.push_back(fmt::format("Aborted after {}: {}; what was measured until then is reported.",
                              seconds_text(result.ended_at), by.name));
  for (const Happening& h : result.happenings)
    if (h.bad) all.push_back(fmt::format("At {}: {}", clock_text(h.at), h.text));
  const auto add = [&](auto&& wanted) {
    for (const CheckResult& check : result.checks) {
      if (check.state == CheckResult::State::kHeld || !wanted(check)) continue;
      const std::string scope = scope_text(check.scope);
      std::string line = check.name;
      if (!scope.empty()) line += " (" + scope + ")";
      if (!check.measured.empty()) line += ": " + check.measured;
      if (!check.why.empty()) line += (check.measured.empty() ? ": " : ". ") + check.why;
      all.push_back(line);
    }
  };
  const auto breaks = [](const CheckResult& c) {
    return c.kind == CheckResult::Kind::kGuardrail && c.state == CheckResult::State::kBroken;
  };
  add(breaks);  // what a reader asks for first, also where the load was not what it should have been
  add([&](const CheckResult& c) { return !breaks(c); });
  return all;
}

std::string most_frequent(std::vector<std::pair<std::string, std::uint64_t>> counts) {
  std::ranges::sort(counts, [](const auto& a, const auto& b) {
    return std::tie(b.second, a.first) < std::tie(a.second, b.first);
  });
  std::string text;
  for (const auto& [name, count] : counts) {
    if (!text.empty()) text += ", ";
    text += name + " " + count_text(count);
  }
  return text;
}

}  // namespace

std::optional<double> success_of(const StepStats& stats) {
  std::uint64_t all = 0;
  for (const OutcomeStats& o : stats.outcomes) all += o.count;
  if (all == 0) return std::nullopt;
  return 100.0 * static_cast<double>(stats.met()) / static_cast<double>(all);
}

Summary summarize(const Result& result) {
  Summary s;
  std::vector<std::size_t> measured;
  for (std::size_t i = 0; i < result.timeline.size(); ++i)
    if (!result.timeline[i].warm_up) measured.push_back(i);
  s.measured = total(result, measured);
  s.response = latency_of_sent(s.measured.stats, &OutcomeStats::response);
  s.service = latency_of_sent(s.measured.stats, &OutcomeStats::service);
  s.first_byte = latency_of_sent(s.measured.stats, &OutcomeStats::first_byte);
  s.skipped = s.measured.stats.outcomes[static_cast<std::size_t>(Outcome::kSkipped)].count;
  s.sent = s.measured.requests() - s.skipped;
  for (const OutcomeStats& o : s.measured.stats.outcomes) s.bytes += o.bytes;
  for (const PhaseInfo& phase : result.phases)
    if (!phase.warm_up) s.seconds += lasted(result, phase.from, phase.to);
  if (s.seconds > 0) {
    s.offered_rate = static_cast<double>(s.measured.offered) / s.seconds;
    s.achieved_rate = static_cast<double>(s.sent) / s.seconds;
  }
  s.journeys = std::ranges::any_of(result.scenarios,
                                   [](const ScenarioInfo& scenario) { return scenario.steps.size() > 1; });
  if (s.measured.offered > 0)
    s.kept = 100.0 * static_cast<double>(s.measured.sent) / static_cast<double>(s.measured.offered);
  s.success = success_of(s.measured.stats);
  s.phases = phases_of(result);
  s.spans = spans_of(result);
  for (std::vector<Stretch>* stretches : {&s.phases, &s.spans})
    for (Stretch& stretch : *stretches) {
      stretch.seconds = lasted(result, stretch.from, stretch.to);
      stretch.response = latency_of_sent(stretch.total.stats, &OutcomeStats::response);
      stretch.service = latency_of_sent(stretch.total.stats, &OutcomeStats::service);
    }
  s.cpu = cpu_of(result);
  s.reasons = reasons_of(result);
  tell_limit(result, s);
  return s;
}

std::string offered_text(const Summary& s) {
  if (s.measured.requests() == 0) return "nothing was due";
  if (!s.kept) return "closed model";
  return fmt::format("{} of {} {}/s sent in time", percent_text(*s.kept), number_text(s.offered_rate),
                     s.journeys ? "journeys" : "arrivals");
}

std::string scope_text(const Scope& scope) {
  std::string text;
  const auto add = [&](std::string_view before, const std::string& name) {
    if (name.empty()) return;
    if (!text.empty()) text += ", ";
    text += before;
    text += name;
  };
  add("scenario ", scope.scenario);
  add("step ", scope.step);
  add("tag ", scope.tag);
  add("phase ", scope.phase);
  const bool said = scope.window.starts_with("before ") || scope.window.starts_with("after ");
  add(said ? "" : "during ", scope.window);
  return text;
}

std::string_view state_text(CheckResult::State state) {
  return state == CheckResult::State::kHeld     ? "held"
         : state == CheckResult::State::kBroken ? "broken"
                                                : "unknown";
}

std::string outcome_text(Outcome outcome) {
  std::string text(kOutcomeNames[static_cast<std::size_t>(outcome)]);
  std::ranges::replace(text, '_', ' ');
  return text;
}

std::string reasons_text(const StepStats& stats) {
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  for (std::size_t i = 1; i < stats.reasons.size(); ++i) {
    if (stats.reasons[i] == 0) continue;
    std::string name(kReasonNames[i]);
    std::ranges::replace(name, '_', ' ');
    counts.emplace_back(name, stats.reasons[i]);
  }
  return most_frequent(counts);
}

std::string retries_text(const StepStats& stats) {
  if (stats.retries == 0) return "";
  return fmt::format("{} sent again after their connection was lost (retries)",
                     stats.retries == 1 ? "1 request was" : count_text(stats.retries) + " requests were");
}

std::string turns_text(const StepStats& stats) {
  std::string text;
  if (stats.redirects > 0)
    text = stats.redirects == 1 ? "1 redirect was followed"
                                : count_text(stats.redirects) + " redirects were followed";
  if (stats.left_out == 0) return text;
  return text + fmt::format("{}{} a step was left out (if)", text.empty() ? "" : ", ",
                            stats.left_out == 1 ? "once" : count_text(stats.left_out) + " times");
}

std::string sample_text(const Sample& sample) {
  return fmt::format("{}{}: {}, {} after {}", sample.scenario == sample.step ? "" : sample.scenario + ", ",
                     sample.step, sample.why, clock_text(sample.at), duration_text(sample.took));
}

std::string statuses_text(const StepStats& stats) {
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  counts.reserve(stats.statuses.size());
  for (const auto& [status, count] : stats.statuses) counts.emplace_back(fmt::format("{} ×", status), count);
  return most_frequent(counts);
}

std::string labels_text(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "{" : ",", name, value);
  return text.empty() ? text : text + "}";
}

}  // namespace prove
