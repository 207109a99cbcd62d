#include "prove/wire/json_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <stdexcept>

#include "base/sabotage.h"
#include "prove/wire/json_number.h"
#include "prove/wire/json_text.h"
#include "prove/wire/secrets.h"

namespace prove {
namespace {

namespace json = boost::json;
using Test = JsonCheck::Test;
using Kind = JsonWanted::Kind;

constexpr std::size_t kShown = 200;  // bytes of a value

constexpr std::array<std::string_view, 12> kNames = {
    "exists", "absent", "==",       "!=",           "<",       "<=",
    ">",      ">=",     "contains", "not_contains", "matches", "not_matches"};

bool is_text(const json::value& value) {  // and not a number: see json_text.h
  return value.is_string() && value.get_string().front() == 's';
}
bool is_number(const json::value& value) {
  return value.is_string() && value.get_string().front() == 'n';
}

bool equal(const json::value& found, const JsonWanted& wanted, const Values& values);

bool equal_lists(const json::array& found, const JsonWanted& wanted, const Values& values) {
  if (found.size() != wanted.items.size()) return false;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (!equal(found[i], wanted.items[i], values)) return false;
  return true;
}

bool equal_objects(const json::object& found, const JsonWanted& wanted, const Values& values) {
  if (found.size() != wanted.items.size()) return false;
  for (std::size_t i = 0; i < wanted.items.size(); ++i) {
    const json::value* member = found.if_contains(wanted.names[i]);
    if (!member || !equal(*member, wanted.items[i], values)) return false;
  }
  return true;
}

bool equal(const json::value& found, const JsonWanted& wanted, const Values& values) {
  if (wanted.kind == Kind::kList) return found.is_array() && equal_lists(found.get_array(), wanted, values);
  if (wanted.kind == Kind::kObject)
    return found.is_object() && equal_objects(found.get_object(), wanted, values);
  if (found.is_structured()) return false;
  const std::string text = wanted.text.render(values);
  const bool either = wanted.kind == Kind::kText && !wanted.text.constant();
  if (is_text(found)) return wanted.kind == Kind::kText && text_of(found) == text;
  if (is_number(found))
    return (either || wanted.kind == Kind::kNumber) &&
           compare_numbers(text_of(found), text) == std::strong_ordering::equal;
  return (either || wanted.kind == Kind::kWord) && text_of(found) == text;
}

// In a text what it holds, in a list one of its items; of anything else nobody can say.
std::optional<bool> contains(const json::value& found, const JsonWanted& wanted, const Values& values) {
  if (const json::array* list = found.if_array())
    return std::ranges::any_of(*list, [&](const json::value& item) { return equal(item, wanted, values); });
  if (is_text(found) && wanted.kind == Kind::kText)
    return text_of(found).contains(wanted.text.render(values));
  return std::nullopt;
}

std::optional<std::size_t> length_of(const json::value& found) {
  if (const json::array* list = found.if_array()) return list->size();
  if (const json::object* object = found.if_object()) return object->size();
  if (!is_text(found)) return std::nullopt;
  const std::string text = text_of(found);  // in code points
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool in_order(Test test, std::optional<std::strong_ordering> order) {
  if (!order) return false;
  switch (test) {
    case Test::kEqual:
      return *order == 0;
    case Test::kNotEqual:
      return *order != 0;
    case Test::kLess:
      return *order < 0;
    case Test::kAtMost:
      return *order <= 0;
    case Test::kMore:
      return *order > 0;
    case Test::kAtLeast:
      return *order >= 0;
    default:
      return false;
  }
}

bool met(const json::value& found, const JsonCheck& check, const Pattern& pattern, const Values& values) {
  const JsonWanted& wanted = check.wanted;
  if (check.length) {
    const auto length = length_of(found);
    return length &&
           in_order(check.test, compare_numbers(std::to_string(*length), wanted.text.render(values)));
  }
  switch (check.test) {
    case Test::kExists:
      return true;
    case Test::kAbsent:
      return false;
    case Test::kEqual:
      return equal(found, wanted, values);
    case Test::kNotEqual:
      return !equal(found, wanted, values);
    case Test::kContains:
      return contains(found, wanted, values) == true;
    case Test::kNotContains:
      return contains(found, wanted, values) == false;
    case Test::kMatches:
      return pattern.find(text_of(found)) == Pattern::Found::kYes;
    case Test::kNotMatches:
      return pattern.find(text_of(found)) == Pattern::Found::kNo;
    default:
      return is_number(found) &&
             in_order(check.test, compare_numbers(text_of(found), wanted.text.render(values)));
  }
}

// ---- what a reader is shown

std::string shown(const JsonWanted& wanted, const Values& values) {
  switch (wanted.kind) {
    case Kind::kText:
      return json::serialize(json::value(wanted.text.render(values)));
    case Kind::kNumber:
    case Kind::kWord:
      return wanted.text.text();
    case Kind::kList:
    case Kind::kObject:
      break;
  }
  const bool list = wanted.kind == Kind::kList;
  std::string out(list ? "[" : "{");
  for (std::size_t i = 0; i < wanted.items.size(); ++i) {
    if (i > 0) out += ", ";
    if (!list) out += json::serialize(json::value(wanted.names[i])) + ": ";
    out += shown(wanted.items[i], values);
  }
  return out + (list ? "]" : "}");
}

bool secret(const JsonCheck& check) {
  return sounds_secret(std::string_view(check.pointer).substr(check.pointer.rfind('/') + 1));
}

std::string shown(const JsonCheck& check, const Values& values) {
  const std::string_view name = kNames[static_cast<std::size_t>(check.test)];
  const std::string what =
      (check.length ? "length of " : "") + (check.pointer.empty() ? "the document" : check.pointer);
  if (check.test == Test::kExists || check.test == Test::kAbsent) return fmt::format("{} {}", what, name);
  return fmt::format("{} {} {}", what, name, secret(check) ? "…" : shown(check.wanted, values));
}

std::string shown(const json::value& found) {
  std::string out = json_of(found);
  if (out.size() <= kShown) return out;
  out.resize(kShown);
  return out + "…";
}

const json::value* at(const json::value& document, const std::string& pointer) {
  boost::system::error_code error;
  return document.find_pointer(pointer, error);
}

}  // namespace

JsonChecks::JsonChecks(const Expect& expect) {
  all_.reserve(expect.json.size());
  for (const JsonCheck& check : expect.json) {
    One& one = all_.emplace_back(&check, Pattern());
    if (check.test != Test::kMatches && check.test != Test::kNotMatches) continue;
    auto pattern = Pattern::compile(check.wanted.text.text());
    if (!pattern)
      throw std::runtime_error(fmt::format("expect.json {}: is no regular expression", check.pointer));
    one.pattern = *std::move(pattern);
  }
}

bool JsonChecks::met(std::string_view body, const Values& values) const {
  if (sabotage::on("prove-body-not-checked")) return true;
  const auto document = parse_as_written(body);
  return document && std::ranges::all_of(all_, [&](const One& one) {
           const json::value* found = at(*document, one.check->pointer);
           return found ? prove::met(*found, *one.check, one.pattern, values)
                        : one.check->test == Test::kAbsent;
         });
}

std::string JsonChecks::text(const Values& values) const {
  std::string out;
  for (const One& one : all_) out += (out.empty() ? "" : ", ") + shown(*one.check, values);
  return out;
}

std::string JsonChecks::broken(std::string_view body, const Values& values) const {
  const auto document = parse_as_written(body);
  if (!document) return fmt::format("{} was expected, the body is no JSON", text(values));
  for (const One& one : all_) {
    const json::value* found = at(*document, one.check->pointer);
    if (found ? prove::met(*found, *one.check, one.pattern, values) : one.check->test == Test::kAbsent)
      continue;
    return fmt::format("{} was expected, {} came", shown(*one.check, values),
                       !found               ? "nothing"
                       : secret(*one.check) ? "…"
                                            : shown(*found));
  }
  return {};
}

}  // namespace prove
