#include "prove/import/document.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <stdexcept>

#include "config/yaml.h"
#include "prove/wire/json_text.h"

namespace prove::import {
namespace {

namespace json = boost::json;

// Browsers write the stack of whoever asked, one level for each call.
constexpr std::size_t kDepth = 512;

bool is_number(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  return !error && value.is_number();
}

Json from_yaml(const config::YamlNode& node, const std::string& name) {
  using Kind = config::YamlNode::Kind;
  if (node.kind == Kind::kList) {
    json::array out;
    out.reserve(node.items.size());
    for (const config::YamlNode& item : node.items) out.push_back(from_yaml(item, name));
    return out;
  }
  if (node.kind == Kind::kMap) {
    json::object out;
    for (const config::Entry& entry : node.entries)
      if (!out.emplace(entry.name, from_yaml(entry.value, name)).second)
        throw std::runtime_error(fmt::format("{}:{}: '{}' is given twice", name, entry.line, entry.name));
    return out;
  }
  if (node.quoted) return text_value(node.text);
  if (node.kind == Kind::kNull || node.text == "null" || node.text == "~") return nullptr;
  if (node.text == "true" || node.text == "false") return node.text == "true";
  return is_number(node.text) ? number_value(node.text) : text_value(node.text);
}

}  // namespace

Json text_value(std::string_view text) {
  return Json("s" + std::string(text));
}
Json number_value(std::string_view digits) {
  return Json("n" + std::string(digits));
}

Json read_document(std::string_view text, const std::string& name) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (text.contains('\0')) throw std::runtime_error(name + ": holds a NUL byte; is it a text file?");
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) throw std::runtime_error(name + ": is empty");
  if (text[first] != '{') return from_yaml(config::parse_yaml(std::string(text), name), name);
  std::optional<Json> whole = parse_as_written(text, kDepth);
  if (!whole) throw std::runtime_error(name + ": is not JSON");
  return *std::move(whole);
}

const Json* find(const Json* object, std::string_view key) {
  if (object == nullptr || !object->is_object()) return nullptr;
  return object->get_object().if_contains(key);
}

const json::array& items(const Json* list) {
  static const json::array none;
  return list != nullptr && list->is_array() ? list->get_array() : none;
}

const json::object& members(const Json* object) {
  static const json::object none;
  return object != nullptr && object->is_object() ? object->get_object() : none;
}

std::string text(const Json* value) {
  if (value == nullptr || value->is_object() || value->is_array() || value->is_null()) return "";
  return text_of(*value);
}

std::string text(const Json* object, std::string_view key) {
  return text(find(object, key));
}

std::optional<double> number(const Json* value) {
  const std::string digits = text(value);
  double out = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return out;
}

bool is_true(const Json* value) {
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string json_of(const Json& value) {
  const json::string* text = value.if_string();
  if (text == nullptr || text->front() == 'n') return text_of(value);
  return json::serialize(Json(text_of(value)));
}

}  // namespace prove::import
