#include "config/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "config/hints.h"
#include "config/values.h"

namespace config {
namespace {

constexpr std::size_t kMostErrors = 100;
constexpr std::string_view kEmpty = "has no value; give it one or take the key out";

const char* what_is(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

}  // namespace

Reader::Step::Step(Reader& reader, std::string_view key) : reader_(reader), length_(reader.path_.size()) {
  if (length_ != 0) reader_.path_ += '.';
  reader_.path_ += key;
}

Reader::Step::Step(Reader& reader, std::size_t index) : reader_(reader), length_(reader.path_.size()) {
  reader_.path_ += fmt::format("[{}]", index);
}

void Reader::fail(int line, std::string_view message) const {
  throw ConfigError(file_, line, path_, message);
}

void Reader::fail_value(const Row& row, const YamlNode& node, std::string_view predicate) const {
  // A URL may hold a password; a variable's value is never shown, only its name.
  const bool shown =
      row.kind != Kind::kSecret && row.kind != Kind::kUrl && !node.text.empty() && node.text.size() <= 80;
  fail(node.line, shown ? fmt::format("'{}' {}", node.text, predicate) : std::string(predicate));
}

void Reader::fail_at(const YamlNode& map, std::string_view key, std::string_view message) {
  const Entry* entry = map.find(key);
  const Step step(*this, key);
  fail(entry == nullptr ? map.line : entry->value.line, message);
}

std::string_view Reader::exactly_one(const YamlNode& map, std::span<const std::string_view> keys) {
  std::string_view found;
  for (const std::string_view key : keys) {
    if (map.find(key) == nullptr) continue;
    if (!found.empty()) fail_at(map, key, fmt::format("stands beside '{}'; give one of them", found));
    found = key;
  }
  if (found.empty()) fail(map.line, fmt::format("needs one of: {}", fmt::join(keys, ", ")));
  return found;
}

std::string Reader::text(const YamlNode& node) const {
  if (node.kind == YamlNode::Kind::kNull) fail(node.line, kEmpty);
  if (node.kind != YamlNode::Kind::kScalar)
    fail(node.line, fmt::format("must be a single value, not {}", what_is(node)));
  auto expanded = expand(node.text, env_);
  if (!expanded) fail(node.line, expanded.error());
  return *std::move(expanded);
}

void Reader::check_map(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kNull) fail(node.line, kEmpty);
  if (node.kind != YamlNode::Kind::kMap)
    fail(node.line, fmt::format("must be a map of keys, not {}", what_is(node)));
  std::map<std::string_view, int> seen;
  for (const Entry& entry : node.entries) {
    const auto [first, fresh] = seen.emplace(entry.name, entry.line);
    if (fresh) continue;
    const Step step(*this, entry.name);
    fail(entry.line, fmt::format("is given twice, first in line {}", first->second));
  }
}

void Reader::whole(const YamlNode& root, const Section& section, void* owner) {
  root_ = &section;
  Parts parts(*this);
  parts([&] { this->section(root, section, owner); });
  // Also after errors: these rules ask by themselves whether what they need is clean().
  if (root.kind == YamlNode::Kind::kMap && section.check != nullptr) {
    // What is missing may go untold beside a key that is misspelt, but nobody finds it.
    for (const Row& each : section.rows)
      if (each.required() && root.find(each.name) == nullptr) failed_.emplace_back(each.name);
    parts([&] { section.check(*this, root, owner); });
  }
  root_ = nullptr;
  if (!errors_.empty()) throw ConfigError(std::move(errors_));
}

void Reader::keep(const ConfigError& error) {
  if (errors_.size() < kMostErrors) errors_.push_back(error);
  failed_.push_back(error.key().substr(0, error.key().find_first_of(".[")));
}

bool Reader::clean(std::string_view key) const {
  return std::ranges::find(failed_, key) == failed_.end();
}

void Reader::shorthand(const YamlNode& node, const Section& section, const Row& row, void* owner) {
  // "cache: 10m" for "cache: { ttl: 10m }": it is clear what was meant.
  const auto lasts = std::ranges::find(section.rows, Kind::kDuration, &Row::kind);
  if (row.kind == Kind::kSwitch && lasts != section.rows.end() && Duration::parse(node.text))
    fail(node.line, fmt::format("'{0}' is neither true (on) nor false (off); write {{ {1}: {0} }}", node.text,
                                lasts->name));
  row.read(*this, row, node, owner);
}

void Reader::entry(const Entry& entry, const Section& section, void* owner) {
  if (entry.name == "type" && !section.type.empty()) return;
  if (section.common != nullptr && section.common->find(entry.name) != nullptr) return;
  const Step step(*this, entry.name);
  const Row* const row = section.find(entry.name);
  if (row == nullptr) {
    std::vector<std::string_view> known;
    for (const Section* part : {&section, section.common})
      if (part != nullptr)
        for (const Row& each : part->rows)
          if (each.kind != Kind::kPlanned) known.push_back(each.name);
    fail(entry.line, "unknown key" + hint_for_key(entry, known));
  }
  if (row->kind == Kind::kPlanned) fail(entry.line, "is not supported yet" + hint_for_planned(entry.name));
  row->read(*this, *row, entry.value, owner);
}

void Reader::section(const YamlNode& node, const Section& section, void* owner) {
  const Row* row = section.shorthand.empty() ? nullptr : section.find(section.shorthand);
  if (row != nullptr &&
      (node.kind == YamlNode::Kind::kScalar || (node.kind == YamlNode::Kind::kList && row->list))) {
    shorthand(node, section, *row, owner);
    if (section.check != nullptr) section.check(*this, node, owner);
    return;
  }
  if (node.kind == YamlNode::Kind::kScalar)
    fail(node.line, "must be a map of keys, not a single value" + hint_for_map(node, section));
  check_map(node);
  Parts parts(*this);
  for (const Entry& each : node.entries) parts([&] { entry(each, section, owner); });
  parts.done();  // a key that is missing may be one that was misspelt
  for (const Row& each : section.rows) {
    if (!each.required() || node.find(each.name) != nullptr) continue;
    parts([&] {
      const Step step(*this, each.name);
      fail(node.line, "is missing");
    });
  }
  parts.done();
  if (section.check != nullptr && &section != root_) section.check(*this, node, owner);
}

void Reader::common(const YamlNode& node, const Section& section, void* owner) {
  Parts parts(*this);
  for (const Entry& entry : node.entries) {
    const Row* row = section.common->find(entry.name);
    if (row == nullptr) continue;
    parts([&] {
      const Step step(*this, entry.name);
      row->read(*this, *row, entry.value, owner);
    });
  }
  parts.done();
}

const Section& Reader::choose(const YamlNode& node, std::span<const Section* const> choices) {
  check_map(node);
  std::vector<std::string_view> types;
  for (const Section* choice : choices) types.push_back(choice->type);
  const Step step(*this, "type");
  const Entry* entry = node.find("type");
  if (entry == nullptr) fail(node.line, fmt::format("is missing; one of: {}", fmt::join(types, ", ")));
  const std::string type = text(entry->value);
  const auto found = std::ranges::find(types, type);
  if (found == types.end()) {
    fail(entry->value.line, fmt::format("'{}' is none of: {}{}", entry->value.text, fmt::join(types, ", "),
                                        did_you_mean(type, types)));
  }
  return *choices[static_cast<std::size_t>(found - types.begin())];
}

const std::vector<Entry>& Reader::named(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kList)
    fail(node.line, "must be a map of keys, not a list; each name is a key: 'name: { … }', without '- '");
  check_map(node);
  for (const Entry& entry : node.entries) {
    const Step step(*this, entry.name);
    if (const auto name = Name::parse(entry.name); !name) fail(entry.line, name.error());
  }
  return node.entries;
}

std::span<const YamlNode> Reader::items(const Row& row, const YamlNode& node) const {
  if (node.kind == YamlNode::Kind::kNull) fail(node.line, kEmpty);
  if (node.kind != YamlNode::Kind::kList) return {&node, 1};
  if (node.items.empty() && row.fallback != "[]") fail(node.line, "is an empty list");
  return node.items;
}

std::string Reader::resolve(const std::string& path) const {
  return (std::filesystem::path(file_).parent_path() / path).lexically_normal().string();
}

std::string Reader::own(const std::string& path) {
  return own_files_.emplace_back(resolve(path));
}

}  // namespace config
