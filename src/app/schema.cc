#include "app/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "config/error.h"
#include "text/json_reader.h"
#include "text/json_writer.h"

namespace app {

namespace {

using text::JsonReader;
using text::JsonSpace;

constexpr double kExact =
    9007199254740992.0;  // 2^53: integers beyond it are not told apart by JSON's readers

std::string names_of(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i)
    out.append(i == 0 ? "" : i + 1 == names.size() ? " or " : ", ").append(names[i]);
  return out;
}

std::string_view kind_of(Type type) {
  switch (type) {
    case Type::kObject:
      return "an object";
    case Type::kText:
      return "a string";
    case Type::kInteger:
      return "a whole number";
    case Type::kNumber:
      return "a number";
    case Type::kFlag:
      return "true or false";
    case Type::kList:
      return "an array";
  }
  return "";
}

// Reads values; the first fault stands in `fault`, with the path to the member.
class Reading {
 public:
  explicit Reading(std::string& fault) : fault_(fault) {}

  std::optional<Object> object(std::string_view json, const Schema& schema) {
    JsonSpace space;
    JsonReader in(json, space);
    Object out;
    std::vector<std::string_view> unknown;
    for (std::string_view name; in.next(name);) {
      const auto declared = std::ranges::find(schema.members, name, &Member::name);
      if (declared == schema.members.end()) {
        if (!schema.open) return fail(name, unknown_member(name, schema));
        if (!in.skip()) break;
        continue;
      }
      const std::size_t here = enter(name);
      auto read = value(in, declared->schema);
      if (!read) {
        if (!fault_.empty()) return std::nullopt;
        break;
      }
      path_.resize(here);
      out.members.push_back({std::string(name), *std::move(read)});
    }
    if (!in.complete()) return fail("", "is no JSON object, or names a member twice");
    for (const Member& member : schema.members)
      if (member.required && !out.has(member.name)) return fail(member.name, "is missing");
    return out;
  }

 private:
  static std::string unknown_member(std::string_view name, const Schema& schema) {
    std::vector<std::string_view> known;
    for (const Member& member : schema.members) known.push_back(member.name);
    std::string hint = config::did_you_mean(name, known);
    if (hint.empty() && !known.empty()) hint = "; there is " + names_of(known);
    return "is not known here" + hint;
  }

  std::size_t enter(std::string_view name) {
    const std::size_t before = path_.size();
    if (!path_.empty()) path_ += '.';
    path_ += name;
    return before;
  }

  std::nullopt_t fail(std::string_view member, std::string_view why) {
    if (!fault_.empty()) return std::nullopt;
    if (!member.empty()) enter(member.substr(0, 64));
    fault_ = path_.empty() ? fmt::format("the body {}", why) : fmt::format("{}: {}", path_, why);
    return std::nullopt;
  }

  std::optional<Value> value(JsonReader& in, const Schema& schema) {
    const bool fits = schema.type == Type::kObject ? in.at_object()
                      : schema.type == Type::kText ? in.at_string()
                      : schema.type == Type::kFlag ? in.at_boolean()
                      : schema.type == Type::kList ? in.at_array()
                                                   : in.at_number();
    if (!fits) return fail("", fmt::format("must be {}", kind_of(schema.type)));
    switch (schema.type) {
      case Type::kObject: {
        std::string_view raw;
        if (!in.raw(raw)) return std::nullopt;
        auto read = object(raw, schema);
        if (!read) return std::nullopt;
        return Value{*std::move(read)};
      }
      case Type::kText: {
        std::string_view read;
        if (!in.string(read)) return std::nullopt;
        return text(read, schema);
      }
      case Type::kFlag: {
        bool read = false;
        if (!in.boolean(read)) return std::nullopt;
        return Value{read};
      }
      case Type::kInteger:
      case Type::kNumber: {
        double read = 0;
        if (!in.number(read)) return std::nullopt;
        return number(read, schema);
      }
      case Type::kList:
        return list(in, schema);
    }
    return std::nullopt;
  }

  std::optional<Value> text(std::string_view read, const Schema& schema) {
    if (!schema.one_of.empty() && std::ranges::find(schema.one_of, read) == schema.one_of.end())
      return fail("", "must be " + names_of(schema.one_of) + config::did_you_mean(read, schema.one_of));
    const auto size = static_cast<double>(read.size());
    if (size < schema.least) return fail("", fmt::format("must have at least {} bytes", schema.least));
    if (size > schema.most) return fail("", fmt::format("must have at most {} bytes", schema.most));
    if (schema.form == Form::kUuid && !is_uuid(read)) return fail("", "must be a UUID");
    return Value{std::string(read)};
  }

  std::optional<Value> number(double read, const Schema& schema) {
    if (schema.type == Type::kInteger && (read != std::floor(read) || std::abs(read) > kExact))
      return fail("", "must be a whole number");
    if (read < schema.least) return fail("", fmt::format("must be at least {}", schema.least));
    if (read > schema.most) return fail("", fmt::format("must be at most {}", schema.most));
    return Value{read};
  }

  std::optional<Value> list(JsonReader& in, const Schema& schema) {
    std::vector<Value> out;
    const std::size_t here = path_.size();
    const bool whole = in.items([&] {
      path_ += fmt::format("[{}]", out.size());
      auto one = value(in, *schema.items);
      if (!one) return false;
      path_.resize(here);
      out.push_back(*std::move(one));
      return true;
    });
    if (!whole) return std::nullopt;
    const auto size = static_cast<double>(out.size());
    if (size < schema.least) return fail("", fmt::format("must have at least {} items", schema.least));
    if (size > schema.most) return fail("", fmt::format("must have at most {} items", schema.most));
    return Value{std::move(out)};
  }

  std::string& fault_;
  std::string path_;
};

template <class T>
const T* as(const Object& object, std::string_view name) {
  const Value* value = object.find(name);
  return value ? std::get_if<T>(&value->is) : nullptr;
}

void write_bounds(const Schema& schema, std::string_view least, std::string_view most,
                  text::JsonWriter& out) {
  if (std::isfinite(schema.least)) out.member(least, schema.least);
  if (std::isfinite(schema.most)) out.member(most, schema.most);
}

void write(const Schema& schema, text::JsonWriter& out) {
  out.object();
  if (!schema.about.empty()) out.member("description", schema.about);
  switch (schema.type) {
    case Type::kObject:
      out.member("type", "object").key("properties").object();
      for (const Member& member : schema.members) write(member.schema, out.key(member.name));
      out.end_object();
      if (std::ranges::any_of(schema.members, &Member::required)) {
        out.key("required").array();
        for (const Member& member : schema.members)
          if (member.required) out.value(member.name);
        out.end_array();
      }
      if (!schema.open) out.member("additionalProperties", false);
      break;
    case Type::kText:
      out.member("type", "string");
      if (schema.form == Form::kUuid) out.member("format", "uuid");
      if (!schema.one_of.empty()) {
        out.key("enum").array();
        for (const std::string_view one : schema.one_of) out.value(one);
        out.end_array();
      }
      write_bounds(schema, "minLength", "maxLength", out);
      break;
    case Type::kInteger:
    case Type::kNumber:
      out.member("type", schema.type == Type::kInteger ? "integer" : "number");
      write_bounds(schema, "minimum", "maximum", out);
      break;
    case Type::kFlag:
      out.member("type", "boolean");
      break;
    case Type::kList:
      out.member("type", "array");
      if (schema.items) write(*schema.items, out.key("items"));
      write_bounds(schema, "minItems", "maxItems", out);
      break;
  }
  out.end_object();
}

}  // namespace

const Value* Object::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &Named::name);
  return found == members.end() ? nullptr : &found->value;
}
std::string_view Object::text(std::string_view name, std::string_view other) const {
  const auto* found = as<std::string>(*this, name);
  return found ? std::string_view(*found) : other;
}
std::int64_t Object::integer(std::string_view name, std::int64_t other) const {
  const auto* found = as<double>(*this, name);
  return found ? static_cast<std::int64_t>(*found) : other;
}
double Object::number(std::string_view name, double other) const {
  const auto* found = as<double>(*this, name);
  return found ? *found : other;
}
bool Object::flag(std::string_view name, bool other) const {
  const auto* found = as<bool>(*this, name);
  return found ? *found : other;
}
std::span<const Value> Object::list(std::string_view name) const {
  const auto* found = as<std::vector<Value>>(*this, name);
  return found ? std::span<const Value>(*found) : std::span<const Value>();
}
const Object* Object::object(std::string_view name) const {
  return as<Object>(*this, name);
}

std::expected<Object, std::string> read_object(std::string_view json, const Schema& schema) {
  std::string fault;
  auto read = Reading(fault).object(json, schema);
  if (!read) return std::unexpected(std::move(fault));
  return *std::move(read);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

void append_json_schema(const Schema& schema, std::string& out) {
  text::JsonWriter writer(out);
  write(schema, writer);
}

}  // namespace app
