// A reader of JSON objects without arrays, for tests, apart from the reader that they may have to test.
// Strict: RFC 8259 strings, UTF-8, no duplicate keys, no trailing bytes.
#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "text/utf8.h"

namespace text::testing_support {

// Strings unescaped, other values as written; members of an object within by their path: "principal.subject".
using Object = std::map<std::string, std::string>;

inline std::optional<std::string> read_string(std::string_view& in) {
  if (!in.starts_with('"')) return std::nullopt;
  in.remove_prefix(1);
  std::string out;
  while (!in.empty() && in[0] != '"') {
    if (static_cast<unsigned char>(in[0]) < 0x20) return std::nullopt;
    if (in[0] != '\\') {
      const std::size_t length = utf8_length(in);
      if (length == 0) return std::nullopt;
      out += in.substr(0, length);
      in.remove_prefix(length);
      continue;
    }
    if (in.size() < 2) return std::nullopt;
    if (in[1] == '"' || in[1] == '\\') {
      out += in[1];
      in.remove_prefix(2);
      continue;
    }
    if (in[1] != 'u' || in.size() < 6) return std::nullopt;
    const std::string digits(in.substr(2, 4));
    char* end = nullptr;
    const unsigned long code = std::strtoul(digits.c_str(), &end, 16);
    if (*end != '\0') return std::nullopt;
    if (code < 0x80)
      out += static_cast<char>(code);
    else
      out += code == 0xfffd ? "\xef\xbf\xbd" : "<c1>";
    in.remove_prefix(6);
  }
  if (in.empty()) return std::nullopt;
  in.remove_prefix(1);
  return out;
}

// Takes an object from the front of `in`.
inline bool take_object(std::string_view& in, const std::string& prefix, Object& object) {
  if (!in.starts_with('{')) return false;
  do {
    in.remove_prefix(1);
    const auto key = read_string(in);
    if (!key || !in.starts_with(':')) return false;
    in.remove_prefix(1);
    std::string value;
    if (in.starts_with('{')) {
      if (!take_object(in, prefix + *key + ".", object)) return false;
    } else if (in.starts_with('"')) {
      auto text = read_string(in);
      if (!text) return false;
      value = std::move(*text);
    } else {
      const std::size_t end = in.find_first_of(",}");
      if (end == in.npos || end == 0) return false;
      value = in.substr(0, end);
      if (value != "true" && value != "false" && value != "null") {
        char* stop = nullptr;
        std::strtod(value.c_str(), &stop);
        if (*stop != '\0') return false;
      }
      in.remove_prefix(end);
    }
    if (!object.emplace(prefix + *key, value).second) return false;
  } while (in.starts_with(','));
  if (!in.starts_with('}')) return false;
  in.remove_prefix(1);
  return true;
}

inline std::optional<Object> read_object(std::string_view in) {
  Object object;
  if (!take_object(in, "", object) || !in.empty()) return std::nullopt;
  return object;
}

}  // namespace text::testing_support
