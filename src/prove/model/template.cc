#include "prove/model/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/sabotage.h"
#include "prove/model/function.h"

namespace prove {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kLiteral = "{{{{";
constexpr std::array<std::pair<std::string_view, Escape>, 4> kEscapes = {
    {{"raw", Escape::kRaw}, {"json", Escape::kJson}, {"url", Escape::kUrl}, {"base64", Escape::kBase64}}};

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

// RFC 3986: which bytes of a value stay as they are, in each place of a target and wherever it may stand.
enum class Place : std::uint8_t { kTarget, kPath, kQuery, kAnywhere };
constexpr auto kPlain = [] {
  std::array<std::array<bool, 256>, 4> tables{};
  const auto allow = [&](Place place, std::string_view bytes) {
    for (const char c : bytes) tables[static_cast<std::size_t>(place)][static_cast<unsigned char>(c)] = true;
  };
  constexpr std::string_view kUnreserved =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  for (const Place place : {Place::kTarget, Place::kPath, Place::kQuery}) {
    allow(place, kUnreserved);
    allow(place, "/:@!$'()*,");
  }
  allow(Place::kAnywhere, kUnreserved);
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

// RFC 8259, 7.
void append_json(std::string& out, std::string_view value) {
  constexpr std::string_view kNames = "\b\f\n\r\t\"\\";
  for (const char c : value) {
    if (const std::size_t named = kNames.find(c); named != kNames.npos)
      out.append({'\\', "bfnrt\"\\"[named]});
    else if (static_cast<unsigned char>(c) < ' ')
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
}

// RFC 4648, 4.
void append_base64(std::string& out, std::string_view value) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (; !value.empty(); value.remove_prefix(std::min<std::size_t>(3, value.size()))) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < value.size() ? static_cast<unsigned char>(value[i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) out += i <= value.size() ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
  }
}

// RFC 9112, 3.2: the origin form, or the absolute form as links have it.
bool is_target(std::string_view text) {
  return text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://");
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

void append_escaped(std::string& out, std::string_view value, Escape escape) {
  switch (escape) {
    case Escape::kRaw:
      out += value;
      break;
    case Escape::kJson:
      append_json(out, value);
      break;
    case Escape::kUrl:
      append_encoded(out, value, Place::kAnywhere);
      break;
    case Escape::kBase64:
      append_base64(out, value);
      break;
  }
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
    if (auto read = read_hole(text.substr(kOpen.size(), close - kOpen.size()), part, slots); !read)
      return std::unexpected(std::move(read).error());
    out.parts_.push_back(std::move(part));
    part = {};
    text.remove_prefix(close + kClose.size());
  }
  if (!part.literal.empty()) out.parts_.push_back(std::move(part));
  return out;
}

// name, name|json, random_string(8, 'a|b') | base64 | url
std::expected<void, std::string> Template::read_hole(std::string_view hole, Part& part, Slots& slots) {
  const std::size_t behind = hole.find(')');  // an alphabet may hold a bar
  const std::size_t bar = hole.find('|', behind == hole.npos ? 0 : hole.rfind(')'));
  std::string_view name = trimmed(hole.substr(0, bar));
  std::string_view rest = bar == hole.npos ? "" : hole.substr(bar);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view word = trimmed(rest.substr(0, rest.find('|')));
    rest.remove_prefix(std::min(rest.find('|'), rest.size()));
    const auto* const known = std::ranges::find(kEscapes, word, [](const auto& e) { return e.first; });
    if (known == kEscapes.end())
      return std::unexpected(fmt::format("has a '|{}', which is none of: raw, json, url, base64", word));
    if (part.raw()) return std::unexpected("has a '|raw' that is not the last");
    part.escapes.push_back(known->second);
  }
  std::string called;
  if (name.contains('(')) {
    auto function = Function::parse(name);
    if (!function) return std::unexpected(fmt::format("has a '{}', which {}", name, function.error()));
    called = function->name();
    name = called;
  } else if (!is_name(name)) {
    return std::unexpected("has a '{{' that does not name a value (write '{{{{' for a plain '{{')");
  }
  part.slot = slots.slot_of(name);
  return {};
}

Template Template::literal(std::string_view text) {
  Template out;
  out.text_ = text;
  if (!text.empty()) out.parts_.push_back({.literal = std::string(text), .slot = kNone, .escapes = {}});
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
    if (part.raw()) out.push_back(part.slot);
  return out;
}

std::vector<std::size_t> Template::escaped_slots() const {
  std::vector<std::size_t> out;
  for (const Part& part : parts_)
    if (!part.escapes.empty() && part.escapes.front() != Escape::kRaw) out.push_back(part.slot);
  return out;
}

std::optional<std::size_t> Template::begins_with_value() const {
  if (parts_.empty() || !parts_[0].literal.empty() || parts_[0].slot == kNone) return std::nullopt;
  return parts_[0].slot;
}

void Template::append_value(std::string& out, const Part& part, const Values& values) {
  const std::string& value = values[part.slot];
  if (part.escapes.empty()) {
    out += value;
    return;
  }
  if (part.escapes.size() == 1) return append_escaped(out, value, part.escapes[0]);
  std::string now = value, next;
  for (const Escape escape : part.escapes) {
    next.clear();
    append_escaped(next, now, escape);
    std::swap(now, next);
  }
  out += now;
}

void Template::append_to(std::string& out, const Values& values) const {
  for (const Part& part : parts_) {
    out += part.literal;
    if (part.slot != kNone) append_value(out, part, values);
  }
}

std::string Template::render(const Values& values) const {
  std::string out;
  append_to(out, values);
  return out;
}

bool Template::append_target_to(std::string& out, const Values& values) const {
  bool query = false, fits = true;
  const bool whole = begins_with_value().has_value();
  const std::size_t begin = out.size();
  for (const Part& part : parts_) {
    out += part.literal;
    query = query || part.literal.contains('?');
    if (part.slot == kNone) continue;
    const std::size_t from = out.size();
    const Place place = whole && &part == parts_.data() ? Place::kTarget
                        : query                         ? Place::kQuery
                                                        : Place::kPath;
    if (part.raw() || part.encoded() || sabotage::on("prove-values-raw")) {
      append_value(out, part, values);
      fits = fits && fits_target(std::string_view(out).substr(from));
    } else if (part.escapes.empty()) {
      append_encoded(out, values[part.slot], place);
    } else {
      std::string escaped;
      append_value(escaped, part, values);
      append_encoded(out, escaped, place);
    }
    query = query ||
            ((part.raw() || place == Place::kTarget) && std::string_view(out).substr(from).contains('?'));
  }
  return fits && (!whole || is_target(std::string_view(out).substr(begin)));
}

bool Template::append_field_to(std::string& out, const Values& values) const {
  bool fits = true;
  for (const Part& part : parts_) {
    out += part.literal;
    if (part.slot == kNone) continue;
    const std::size_t from = out.size();
    append_value(out, part, values);
    fits = fits && fits_field(std::string_view(out).substr(from));
  }
  return fits;
}

}  // namespace prove
