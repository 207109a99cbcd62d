#include "prove/report/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "prove/record/markup.h"
#include "prove/report/figures.h"
#include "prove/report/report_summary.h"

namespace prove {
namespace {

constexpr std::size_t kSamplesShown = 3;

std::string latency_line(std::string_view name, const Hdr& of) {
  if (of.count() == 0) return fmt::format("  {:<10} –\n", name);
  return fmt::format("  {:<10} p50 {}  p95 {}  p99 {}  p99.9 {}  max {}\n", name,
                     duration_text(of.percentile(50)), duration_text(of.percentile(95)),
                     duration_text(of.percentile(99)), duration_text(of.percentile(99.9)),
                     duration_text(of.max()));
}

std::string_view mark(const CheckResult& check) {
  switch (check.state) {
    case CheckResult::State::kHeld:
      return "held   ";
    case CheckResult::State::kBroken:
      return "BROKEN ";
    case CheckResult::State::kUnknown:
      return "UNKNOWN";
  }
  return "";
}

std::string check_line(const CheckResult& check) {
  std::string line = fmt::format("  {}  {}", mark(check), one_line(check.name));
  const std::string scope = scope_text(check.scope);
  if (!scope.empty()) line += " (" + one_line(scope) + ")";
  if (!check.measured.empty()) line += ": " + check.measured;
  if (check.state != CheckResult::State::kHeld && !check.why.empty()) line += " – " + one_line(check.why);
  return line + "\n";
}

std::string lines_of(std::string_view bytes, std::string_view before) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.append(before).append(one_line(line)).append("\n");
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return out;
}

}  // namespace

std::string text_summary(const Result& result) {
  const Summary s = summarize(result);
  std::string out = fmt::format("{} {}", name_of(result.verdict), one_line(result.name));
  if (result.environment.time_scale != 1)
    out += fmt::format(", time scaled by {}", result.environment.time_scale);
  out += "\n";
  for (const CheckResult& check : result.checks)
    if (check.kind != CheckResult::Kind::kValidity) out += check_line(check);
  for (const CheckResult& check : result.checks)
    if (check.kind == CheckResult::Kind::kValidity && check.state != CheckResult::State::kHeld)
      out += check_line(check);
  if (s.measured.requests() == 0)
    out += "  no requests";
  else
    out += fmt::format("  {} requests, {}", count_text(s.sent),
                       s.seconds > 0 ? rate_text(s.achieved_rate) : "–");
  if (s.kept) out += " (" + offered_text(s) + ")";
  for (std::size_t i = 0; i < kOutcomes; ++i)
    if (const std::uint64_t n = s.measured.stats.outcomes[i].count)
      out += fmt::format(", {} {}", outcome_text(static_cast<Outcome>(i)), count_text(n));
  out += "\n";
  if (const std::string reasons = reasons_text(s.measured.stats); !reasons.empty())
    out += "  reasons: " + reasons + "\n";
  if (const std::string retries = retries_text(s.measured.stats); !retries.empty())
    out += "  " + retries + "\n";
  if (const std::string turns = turns_text(s.measured.stats); !turns.empty()) out += "  " + turns + "\n";
  std::set<std::tuple<std::string_view, std::string_view, Reason>> kinds;
  for (const Sample& sample : result.samples)  // the first of each kind
    if (kinds.emplace(sample.scenario, sample.step, sample.reason).second && kinds.size() <= kSamplesShown)
      out += "  failed: " + one_line(sample_text(sample)) + "\n";
  if (kinds.size() > kSamplesShown)
    out += fmt::format("  {} more kinds of failures are in the report\n", kinds.size() - kSamplesShown);
  for (const std::string& warning : result.warnings) out += "  WARNING  " + one_line(warning) + "\n";
  if (s.sent > 0) out += latency_line("response", s.response) + latency_line("service", s.service);
  if (!s.limit.empty()) out += "  " + s.limit + "\n";
  for (const Happening& happening : result.happenings)
    out += fmt::format("  {:>8}  {}\n", clock_text(happening.at), one_line(happening.text));
  return out;
}

std::string debug_text(const Result& result) {
  std::string out;
  for (const ScenarioInfo& scenario : result.scenarios) {
    out += one_line(scenario.name) + "\n";
    for (const std::string& step : scenario.steps) {
      const auto sample = std::ranges::find_if(
          result.samples, [&](const Sample& s) { return s.scenario == scenario.name && s.step == step; });
      if (sample == result.samples.end()) {
        out += fmt::format("  {}: not sent\n", one_line(step));
        continue;
      }
      out += fmt::format("  {}: {}, {}\n", one_line(step), outcome_text(sample->outcome),
                         duration_text(sample->took));
      out += lines_of(sample->request, "    > ") + lines_of(sample->reply, "    < ");
      if (sample->cut) out += "    (there was more)\n";
      for (const auto& [name, value] : sample->captured)
        out += fmt::format("    captured {}: {}\n", one_line(name), one_line(value));
      out += "    expected " + one_line(sample->expected) + "\n";
      if (!sample->why.empty()) out += "    BROKEN   " + one_line(sample->why) + "\n";
    }
  }
  for (const Happening& happening : result.happenings) out += fmt::format("  {}\n", one_line(happening.text));
  return out;
}

void say(std::FILE* out, const std::string& text) {
  std::fputs(text.c_str(), out);
  std::fflush(out);
}

}  // namespace prove
