#include "prove/model/template.h"

#include <algorithm>
#include <array>

#include "base/sabotage.h"

namespace prove {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kLiteral = "{{{{";
constexpr std::string_view kRaw = "|raw";

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

// RFC 3986: which bytes of a value stay as they are, in each place of a target.
enum class Place : std::uint8_t { kTarget, kPath, kQuery };
constexpr auto kPlain = [] {
  std::array<std::array<bool, 256>, 3> tables{};
  const auto allow = [&](Place place, std::string_view bytes) {
    for (const char c : bytes) tables[static_cast<std::size_t>(place)][static_cast<unsigned char>(c)] = true;
  };
  for (const Place place : {Place::kTarget, Place::kPath, Place::kQuery}) {
    allow(place, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~");
    allow(place, "/:@!$'()*,");
  }
  allow(Place::kPath, "&=+;");
  allow(Place::kQuery, "?");
  allow(Place::kTarget, "&=+;?%[]");
  return tables;
}();

void append_encoded(std::string& out, std::string_view value, Place place) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto& plain = kPlain[static_cast<std::size_t>(place)];
  const auto fits = [&](char c) { return plain[static_cast<unsigned char>(c)]; };
  if (std::ranges::all_of(value, fits)) {
    out += value;
    return;
  }
  for (const char c : value) {
    if (fits(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

// RFC 9110, 5.5: with these a value would be a line of its own, or none.
bool fits_field(std::string_view value) {
  if (sabotage::on("prove-line-breaks-sent")) return true;
  return std::ranges::none_of(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// RFC 9112, 3.2: white space or a control ends the target.
bool fits_target(std::string_view value) {
  return std::ranges::none_of(value, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

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
    std::string_view name = trimmed(text.substr(kOpen.size(), close - kOpen.size()));
    if (name.ends_with(kRaw)) {
      name = trimmed(name.substr(0, name.size() - kRaw.size()));
      part.raw = true;
    }
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

std::vector<std::size_t> Template::raw_slots() const {
  std::vector<std::size_t> out;
  for (const Part& part : parts_)
    if (part.raw) out.push_back(part.slot);
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

bool Template::append_target_to(std::string& out, const Values& values) const {
  bool query = false, fits = true;
  for (const Part& part : parts_) {
    out += part.literal;
    query = query || part.literal.contains('?');
    if (part.slot == kNone) continue;
    const std::string& value = values[part.slot];
    const bool whole = &part == parts_.data() && part.literal.empty();
    if (part.raw || sabotage::on("prove-values-raw")) {
      fits = fits && fits_target(value);
      out += value;
    } else {
      append_encoded(out, value, whole ? Place::kTarget : query ? Place::kQuery : Place::kPath);
    }
    query = query || ((part.raw || whole) && value.contains('?'));
  }
  return fits;
}

bool Template::append_field_to(std::string& out, const Values& values) const {
  bool fits = true;
  for (const Part& part : parts_) {
    out += part.literal;
    if (part.slot == kNone) continue;
    fits = fits && fits_field(values[part.slot]);
    out += values[part.slot];
  }
  return fits;
}

}  // namespace prove
