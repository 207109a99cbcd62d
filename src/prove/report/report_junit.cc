#include "prove/report/report_junit.h"

#include <fmt/format.h>

#include "prove/record/markup.h"
#include "prove/report/report_summary.h"

namespace prove {
namespace {

std::string_view kind_of(CheckResult::Kind kind) {
  return kind == CheckResult::Kind::kGuardrail ? "guardrail"
         : kind == CheckResult::Kind::kRequire ? "require"
                                               : "validity";
}

// A broken condition of validity says nothing about the target, so it is an error and no failure.
enum class Sort { kPassed, kFailure, kError };
Sort sort_of(const CheckResult& check) {
  if (check.state == CheckResult::State::kHeld) return Sort::kPassed;
  return check.state == CheckResult::State::kBroken && check.kind == CheckResult::Kind::kGuardrail
             ? Sort::kFailure
             : Sort::kError;
}

}  // namespace

std::string junit_report(const Result& result) {
  std::string cases;
  std::size_t tests = 0, failures = 0, errors = 0;
  const auto add = [&](std::string_view kind, const std::string& name, Sort sort, const std::string& message,
                       const std::string& text) {
    ++tests;
    failures += sort == Sort::kFailure ? 1 : 0;
    errors += sort == Sort::kError ? 1 : 0;
    cases += fmt::format("    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3f}\"", html(result.name),
                         kind, html(name), result.ended_at);
    if (sort == Sort::kPassed) {
      cases += "/>\n";
      return;
    }
    const std::string_view element = sort == Sort::kFailure ? "failure" : "error";
    cases += fmt::format(">\n      <{0} message=\"{1}\">{2}</{0}>\n    </testcase>\n", element, html(message),
                         html(text));
  };
  for (const CheckResult& check : result.checks) {
    const std::string scope = scope_text(check.scope);
    std::string text = check.check;
    if (check.line > 0) text += fmt::format("\n{}:{}", result.file, check.line);
    if (!check.why.empty()) text += "\n" + check.why;
    const std::string message =
        check.measured.empty() ? (check.why.empty() ? "unknown" : check.why) : "measured " + check.measured;
    add(kind_of(check.kind), scope.empty() ? check.name : check.name + " (" + scope + ")", sort_of(check),
        message, text);
  }
  if (result.interrupted) add("run", "ran to its end", Sort::kError, "interrupted", "interrupted");
  for (const Happening& h : result.happenings)
    if (h.bad) add("run", h.text, Sort::kError, h.text, fmt::format("at {:.1f} s", h.at));
  // A verdict must never look better here than it is.
  if (result.verdict != Verdict::kPass && failures + errors == 0)
    add("run", "verdict", result.verdict == Verdict::kFail ? Sort::kFailure : Sort::kError,
        std::string(name_of(result.verdict)), std::string(name_of(result.verdict)));
  const std::string& started = result.environment.started;
  const std::string begun = started.empty() ? "" : " timestamp=\"" + html(started) + "\"";
  const auto property = [](std::string_view name, const std::string& value) {
    return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, html(value));
  };
  std::string properties = property("retries", std::to_string(summarize(result).measured.stats.retries));
  for (const std::string& warning : result.warnings) properties += property("warning", warning);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" "
      "failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{:.3f}\"{}>\n    <properties>\n{}   "
      " </properties>\n{}  "
      "</testsuite>\n"
      "</testsuites>\n",
      html(result.name), tests, failures, errors, result.ended_at, begun, properties, cases);
}

}  // namespace prove
