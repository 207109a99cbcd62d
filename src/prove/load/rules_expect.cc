// Rules on what a reply must be.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/error.h"
#include "prove/load/reading.h"
#include "prove/load/rules.h"
#include "prove/wire/json_number.h"
#include "prove/wire/pattern.h"

namespace prove::rules {
namespace {

using Test = JsonCheck::Test;
using Kind = JsonWanted::Kind;

constexpr std::array<std::pair<std::string_view, Test>, 10> kTests = {{{"==", Test::kEqual},
                                                                       {"!=", Test::kNotEqual},
                                                                       {"<", Test::kLess},
                                                                       {"<=", Test::kAtMost},
                                                                       {">", Test::kMore},
                                                                       {">=", Test::kAtLeast},
                                                                       {"contains", Test::kContains},
                                                                       {"not_contains", Test::kNotContains},
                                                                       {"matches", Test::kMatches},
                                                                       {"not_matches", Test::kNotMatches}}};
constexpr std::string_view kNoPointer = "is not a JSON pointer such as /items/0/id";

Template template_of(Reader& reader, const std::string& text, int line) {
  return Reading::of(reader).compile(text, line, Reading::Where::kStep);
}

Template pattern_of(Reader& reader, const std::string& text, int line) {
  if (!Pattern::compile(text)) reader.fail(line, "is not a regular expression");
  return Template::literal(text);
}

// What stands in quotes is a text; of the rest, what reads as JSON is meant as JSON.
JsonWanted wanted_of(Reader& reader, const YamlNode& node) {
  JsonWanted out;
  if (node.kind == YamlNode::Kind::kList) {
    out.kind = Kind::kList;
    out.items.reserve(node.items.size());
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const Reader::Step step(reader, i);
      out.items.push_back(wanted_of(reader, node.items[i]));
    }
    return out;
  }
  if (node.kind == YamlNode::Kind::kMap) {
    reader.check_map(node);
    out.kind = Kind::kObject;
    out.items.reserve(node.entries.size());
    out.names.reserve(node.entries.size());
    for (const Entry& entry : node.entries) {
      const Reader::Step step(reader, entry.name);
      out.names.push_back(entry.name);
      out.items.push_back(wanted_of(reader, entry.value));
    }
    return out;
  }
  const std::string text = node.kind == YamlNode::Kind::kNull ? "null" : reader.text(node);
  if (!node.quoted && is_json_number(text))
    out.kind = Kind::kNumber;
  else if (!node.quoted && (text == "null" || text == "true" || text == "false"))
    out.kind = Kind::kWord;
  else
    out.kind = Kind::kText;
  out.text = out.kind == Kind::kText ? template_of(reader, text, node.line) : Template::literal(text);
  return out;
}

// A number, or a text with a value in it that may be one.
JsonWanted number_of(Reader& reader, const YamlNode& node) {
  JsonWanted out = wanted_of(reader, node);
  if (out.kind == Kind::kNumber || (out.kind == Kind::kText && !out.text.constant())) return out;
  reader.fail(node.line, "must be a number, or a text with a value, \"{{name}}\"");
}

void read_comparison(Reader& reader, const Entry& entry, JsonCheck check, Expect& expect) {
  const YamlNode& node = entry.value;
  const auto* const known = std::ranges::find(kTests, entry.name, [](const auto& t) { return t.first; });
  if (known == kTests.end()) {
    std::vector<std::string_view> names = {"exists", "length"};
    names.reserve(names.size() + kTests.size());
    for (const auto& [name, test] : kTests) names.push_back(name);
    reader.fail(entry.line, "unknown comparison" + config::did_you_mean(entry.name, names));
  }
  check.test = known->second;
  switch (check.test) {
    case Test::kMatches:
    case Test::kNotMatches:
      check.wanted = {.kind = Kind::kText,
                      .text = pattern_of(reader, reader.text(node), node.line),
                      .items = {},
                      .names = {}};
      break;
    case Test::kEqual:
    case Test::kNotEqual:
      check.wanted = check.length ? number_of(reader, node) : wanted_of(reader, node);
      break;
    case Test::kContains:
    case Test::kNotContains:
      check.wanted = wanted_of(reader, node);
      break;
    default:
      check.wanted = number_of(reader, node);
  }
  expect.json.push_back(std::move(check));
}

void read_length(Reader& reader, const YamlNode& node, const JsonCheck& check, Expect& expect) {
  JsonCheck of_length = check;
  of_length.length = true;
  if (node.kind == YamlNode::Kind::kMap) {
    reader.check_map(node);
    if (node.entries.empty()) reader.fail(node.line, "names no comparison");
    for (const Entry& entry : node.entries) {
      const Reader::Step step(reader, entry.name);
      if (entry.name.size() > 2) reader.fail(entry.line, "is no comparison of lengths");
      read_comparison(reader, entry, of_length, expect);
    }
    return;
  }
  of_length.wanted = number_of(reader, node);
  expect.json.push_back(std::move(of_length));
}

Test presence(Reader& reader, const YamlNode& node) {
  const auto there = config::Switch::parse(reader.text(node));
  if (!there) reader.fail(node.line, there.error());
  return *there ? Test::kExists : Test::kAbsent;
}

}  // namespace

bool is_json_pointer(std::string_view text) {
  if (!text.empty() && text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  return true;
}

void put_text(Reader& reader, const YamlNode& node, TextTest test, const std::string& text,
              std::vector<TextCheck>& checks) {
  if (text.empty() && test != TextTest::kIs && test != TextTest::kContains)
    reader.fail(node.line, "is empty");
  checks.push_back(
      {test, has_pattern(test) ? pattern_of(reader, text, node.line) : template_of(reader, text, node.line)});
}

void place_header_checks(Reader& reader, const Entry& entry, std::vector<TextCheck>&& checks,
                         Expect& expect) {
  if (checks.empty()) reader.fail(entry.line, "names no comparison");
  expect.headers.reserve(expect.headers.size() + checks.size());
  for (TextCheck& check : checks) expect.headers.push_back({entry.name, std::move(check.value), check.test});
}

void place_json_checks(Reader& reader, const YamlNode& node, Expect& expect) {
  reader.check_map(node);
  if (node.entries.empty()) reader.fail(node.line, "names no value");
  for (const Entry& entry : node.entries) {
    const Reader::Step step(reader, entry.name);
    if (!is_json_pointer(entry.name)) reader.fail(entry.line, kNoPointer);
    JsonCheck check{.pointer = entry.name, .test = Test::kEqual, .length = false, .wanted = {}};
    const YamlNode& value = entry.value;
    const bool bare = value.kind == YamlNode::Kind::kScalar && !value.quoted;
    if (value.kind == YamlNode::Kind::kMap) {
      reader.check_map(value);
      if (value.entries.empty()) reader.fail(value.line, "names no comparison");
      for (const Entry& one : value.entries) {
        const Reader::Step at(reader, one.name);
        if (one.name == "length") {
          read_length(reader, one.value, check, expect);
        } else if (one.name == "exists") {
          check.test = presence(reader, one.value);
          expect.json.push_back(check);
        } else {
          read_comparison(reader, one, check, expect);
        }
      }
      continue;
    }
    if (bare && (value.text == "absent" || value.text == "exists"))
      check.test = value.text == "absent" ? Test::kAbsent : Test::kExists;
    else
      check.wanted = wanted_of(reader, value);
    expect.json.push_back(std::move(check));
  }
}

void check_expect(Reader& reader, const YamlNode& node, Expect& expect) {
  if (node.kind != YamlNode::Kind::kMap) return;
  if (expect.body.size() > Expect::kMostTexts)
    reader.fail_at(node, "body", fmt::format("is held against more than {} texts", Expect::kMostTexts));
  if (!expect.outcome || node.find("status") != nullptr) return;
  if (*expect.outcome == Outcome::kDenied) expect.status = {{401, 401}, {403, 403}};
  if (*expect.outcome == Outcome::kLimited) expect.status = {{429, 429}};
}

}  // namespace prove::rules
