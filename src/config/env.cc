#include "config/env.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace config {
namespace {

bool is_name(std::string_view s) {
  const auto word = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !s.empty() && !(s[0] >= '0' && s[0] <= '9') && std::ranges::all_of(s, word);
}

}  // namespace

Env process_env() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody calls setenv
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

std::expected<std::string, std::string> expand(std::string_view text, const Env& env) {
  if (text.starts_with('$') && is_name(text.substr(1)) && env(std::string(text.substr(1))))
    return std::unexpected(
        fmt::format("is '{0}' as it stands; the variable is written ${{{1}}}", text, text.substr(1)));
  std::string out;
  while (true) {
    const std::size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == text.npos) return out;
    text.remove_prefix(dollar);
    if (text.starts_with("$${")) {
      out += "${";
      text.remove_prefix(3);
      continue;
    }
    if (!text.starts_with("${")) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('}');
    if (end == text.npos) return std::unexpected("has a '${' without its '}' (write $${ for a plain one)");
    const std::string_view inside = text.substr(2, end - 2);
    text.remove_prefix(end + 1);
    const std::size_t split = inside.find(":-");
    const std::string name(inside.substr(0, split));
    if (!is_name(name))
      return std::unexpected("has a '${' that does not name a variable (write $${ for a plain one)");
    const std::optional<std::string> value = env(name);
    if (split == inside.npos) {
      if (!value)
        return std::unexpected(
            fmt::format("the environment variable {0} is not set, and ${{{0}}} gives no default", name));
      out += *value;
    } else {
      const std::string_view fallback = inside.substr(split + 2);
      if (fallback.contains("${")) return std::unexpected("has a variable inside a variable's default");
      out += value && !value->empty() ? std::string_view(*value) : fallback;
    }
  }
}

}  // namespace config
