// The text of a campaign file.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <iterator>

#include "prove/import/draft.h"

namespace prove::import {
namespace {

constexpr std::int64_t kMostPhase = 600'000;  // ms
constexpr std::size_t kMostRemarks = 50;

// A JSON text is a YAML text in double quotes.
std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::value(text));
}

// In a comment: one line, whatever the source says.
std::string on_one_line(std::string_view text) {
  constexpr std::size_t kLongest = 300;
  std::string out;
  for (const char c : text.substr(0, kLongest))
    out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  // Not in the middle of a character.
  if (text.size() > kLongest)
    while (!out.empty() && static_cast<unsigned char>(out.back()) >= 0x80) out.pop_back();
  return out;
}

void write_head(std::string& out, const Draft& draft, const Cover& cover, const std::string& name) {
  out += fmt::format("# A first campaign, made by `sekisho prove import` from {}, {}: {} requests.\n",
                     on_one_line(name), on_one_line(draft.source), draft.steps());
  out += "# Read it before it runs: is each target yours, and may each request be sent again and again?\n";
  if (!cover.names().empty())
    out += "#\n# Secrets are left out. Give them by --set NAME=VALUE or in the environment:\n";
  for (const auto& [variable, what] : cover.names())
    out += what == variable ? fmt::format("#   {}\n", variable)
                            : fmt::format("#   {} ({})\n", variable, on_one_line(what));
  if (!draft.remarks.empty()) out += "#\n# Not carried:\n";
  for (std::size_t i = 0; i < std::min(draft.remarks.size(), kMostRemarks); ++i)
    out += fmt::format("# - {}\n", on_one_line(draft.remarks[i]));
  if (draft.remarks.size() > kMostRemarks)
    out += fmt::format("# - and {} things more\n", draft.remarks.size() - kMostRemarks);
}

void write_step(std::string& out, const DraftStep& step, bool names_target) {
  for (const std::string& remark : step.remarks) out += fmt::format("      # {}\n", on_one_line(remark));
  constexpr std::array<std::string_view, 6> kKeys = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  std::string key(step.method);
  std::ranges::transform(key, key.begin(), [](char c) { return static_cast<char>(c + 32); });
  if (std::ranges::find(kKeys, step.method) != kKeys.end())
    out += fmt::format("      - {}: {}\n", key, quoted(step.path));
  else
    out += fmt::format("      - method: {}\n        path: {}\n", step.method, quoted(step.path));
  if (names_target) out += fmt::format("        target: {}\n", quoted(step.target));
  if (!step.headers.empty()) out += "        headers:\n";
  for (const auto& [name, value] : step.headers)
    out += fmt::format("          {}: {}\n", quoted(name), quoted(value));
  if (!step.body.empty()) out += fmt::format("        body: {}\n", quoted(step.body));
  if (!step.expect.empty()) out += fmt::format("        expect: {}\n", step.expect);
  if (step.think_ms > 0) out += fmt::format("        think: {}ms\n", step.think_ms);
}

}  // namespace

std::string write_campaign(const Draft& draft, const Cover& cover, const std::string& name) {
  std::string out;
  write_head(out, draft, cover, name);
  out += "\ntargets:\n";
  for (std::size_t i = 0; i < draft.targets.size(); ++i)
    out += fmt::format("  {}: \"${{TARGET{}:-{}}}\"\n", quoted(draft.targets[i].first),
                       i == 0 ? "" : fmt::format("_{}", i + 1), draft.targets[i].second);
  out += "\nscenarios:\n";
  std::int64_t longest = 0;  // of a journey, in which he only thinks
  for (const DraftScenario& scenario : draft.scenarios) {
    if (scenario.steps.empty()) continue;
    out += fmt::format("  {}:\n    steps:\n", quoted(scenario.name));
    std::int64_t thinks = 0;
    for (const DraftStep& step : scenario.steps) {
      write_step(out, step, draft.targets.size() > 1);
      thinks += step.think_ms;
    }
    longest = std::max(longest, thinks);
  }
  // Long enough for each user's journey, and for the last one's to end.
  const std::int64_t phase = std::clamp<std::int64_t>(2 * longest, 5'000, kMostPhase);
  out += fmt::format(
      "\nphases:\n"
      "  - {{ name: one, duration: {}ms, users: 1 }}\n"
      "  - {{ name: some, duration: {}ms, users: 3 }}\n"
      "grace: {}ms\n"
      "\nguardrails:\n"
      "  - success == 100%\n",
      phase, 2 * phase, std::min<std::int64_t>(longest + 5'000, 3'600'000));
  return out;
}

}  // namespace prove::import
