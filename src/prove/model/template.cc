#include "prove/model/template.h"

#include <algorithm>

namespace prove {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kLiteral = "{{{{";

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::size_t Slots::slot_of(std::string_view name) {
  if (const auto known = find(name)) return *known;
  names_.emplace_back(name);
  return names_.size() - 1;
}

std::optional<std::size_t> Slots::find(std::string_view name) const {
  const auto known = std::ranges::find(names_, name);
  if (known == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(known - names_.begin());
}

std::expected<Template, std::string> Template::compile(std::string_view text, Slots& slots) {
  Template out;
  out.text_ = text;
  Part part;
  while (!text.empty()) {
    const std::size_t open = text.find(kOpen);
    part.literal += text.substr(0, open);
    if (open == text.npos) break;
    text.remove_prefix(open);
    if (text.starts_with(kLiteral)) {
      part.literal += kOpen;
      text.remove_prefix(kLiteral.size());
      continue;
    }
    const std::size_t close = text.find(kClose);
    if (close == text.npos)
      return std::unexpected("has a '{{' without its '}}' (write '{{{{' for a plain '{{')");
    const std::string_view name = trimmed(text.substr(kOpen.size(), close - kOpen.size()));
    if (!is_name(name))
      return std::unexpected("has a '{{' that does not name a value (write '{{{{' for a plain '{{')");
    part.slot = slots.slot_of(name);
    out.parts_.push_back(std::move(part));
    part = {};
    text.remove_prefix(close + kClose.size());
  }
  if (!part.literal.empty()) out.parts_.push_back(std::move(part));
  return out;
}

bool Template::constant() const {
  return std::ranges::all_of(parts_, [](const Part& part) { return part.slot == kNone; });
}

std::vector<std::size_t> Template::slots() const {
  std::vector<std::size_t> out;
  for (const Part& part : parts_)
    if (part.slot != kNone && std::ranges::find(out, part.slot) == out.end()) out.push_back(part.slot);
  return out;
}

void Template::append_to(std::string& out, const Values& values) const {
  for (const Part& part : parts_) {
    out += part.literal;
    if (part.slot != kNone) out += values[part.slot];
  }
}

std::string Template::render(const Values& values) const {
  std::string out;
  append_to(out, values);
  return out;
}

}  // namespace prove
