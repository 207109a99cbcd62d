#include "prove/record/markup.h"

#include <cstdint>

namespace prove {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the well-formed UTF-8 sequence that `text` begins with (Unicode 15, table 3-7); 0: none.
std::size_t sequence(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!follows(1) || !follows(2)) return 0;
    if ((lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F)) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if ((lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F)) return 0;
    return 4;
  }
  return 0;
}

// U+0080 to U+009F (terminals obey them), U+FFFE and U+FFFF (no characters of XML).
bool unfit(std::string_view s) {
  if (s.size() == 2) return s[0] == '\xC2' && static_cast<std::uint8_t>(s[1]) < 0xA0;
  return s == "\xEF\xBF\xBE" || s == "\xEF\xBF\xBF";
}

}  // namespace

std::string clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence(text);
    const auto c = static_cast<std::uint8_t>(text[0]);
    const bool control = (c < 0x20 && c != '\t' && c != '\n') || c == 0x7F;
    if (length == 0 || control || unfit(text.substr(0, length)))
      out += kReplacement;
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string html(std::string_view text) {
  std::string out;
  for (const char c : clean(text)) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out = clean(text);
  for (char& c : out)
    if (c == '\n' || c == '\t') c = ' ';
  return out;
}

std::string markdown(std::string_view text) {
  static constexpr std::string_view kSpecial = "\\`*_[]<>|~#&";
  std::string out;
  for (const char c : one_line(text)) {
    if (kSpecial.contains(c)) out += '\\';
    out += c;
    if (c == '@') out += "\u200B";  // or a name in a campaign would notify a stranger
  }
  return out;
}

std::string json_island(std::string_view json) {
  std::string out;
  for (const char c : clean(json))
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  return out;
}

}  // namespace prove
