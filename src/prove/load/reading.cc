#include "prove/load/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/error.h"
#include "prove/model/expression.h"
#include "prove/model/function.h"

namespace prove {
namespace {

constexpr std::array<std::string_view, 5> kBuiltIn = {"iteration", "user", "uuid", "random", "now"};
constexpr std::string_view kIndex = "index";
constexpr std::string_view kRawInVain =
    "has a '|raw', which is for the paths of steps: elsewhere values go out as they are";

bool is_built_in(std::string_view name) {
  return name == kIndex || std::ranges::find(kBuiltIn, name) != kBuiltIn.end();
}

template <class T>
std::vector<std::string_view> names_in(const std::vector<T>& list) {
  std::vector<std::string_view> out;
  out.reserve(list.size());
  for (const T& each : list) out.push_back(each.name);
  return out;
}

std::string_view word_of(Reading::Named what) {
  constexpr std::array<std::string_view, 7> kWords = {"target", "process",         "scenario", "phase",
                                                      "fault",  "window or fault", "proof"};
  return kWords[static_cast<std::size_t>(what)];
}

}  // namespace

void Reading::fail_at(const Spot& place, std::string_view message) const {
  throw config::ConfigError(file(), place.line, place.path, message);
}

Template Reading::compile(std::string_view text, int line, Where where, Place at) {
  auto compiled = Template::compile(text, campaign.slots);
  if (!compiled) fail(line, compiled.error());
  const std::vector<std::size_t> raw = compiled->raw_slots();
  if (!raw.empty() && at != Place::kTarget) fail(line, kRawInVain);
  const std::vector<std::size_t> escaped = compiled->escaped_slots();
  const auto begins = at == Place::kTarget ? compiled->begins_with_value() : std::nullopt;
  for (const std::size_t slot : compiled->slots()) {
    const std::string& name = campaign.slots.name(slot);
    const bool own = reply_is_there_ && captures_of_step_.contains(name);
    const bool captured = where == Where::kStep && (own || captures_.back().contains(name));
    const bool kept = std::ranges::find(escaped, slot) == escaped.end() &&
                      (at != Place::kTarget || std::ranges::find(raw, slot) != raw.end());
    Hole& hole =
        holes_.emplace_back(name, where, captures_.size(), captured, kept ? at : Place::kText, here(line));
    hole.begins = begins == slot;
    hole.alone = !text.substr(std::min(text.find("}}"), text.size())).starts_with("}}/");
  }
  return *std::move(compiled);
}

// Its names take no slots, since nothing of the load renders it.
void Reading::check_text(std::string_view text, int line, Where where) {
  Slots names;
  const auto compiled = Template::compile(text, names);
  if (!compiled) fail(line, compiled.error());
  if (!compiled->raw_slots().empty()) fail(line, kRawInVain);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool captured = in_setup() && captures_of_setup_.contains(names.name(i));
    holes_.push_back({names.name(i), where, captures_.size(), captured, Place::kText, here(line)});
  }
}

void Reading::refer(Named what, std::string_view name, int line) {
  references_.push_back({what, std::string(name), here(line)});
}

void Reading::expression(std::string_view text, int line) {
  expressions_.push_back({std::string(text), false, here(line)});
}

void Reading::definition(std::string_view name, int line) {
  expressions_.push_back({std::string(name), true, here(line)});
}

void Reading::sign_with(std::string_view target, int line) {
  signers_.push_back({Named::kTarget, std::string(target), here(line)});
}

void Reading::begin_scenario() {
  captures_.emplace_back();
}

// It has a slot also where no template asks for it, so that a report can tell whether it is a secret.
void Reading::capture(std::string_view name, int line) {
  campaign.slots.slot_of(name);
  captures_of_step_.emplace(name, here(line));
}

void Reading::end_step() {
  captures_.back().merge(captures_of_step_);
  captures_of_step_.clear();
}

void Reading::capture_for_all(std::string_view name, int line) {
  name_value("capture of the setup", name, line);
  captures_of_call_.emplace(name, here(line));
}

void Reading::end_call() {
  captures_of_setup_.merge(captures_of_call_);
  captures_of_call_.clear();
}

void Reading::name_value(std::string_view what, std::string_view name, int line) {
  if (is_built_in(name)) fail(line, fmt::format("is a name that templates have already: {{{{{}}}}}", name));
  const auto [first, fresh] = values_.emplace(name, ValueAt{std::string(what), line});
  if (!fresh)
    fail(line, fmt::format("is also the name of a {}, in line {}", first->second.what, first->second.line));
}

void Reading::finish_names() {
  for (const Reference& reference : references_) finish(reference);
  for (const Reference& signer : signers_) check_signer(signer);
  check_captures();
  for (const Hole& hole : holes_) finish(hole);
  for (const Expression& expression : expressions_) finish(expression);
}

void Reading::finish(const Expression& expression) const {
  const std::string wrong = expression.definition ? check_define(expression.text, campaign.define)
                                                  : check_expression(expression.text, campaign.define);
  if (!wrong.empty()) fail_at(expression.place, wrong);
  if (expression.definition) return;
  const References named = references_of(expression.text, campaign.define);
  for (const std::string& fault : named.faults) finish(Reference{Named::kFault, fault, expression.place});
  for (const std::string& target : named.targets) finish(Reference{Named::kTarget, target, expression.place});
  for (const std::string& name : named.scenarios) finish(Reference{Named::kScenario, name, expression.place});
  for (const std::string& phase : named.phases) finish(Reference{Named::kPhase, phase, expression.place});
  for (const std::string& window : named.windows) finish(Reference{Named::kWindow, window, expression.place});
}

std::vector<std::string_view> Reading::names_of(Named what) const {
  switch (what) {
    case Named::kTarget:
      return names_in(campaign.targets);
    case Named::kProcess:
      return names_in(campaign.processes);
    case Named::kScenario:
      return names_in(campaign.scenarios);
    case Named::kPhase:
      return names_in(campaign.phases);
    case Named::kFault:
      return names_in(campaign.faults);
    case Named::kProof:
      return names_in(campaign.proofs);
    case Named::kWindow:
      break;
  }
  std::vector<std::string_view> out = names_in(campaign.windows);
  for (const Fault& fault : campaign.faults) out.push_back(fault.name);
  return out;
}

void Reading::finish(const Reference& reference) const {
  std::string_view name = reference.name;
  if (reference.what == Named::kWindow)
    for (const std::string_view side : {"before ", "after "})
      if (name.starts_with(side)) {
        name.remove_prefix(side.size());
        break;
      }
  const std::vector<std::string_view> known = names_of(reference.what);
  if (std::ranges::find(known, name) != known.end()) return;
  fail_at(reference.place, fmt::format("there is no {} '{}'{}", word_of(reference.what), name,
                                       config::did_you_mean(name, known)));
}

void Reading::check_signer(const Reference& signer) const {
  const auto named = std::ranges::find(campaign.targets, signer.name, &Target::name);
  const Target& target = signer.name.empty() ? campaign.targets.front() : *named;
  if (target.access_key_id.empty())
    fail_at(
        signer.place,
        fmt::format("needs a target with access_key_id and secret_access_key; '{}' has none", target.name));
}

void Reading::check_captures() const {
  for (const auto& scenario : captures_) {
    for (const auto& [name, place] : scenario) {
      const auto value = values_.find(name);
      if (is_built_in(name))
        fail_at(place, fmt::format("is a name that templates have already: {{{{{}}}}}", name));
      if (value != values_.end())
        fail_at(place, fmt::format("'{}' is also the name of a {}, in line {}", name, value->second.what,
                                   value->second.line));
    }
  }
}

// A value that would be a line of its own is found before the run, as far as it is known then.
void Reading::check_rows(const Hole& hole, const DataSpec& set, std::size_t column) const {
  if (hole.begins && set.range) check_beginning(hole, std::to_string(set.from), set.name);
  for (std::size_t i = 0; hole.begins && i < set.rows.size(); ++i)
    check_beginning(hole, set.rows[i][column], fmt::format("{}, row {}", set.name, i + 1));
  if (hole.at == Place::kText) return;
  const bool field = hole.at == Place::kField;
  for (std::size_t i = 0; i < set.rows.size(); ++i) {
    const std::string& value = set.rows[i][column];
    if (field ? fits_field(value) : fits_target(value)) continue;
    fail_at(hole.place, fmt::format("'{{{{{}}}}}' holds {} in row {} of the data set '{}'", hole.name,
                                    field ? "a line break or a NUL, which no header field can,"
                                          : "white space or a control, which no path can as it is,",
                                    i + 1, set.name));
  }
}

void Reading::check_beginning(const Hole& hole, const std::string& value, std::string_view where) const {
  if (value.starts_with('/') || value.starts_with("http://") || value.starts_with("https://")) return;
  if (value.empty() && !hole.alone) return;
  fail_at(hole.place, fmt::format("'{{{{{}}}}}' begins the path, which has to begin with '/': {} does not; "
                                  "write /{{{{{}}}}}",
                                  hole.name, where, hole.name));
}

void Reading::finish(const Hole& hole) const {
  if (hole.captured) return;
  const bool built_in =
      hole.where == Where::kStep &&
      (Function::is_call(hole.name) || std::ranges::find(kBuiltIn, hole.name) != kBuiltIn.end());
  if (built_in && hole.begins) check_beginning(hole, "-", hole.name);
  if (built_in) return;
  std::vector<std::string_view> known;  // for the nearest name
  if (hole.where == Where::kStep) {
    for (const auto& [name, place] : captures_[hole.scenario - 1]) {
      if (name == hole.name)
        fail_at(hole.place,
                fmt::format("'{{{{{}}}}}' is captured only later, in line {}", hole.name, place.line));
      known.push_back(name);
    }
    known.insert(known.end(), kBuiltIn.begin(), kBuiltIn.end());
    for (const DataSpec& set : campaign.data) {
      if (set.captured) {
        known.insert(known.end(), set.columns.begin(), set.columns.end());
        continue;
      }
      const bool dotted = hole.name.starts_with(set.name + ".");
      if (hole.name != set.name && !dotted) {
        known.push_back(set.name);
        continue;
      }
      const bool columns = !set.columns.empty() && !set.columns[0].empty();
      if (!dotted && !columns) return check_rows(hole, set, 0);
      if (!columns) fail_at(hole.place, fmt::format("the data set '{}' has no columns", set.name));
      const std::string_view column =
          std::string_view(hole.name).substr(std::min(hole.name.size(), set.name.size() + 1));
      const std::vector<std::string_view> names(set.columns.begin(), set.columns.end());
      if (!dotted)
        fail_at(hole.place, fmt::format("'{0}' is a data set with columns; write {{{{{0}.{1}}}}}", set.name,
                                        set.columns[0]));
      if (const auto found = std::ranges::find(names, column); found != names.end())
        return check_rows(hole, set, static_cast<std::size_t>(found - names.begin()));
      fail_at(hole.place, fmt::format("the data set '{}' has no column '{}'{}", set.name, column,
                                      config::did_you_mean(column, names)));
    }
  } else {
    known.push_back(kIndex);
  }
  if (hole.where == Where::kCall && !hole.place.path.starts_with("prepare"))
    for (const auto& [name, place] : captures_of_setup_) {
      if (name == hole.name && hole.place.path.starts_with("setup"))
        fail_at(hole.place,
                fmt::format("'{{{{{}}}}}' is captured only later, in line {}", hole.name, place.line));
      known.push_back(name);
    }
  if (hole.where != Where::kToken)
    for (const TokenSpec& token : campaign.tokens) known.push_back(token.name);
  if (std::ranges::find(known, hole.name) != known.end()) return;
  constexpr std::array<std::string_view, 3> kSources = {
      "no data set, token or capture of an earlier step has this name",
      "calls may use {{index}}, tokens and what an earlier call of the setup captured",
      "claims may use {{index}}"};
  fail_at(hole.place, fmt::format("'{{{{{}}}}}' has no value: {}{}", hole.name,
                                  kSources[static_cast<std::size_t>(hole.where)],
                                  config::did_you_mean(hole.name, known)));
}

}  // namespace prove
