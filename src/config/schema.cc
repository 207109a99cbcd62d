#include "config/schema.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "config/keys.h"
#include "config/values.h"

namespace config {
namespace {

namespace json = boost::json;

json::object reference_to(std::string_view definition) {
  return {{"$ref", fmt::format("#/$defs/{}", definition)}};
}

json::value default_of(const Row& row) {
  if (row.fallback == "[]") return json::array();
  if (row.kind == Kind::kSwitch) return row.fallback == "true";
  if (row.kind == Kind::kCount) return *Count::parse(row.fallback);
  return json::string(row.fallback);
}

std::string description(const Row& row) {
  std::string out(row.text);
  const bool in_words = row.kind == Kind::kSize || row.kind == Kind::kDuration;  // JSON cannot compare them
  if (in_words && row.bounds.exist())
    out += fmt::format(" {} to {}.", show_bound(row.kind, row.bounds.least),
                       show_bound(row.kind, row.bounds.most));
  if (row.fallback.starts_with('('))
    out += fmt::format(" Default: {}.", row.fallback.substr(1, row.fallback.size() - 2));
  if (row.reload == Reload::kRestart) out += " A change needs a restart.";
  return out;
}

class Schema {
 public:
  json::object whole(const Section& root, std::string_view id, std::string_view title) {
    json::object out{
        {"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"$id", id}, {"title", title}};
    for (auto& member : object_of(root)) out.insert(std::move(member));
    out["$defs"] = std::move(definitions_);
    return out;
  }

 private:
  json::object object_of(const Section& section) {
    json::object properties;
    json::array required;
    if (!section.type.empty()) {
      properties["type"] = json::object{{"const", section.type}};
      required.emplace_back("type");
    }
    for (const Section* part : {&section, section.common}) {
      if (part == nullptr) continue;
      for (const Row& row : part->rows) {
        if (row.kind == Kind::kPlanned) continue;
        properties[row.name] = property(row);
        if (row.required()) required.emplace_back(row.name);
      }
    }
    json::object out{{"description", section.text},
                     {"type", "object"},
                     {"additionalProperties", false},
                     {"properties", std::move(properties)}};
    if (!required.empty()) out["required"] = std::move(required);
    return out;
  }

  json::object property(const Row& row) {
    json::object out{{"description", description(row)}};
    json::object one = value(row);
    if (row.list) {
      json::object many{{"type", "array"}, {"items", one}};
      if (row.fallback != "[]") many["minItems"] = 1;
      one = {{"anyOf", json::array{std::move(one), std::move(many)}}};
    }
    for (auto& member : one) out.insert(std::move(member));
    if (!row.fallback.empty() && !row.required() && !row.fallback.starts_with('('))
      out["default"] = default_of(row);
    return out;
  }

  json::object value(const Row& row) {
    switch (row.kind) {
      case Kind::kSwitch:
        return or_variable({{"enum", json::array{true, false, "on", "off"}}});
      case Kind::kCount:
        return or_variable(number(row));
      case Kind::kSize:
        return json::object{{"anyOf", json::array{number(row), size()}}};
      case Kind::kDuration:
        return duration();
      case Kind::kWord: {
        json::array words;
        for (const std::string_view word : row.words) words.emplace_back(word);
        return or_variable({{"enum", std::move(words)}});
      }
      case Kind::kForm: {
        json::object form{{"type", json::array{"string", "number", "boolean"}}};
        if (row.pattern.empty()) return form;
        form["pattern"] = row.pattern;
        return or_variable(std::move(form));
      }
      case Kind::kPairs:
        return json::object{{"type", "object"},
                            {"additionalProperties", {{"type", json::array{"string", "number", "boolean"}}}}};
      case Kind::kOpen:
        return json::object{{"type", "object"}};
      case Kind::kSection:
        return section(*row.sections[0]);
      case Kind::kNamed:
        return named(row);
      case Kind::kUrl:
        return or_variable({{"type", "string"},
                            {"pattern", row.pattern.empty() ? "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+(/[^?#]*)?$"
                                                            : row.pattern}});
      default:
        return {{"type", "string"}};
    }
  }

  static json::object number(const Row& row) {
    json::object out{{"type", "integer"}, {"minimum", row.bounds.least}};
    if (row.bounds.exist()) out["maximum"] = row.bounds.most;
    return out;
  }

  json::object size() { return define("size", "Bytes, with a unit or without.", "^[0-9]+([KMGT]i?B|B)?$"); }

  json::object duration() {
    return define("duration", "Whole numbers with their units, from large to small.", Duration::kPattern);
  }

  json::object define(std::string_view name, std::string_view about, std::string_view pattern) {
    if (!definitions_.contains(name)) {
      json::object text = or_variable({{"type", "string"}, {"pattern", pattern}});
      text["description"] = about;
      definitions_[name] = std::move(text);
    }
    return reference_to(name);
  }

  json::object or_variable(json::object plain) {
    if (!definitions_.contains("variable")) {
      definitions_["variable"] =
          json::object{{"description", "A value from the environment: ${NAME} or ${NAME:-default}."},
                       {"type", "string"},
                       {"pattern", "\\$\\{"}};
    }
    return {{"anyOf", json::array{std::move(plain), reference_to("variable")}}};
  }

  json::object section(const Section& section) {
    if (!definitions_.contains(section.name)) {
      definitions_[section.name] = nullptr;  // keeps its place before what it refers to
      definitions_[section.name] = object_of(section);
    }
    json::object map = reference_to(section.name);
    if (section.shorthand.empty()) return map;
    const Row& bare = *section.find(section.shorthand);
    json::array ways{value(bare)};
    if (bare.list) ways.push_back(json::object{{"type", "array"}, {"items", value(bare)}, {"minItems", 1}});
    ways.push_back(std::move(map));
    return {{"anyOf", std::move(ways)}};
  }

  json::object named(const Row& row) {
    json::array choices;
    for (const Section* choice : row.sections) choices.push_back(section(*choice));
    json::value each = choices.size() == 1 && row.sections[0]->type.empty()
                           ? std::move(choices[0])
                           : json::value{{"oneOf", std::move(choices)}};
    return {{"type", "object"},
            {"propertyNames", {{"pattern", "^[A-Za-z0-9_.-]{1,64}$"}}},
            {"additionalProperties", std::move(each)}};
  }

  json::object definitions_;
};

// Boost.JSON prints in one line only.
void print(const json::value& value, const std::string& indent, std::string& out) {
  const std::string deeper = indent + "  ";
  std::string_view comma;
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    for (const auto& [name, member] : *object) {
      out.append(comma).append("\n").append(deeper).append(json::serialize(json::string(name))).append(": ");
      print(member, deeper, out);
      comma = ",";
    }
    out.append("\n").append(indent).append("}");
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    for (const json::value& item : *array) {
      out.append(comma).append("\n").append(deeper);
      print(item, deeper, out);
      comma = ",";
    }
    out.append("\n").append(indent).append("]");
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string json_schema() {
  return json_schema(root_section(), "urn:sekisho:config", "Sekisho's configuration");
}

std::string json_schema(const Section& root, std::string_view id, std::string_view title) {
  std::string out;
  print(Schema().whole(root, id, title), "", out);
  return out + "\n";
}

}  // namespace config
