#include "config/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "config/error.h"
#include "config/values.h"

namespace config {
namespace {

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

void Reader::section(const YamlNode& node, const Section& section, void* owner) {
  const Row* row = section.shorthand.empty() ? nullptr : section.find(section.shorthand);
  if (row != nullptr &&
      (node.kind == YamlNode::Kind::kScalar || (node.kind == YamlNode::Kind::kList && row->list))) {
    row->read(*this, *row, node, owner);
    if (section.check != nullptr) section.check(*this, node, owner);
    return;
  }
  check_map(node);
  for (const Entry& entry : node.entries) {
    if (entry.name == "type" && !section.type.empty()) continue;
    if (section.common != nullptr && section.common->find(entry.name) != nullptr) continue;
    const Step step(*this, entry.name);
    row = section.find(entry.name);
    if (row == nullptr) {
      std::vector<std::string_view> known;
      for (const Section* part : {&section, section.common})
        if (part != nullptr)
          for (const Row& each : part->rows)
            if (each.kind != Kind::kPlanned) known.push_back(each.name);
      fail(entry.line, "unknown key" + did_you_mean(entry.name, known));
    }
    if (row->kind == Kind::kPlanned) fail(entry.line, "is not supported yet");
    row->read(*this, *row, entry.value, owner);
  }
  for (const Row& each : section.rows) {
    if (!each.required() || node.find(each.name) != nullptr) continue;
    const Step step(*this, each.name);
    fail(node.line, "is missing");
  }
  if (section.check != nullptr) section.check(*this, node, owner);
}

void Reader::common(const YamlNode& node, const Section& section, void* owner) {
  for (const Entry& entry : node.entries) {
    const Row* row = section.common->find(entry.name);
    if (row == nullptr) continue;
    const Step step(*this, entry.name);
    row->read(*this, *row, entry.value, owner);
  }
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

}  // namespace config
