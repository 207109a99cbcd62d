// Rules on the timeline, the checks and the whole.
#include "prove/load/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "config/error.h"
#include "config/values.h"
#include "prove/load/reading.h"
#include "prove/model/early.h"
#include "prove/model/expression.h"

namespace prove::rules {
namespace {

Millis scaled(Millis duration, double scale) {
  if (duration.count() == 0) return duration;
  return Millis(std::max<Millis::rep>(1, std::llround(static_cast<double>(duration.count()) * scale)));
}

// Fails at `key` of the item at `index` of the list that is `list` in the file.
[[noreturn]] void fail_in(Reader& reader, const YamlNode& root, std::string_view list, std::size_t index,
                          std::string_view key, std::string_view message) {
  const YamlNode& node = root.find(list)->value;
  const Reader::Step outer(reader, list);
  const Reader::Step inner(reader, index);
  const YamlNode& item = node.kind == YamlNode::Kind::kList ? node.items[index] : node;
  if (item.kind != YamlNode::Kind::kMap) reader.fail(item.line, message);
  reader.fail_at(item, key, message);
}

void check_timeline(Reader& reader, const YamlNode& node, const Campaign& campaign) {
  Millis end{0};
  for (const Phase& phase : campaign.phases) end += phase.duration;
  const std::string last = fmt::format("the campaign ends after {}", config::Duration::show(end));
  if (std::ranges::all_of(campaign.phases, &Phase::warm_up))
    fail_in(reader, node, "phases", 0, "warm_up", "leaves nothing to measure: every phase is a warm-up");
  for (std::size_t i = 0; i < campaign.faults.size(); ++i) {
    const Fault& fault = campaign.faults[i];
    if (fault.at > end) fail_in(reader, node, "faults", i, "at", "lies beyond the end: " + last);
    if (fault.at + fault.duration > end)
      fail_in(reader, node, "faults", i, "for", "reaches beyond the end: " + last);
  }
  const Reader::Step windows(reader, "windows");
  for (const Window& window : campaign.windows) {
    const YamlNode& value = node.find("windows")->value.find(window.name)->value;
    const Reader::Step step(reader, window.name);
    if (window.to <= window.from) reader.fail_at(value, "to", "must lie behind 'from'");
    if (window.to > end) reader.fail_at(value, "to", "lies beyond the end: " + last);
    for (const Fault& fault : campaign.faults)
      if (fault.name == window.name)
        reader.fail(window.line, fmt::format("is also the name of the fault in line {}", fault.line));
  }
}

// What is wrong with a check's step or tag, or with that of a measure in it; "": nothing.
std::string wrong_steps(const Campaign& campaign, const Check& check) {
  std::string wrong;
  each_measure(check.text, campaign.define, [&](const Measure& m) {
    const Scope scope = scope_of(m, scope_of(check));
    if (!wrong.empty() || (scope.step.empty() && scope.tag.empty())) return;
    const bool by_tag = scope.step.empty();
    const std::string& name = by_tag ? scope.tag : scope.step;
    if (!scope.step.empty() && !scope.tag.empty()) {
      wrong = "a step and a tag at a time are one too many";
      return;
    }
    if (!has_steps(m)) {
      wrong = fmt::format("'{}' has no meaning for a {}", m.text, by_tag ? "tag" : "step");
      return;
    }
    std::vector<std::string_view> known;
    for (const Scenario& scenario : campaign.scenarios) {
      if (!scope.scenario.empty() && scenario.name != scope.scenario) continue;
      for (const Step& step : scenario.steps)
        if (by_tag)
          known.insert(known.end(), step.tags.begin(), step.tags.end());
        else
          known.emplace_back(step.name);
    }
    if (std::ranges::find(known, name) != known.end()) return;
    const std::string where = scope.scenario.empty() ? "" : fmt::format(" in scenario '{}'", scope.scenario);
    wrong = fmt::format("there is no {} '{}'{}{}", by_tag ? "step with the tag" : "step", name, where,
                        config::did_you_mean(name, known));
  });
  return wrong;
}

// Which key of a check a complaint about its measures is about.
std::string_view key_of_steps(const Check& check) {
  return !check.step.empty() ? "step" : !check.tag.empty() ? "tag" : "check";
}

void check_goals(Reader& reader, const YamlNode& root, std::string_view list, const Campaign& campaign,
                 const std::vector<Check>& checks) {
  for (std::size_t i = 0; i < checks.size(); ++i) {
    const Check& check = checks[i];
    if (!check.step.empty() && !check.tag.empty())
      fail_in(reader, root, list, i, "tag", "stands beside 'step'; give one of them");
    if (const std::string wrong = wrong_steps(campaign, check); !wrong.empty())
      fail_in(reader, root, list, i, key_of_steps(check), wrong);
    if (!check.abort && check.after.count() > 0)
      fail_in(reader, root, list, i, "after", "needs 'abort: true'");
    if (check.abort && list == "requires")
      fail_in(reader, root, list, i, "abort", "needs a guardrail: what is required is told at the end");
    if (const std::string late = told_late(check.text, campaign.define); check.abort && !late.empty())
      fail_in(reader, root, list, i, "abort", late);
  }
}

void scale(Campaign& campaign) {
  const double by = campaign.time_scale;
  if (by == 1) return;
  for (Phase& phase : campaign.phases) {
    phase.duration = scaled(phase.duration, by);
    if (phase.ramp) phase.ramp = std::min(scaled(*phase.ramp, by), phase.duration);
  }
  Millis end{0};  // rounding may have moved it
  for (const Phase& phase : campaign.phases) end += phase.duration;
  for (Fault& fault : campaign.faults) {
    const bool lasts = fault.duration.count() > 0;  // what lasts is undone, and must not cease to be
    fault.at = std::min(scaled(fault.at, by), lasts ? end - Millis(1) : end);
    fault.duration = std::min(scaled(fault.duration, by), end - fault.at);
  }
  for (Check& check : campaign.guardrails) check.after = scaled(check.after, by);
  for (Window& window : campaign.windows) {
    window.from = std::min(scaled(window.from, by), end - Millis(1));
    window.to = std::clamp(scaled(window.to, by), window.from + Millis(1), end);
  }
}

Check finished(const YamlNode& node, Check&& check) {
  check.line = node.line;
  if (check.name.empty()) check.name = check.text;
  return std::move(check);
}

}  // namespace

void check_phase(Reader& reader, const YamlNode& node, Phase& phase) {
  reader.exactly_one(node, std::array<std::string_view, 2>{"rate", "users"});
  const bool range =
      phase.rate ? phase.rate->first != phase.rate->second : phase.users->first != phase.users->second;
  if (phase.users && phase.users->first == 0 && phase.users->second == 0)
    reader.fail_at(node, "users", "must be at least 1");
  if (phase.ramp && !range)
    reader.fail_at(node, "ramp",
                   fmt::format("needs a range, such as '{}: 0..50'", phase.rate ? "rate" : "users"));
  if (phase.ramp && *phase.ramp > phase.duration) reader.fail_at(node, "ramp", "is longer than the phase");
  if (phase.users && node.find("arrivals") != nullptr) reader.fail_at(node, "arrivals", "needs 'rate'");
}

void place_phase(Reader& reader, const YamlNode& node, Phase&& phase, Campaign& campaign) {
  phase.line = node.line;
  for (const Phase& other : campaign.phases)
    if (other.name == phase.name)
      reader.fail_at(node, "name",
                     fmt::format("'{}' is also the name of the phase in line {}", phase.name, other.line));
  campaign.phases.push_back(std::move(phase));
}

void place_window(Reader&, const Entry& entry, Window&& window, Campaign& campaign) {
  window.name = entry.name;
  window.line = entry.line;
  campaign.windows.push_back(std::move(window));
}

void place_guardrail(Reader&, const YamlNode& node, Check&& check, Campaign& campaign) {
  campaign.guardrails.push_back(finished(node, std::move(check)));
}

void place_require(Reader&, const YamlNode& node, Check&& check, Campaign& campaign) {
  campaign.require.push_back(finished(node, std::move(check)));
}

void check_campaign(Reader& reader, const YamlNode& node, Campaign& campaign) {
  for (const std::string_view key : {"targets", "scenarios"})
    if (node.find(key)->value.entries.empty()) reader.fail_at(node, key, "is empty");
  Reading::of(reader).finish_names();
  check_goals(reader, node, "guardrails", campaign, campaign.guardrails);
  check_goals(reader, node, "requires", campaign, campaign.require);
  check_timeline(reader, node, campaign);
  for (Scenario& scenario : campaign.scenarios)
    for (Step& step : scenario.steps)
      if (step.target.empty()) step.target = campaign.targets.front().name;
  scale(campaign);
}

}  // namespace prove::rules
