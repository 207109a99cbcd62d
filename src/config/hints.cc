#include "config/hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "config/error.h"
#include "config/values.h"

namespace config {
namespace {

constexpr std::string_view kNoTls =
    "; TLS for clients is not supported yet: let a proxy in front speak it, and name that in "
    "'trusted_proxies'";

// What others call it, and what it is called here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kOtherNames{{
    {"auth", "identity"},     {"authentication", "identity"},
    {"backend", "origin"},    {"backends", "origins"},
    {"bind", "listen"},       {"directory", "path"},
    {"endpoint", "url"},      {"folder", "path"},
    {"host", "url"},          {"jwt", "identities"},
    {"location", "path"},     {"match", "path"},
    {"port", "listen"},       {"prefix", "path"},
    {"proxy_pass", "origin"}, {"root", "path"},
    {"server", "origins"},    {"servers", "origins"},
    {"services", "origins"},  {"target", "origin"},
    {"upstream", "origin"},   {"upstreams", "origins"},
}};

bool contains(std::span<const std::string_view> known, std::string_view name) {
  return std::ranges::find(known, name) != known.end();
}

// ---- lines of YAML

struct Line {
  int number = 0;
  std::string_view text;  // without its indentation and a comment of its own
  std::string_view indent;
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> out;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
    out.push_back({.number = number, .text = line.substr(begin), .indent = line.substr(0, begin)});
  }
  return out;
}

bool is_comment(const Line& line) {
  return line.text.empty() || line.text.starts_with('#');
}

// ${NAME} outside quotes, inside { } or [ ]: the brace ends the map.
bool has_bare_variable(std::string_view text) {
  char quote = 0;
  int flow = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (flow > 0 && text.substr(i).starts_with("${")) {
      return true;
    } else if (c == '{' || c == '[') {
      ++flow;
    } else if (c == '}' || c == ']') {
      --flow;
    }
  }
  return false;
}

// "key:value", as "type:dir"; a URL has no space either.
bool lacks_space(std::string_view text) {
  if (text.starts_with("- ")) text.remove_prefix(2);
  const std::size_t colon = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
  return colon != text.npos && colon > 0 && text[colon] == ':' && colon + 1 < text.size() &&
         text[colon + 1] != ' ' && !text.substr(colon).starts_with("://");
}

// "key: value: more", outside quotes and braces.
bool has_second_colon(std::string_view text) {
  const std::size_t first = text.find(": ");
  if (first == text.npos || text.substr(0, first).find_first_of("{[\"'") != text.npos) return false;
  const std::string_view value = text.substr(first + 2);
  return !value.empty() && !std::string_view("\"'{[|>").contains(value[0]) &&
         (value.contains(": ") || value.ends_with(':'));
}

// A quote or a brace that the line opens and does not close: its character, or 0.
char left_open(std::string_view text) {
  char quote = 0;
  std::string open;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if ((c == '"' || c == '\'') && (i == 0 || std::string_view(" {[,:").contains(text[i - 1]))) {
      quote = c;
    } else if (c == '#' && (i == 0 || text[i - 1] == ' ')) {
      break;
    } else if (c == '{' || c == '[') {
      open += c;
    } else if ((c == '}' || c == ']') && !open.empty()) {
      open.pop_back();
    }
  }
  return quote != 0 ? quote : open.empty() ? '\0' : open.back();
}

}  // namespace

std::string hint_for_key(const Entry& entry, std::span<const std::string_view> known) {
  const std::string& name = entry.name;
  if (std::string hint = did_you_mean(name, known); !hint.empty()) return hint;
  if (name == "tls") return std::string(kNoTls);
  if (name.starts_with('/') && contains(known, "path"))
    return fmt::format("; routes are a list: '- {{ path: {}, … }}'", name);
  if (const Entry* path = entry.value.find("path"); path != nullptr && contains(known, "path"))
    return fmt::format("; routes are a list and have no names: '- {{ path: {}, … }}'", path->value.text);
  for (const auto& [theirs, ours] : kOtherNames)
    if (theirs == name && contains(known, ours)) return fmt::format(", did you mean '{}'?", ours);
  return "";
}

std::string hint_for_planned(std::string_view name) {
  return name == "tls" ? std::string(kNoTls.substr(kNoTls.find(':'))) : "";
}

std::string hint_for_map(const YamlNode& node, const Section& section) {
  if (const std::size_t colon = node.text.find(':');
      !node.quoted && colon != node.text.npos && lacks_space(node.text))
    return fmt::format("; is a space missing behind '{}'?", std::string_view(node.text).substr(0, colon + 1));
  for (const Row& row : section.rows)
    if (row.kind != Kind::kPlanned) return fmt::format("; write {{ {}: … }}", row.name);
  return "";
}

std::optional<SyntaxHint> hint_for_syntax(std::string_view text, int line, std::string_view said) {
  const std::vector<Line> lines = lines_of(text);
  const auto last = lines.begin() + std::min<std::ptrdiff_t>(line, std::ssize(lines));
  const auto find = [&](auto wrong) -> const Line* {  // the last up to the parser's
    for (auto at = last; at != lines.begin();)
      if (--at; !is_comment(*at) && wrong(*at)) return &*at;
    return nullptr;
  };
  const auto near = [line](const Line& l) { return l.number >= line - 1; };
  if (const Line* at = find([&](const Line& l) { return near(l) && l.indent.contains('\t'); }))
    return SyntaxHint{at->number, "is indented with a tab; YAML takes spaces only"};
  if (const Line* at = find([](const Line& l) { return has_bare_variable(l.text); }))
    return SyntaxHint{at->number, "a variable within { } or [ ] needs quotes: \"${NAME}\""};
  if (const Line* at = find([&](const Line& l) { return near(l) && lacks_space(l.text); }))
    return SyntaxHint{at->number, fmt::format("a space is missing behind '{}'",
                                              at->text.substr(0, at->text.find(':') + 1))};
  if (const Line* at = find([&](const Line& l) { return l.number == line && has_second_colon(l.text); }))
    return SyntaxHint{at->number, "a value that holds ': ' needs quotes"};
  const bool endless = said.contains("flow not found") || said.contains("EOF");
  if (const Line* at = endless ? find([](const Line& l) { return left_open(l.text) != 0; }) : nullptr)
    return SyntaxHint{at->number, fmt::format("is this {} never closed?", left_open(at->text))};
  return std::nullopt;
}

}  // namespace config
