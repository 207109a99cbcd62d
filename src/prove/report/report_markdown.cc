#include "prove/report/report_markdown.h"

#include <fmt/format.h>

#include <algorithm>

#include "prove/record/markup.h"
#include "prove/report/figures.h"
#include "prove/report/report_summary.h"

namespace prove {
namespace {

constexpr std::size_t kSamplesShown = 12;  // of a comment on a pull request

std::string checks(const Result& result, bool guardrails) {
  std::string out;
  for (const CheckResult& check : result.checks) {
    if ((check.kind == CheckResult::Kind::kGuardrail) != guardrails) continue;
    const std::string_view sign = check.state == CheckResult::State::kHeld     ? "✅"
                                  : check.state == CheckResult::State::kBroken ? "❌"
                                                                               : "❔";
    std::string goal = markdown(check.name);
    if (check.name != check.check) goal += " (" + markdown(check.check) + ")";
    const std::string scope = scope_text(check.scope);
    out += fmt::format("| {} | {} | {} | {} | {} |\n", sign, goal,
                       markdown(check.measured.empty() ? "–" : check.measured),
                       markdown(scope.empty() ? "whole run" : scope), markdown(check.why));
  }
  return out.empty() ? out : "| | goal | measured | over | |\n|---|---|--:|---|---|\n" + out + "\n";
}

std::string latency(const Summary& s) {
  if (s.response.count() == 0) return "";
  std::string out = "| latency | p50 | p90 | p95 | p99 | p99.9 | max |\n|---|--:|--:|--:|--:|--:|--:|\n";
  const auto row = [&](std::string_view name, const Hdr& hdr) {
    out += fmt::format("| {} |", name);
    for (const double p : {50.0, 90.0, 95.0, 99.0, 99.9})
      out += fmt::format(" {} |", hdr.count() > 0 ? duration_text(hdr.percentile(p)) : "–");
    out += fmt::format(" {} |\n", hdr.count() > 0 ? duration_text(hdr.max()) : "–");
  };
  row("response, from the intended start", s.response);
  row("service", s.service);
  return out + "\n";
}

std::string outcomes(const Summary& s) {
  const std::uint64_t all = s.measured.requests();
  std::string out = "| outcome | requests | share | p50 | p99 |\n|---|--:|--:|--:|--:|\n";
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const OutcomeStats& o = s.measured.stats.outcomes[i];
    if (o.count == 0) continue;
    const bool timed = o.response.count() > 0;
    out += fmt::format("| {} | {} | {} | {} | {} |\n", outcome_text(static_cast<Outcome>(i)),
                       count_text(o.count),
                       percent_text(100.0 * static_cast<double>(o.count) / static_cast<double>(all)),
                       timed ? duration_text(o.response.percentile(50)) : "–",
                       timed ? duration_text(o.response.percentile(99)) : "–");
  }
  return all > 0 ? out + "\n" : "";
}

// As a block, in which nothing is markup; a fence longer than any in the text ends only where it should.
std::string block(const std::string& text, bool lines = false) {
  std::string fence = "```";
  while (text.contains(fence)) fence += '`';
  return fence + "\n" + (lines ? clean(text) : one_line(text)) + "\n" + fence + "\n";
}

std::string samples(const Result& result) {
  std::string out;
  for (std::size_t i = 0; i < std::min(kSamplesShown, result.samples.size()); ++i) {
    const Sample& sample = result.samples[i];
    out += fmt::format("<details><summary>{}</summary>\n\n", html(one_line(sample_text(sample))));
    if (!sample.request.empty()) out += block(sample.request, true) + "\n";
    if (!sample.reply.empty()) out += block(sample.reply, true) + "\n";
    out += "</details>\n";
  }
  if (out.empty()) return out;
  if (result.samples.size() > kSamplesShown)
    out += fmt::format("\n{} more are in result.json.\n", result.samples.size() - kSamplesShown);
  return "### What went wrong\n\nThe first requests of each kind, secrets masked.\n\n" + out + "\n";
}

}  // namespace

std::string markdown_report(const Result& result) {
  const Summary s = summarize(result);
  const std::string_view sign = result.verdict == Verdict::kPass   ? "✅"
                                : result.verdict == Verdict::kFail ? "❌"
                                                                   : "❔";
  std::string out = fmt::format("## {} {}: {}\n\n", sign, name_of(result.verdict), markdown(result.name));
  if (!result.text.empty()) out += markdown(result.text) + "\n\n";
  if (result.verdict == Verdict::kInvalid)
    out += "The run proves nothing, neither for nor against the target.\n\n";
  for (const std::string& reason : s.reasons) out += "- " + markdown(reason) + "\n";
  if (!s.reasons.empty()) out += "\n";
  for (const std::string& warning : result.warnings) out += "- ⚠️ " + markdown(warning) + "\n";
  if (!result.warnings.empty()) out += "\n";
  out += checks(result, true);

  if (s.measured.requests() > 0 && s.seconds > 0)
    out +=
        fmt::format("{} requests in {}, {} ({}), success {}.\n", count_text(s.sent), seconds_text(s.seconds),
                    rate_text(s.achieved_rate), offered_text(s), s.success ? percent_text(*s.success) : "–");
  out += markdown(s.limit) + "\n\n";
  if (const std::string retries = retries_text(s.measured.stats); !retries.empty())
    out += "**" + retries + ".**\n\n";
  if (const std::string turns = turns_text(s.measured.stats); !turns.empty()) out += turns + ".\n\n";
  out += latency(s) + outcomes(s);
  out += samples(result);
  if (const std::string conditions = checks(result, false); !conditions.empty())
    out += "<details><summary>Does the run prove anything?</summary>\n\n" + conditions + "</details>\n\n";

  const Environment& e = result.environment;
  out += fmt::format("<details><summary>Environment, and how to do it again</summary>\n\n{}",
                     e.command.empty() ? "" : block(e.command));
  const auto fact = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) out += fmt::format("\n- {}: {}", label, markdown(value));
  };
  fact("started", e.started);
  if (!result.file.empty()) fact("campaign", fmt::format("{}, hash {}", result.file, e.campaign_hash));
  fact("time scale", number_text(e.time_scale));
  fact("seed", std::to_string(e.seed));
  if (!e.version.empty()) fact("harness", fmt::format("sekisho {} ({}), {}", e.version, e.commit, e.build));
  fact("target", e.target_version);
  if (!e.machine.empty())
    fact("machine", fmt::format("{} × {}, {}, {} ({})", e.cpus, e.cpu,
                                bytes_text(static_cast<double>(e.memory)), e.kernel, e.machine));
  return out + "\n\n</details>\n";
}

}  // namespace prove
