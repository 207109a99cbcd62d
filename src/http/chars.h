// Character classes and the small text operations that every parser of this room shares.
//
// Thread: any; the tables are constants. Failure: none. Units: bytes.
// Standard: RFC 9110 §5.6 (token, OWS, quoted-string), §5.5 (field values).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace http {

enum CharClass : std::uint8_t {
  kTokenChar = 1,   // tchar: names of fields, methods, directives
  kTargetChar = 2,  // visible ASCII but `#`: what a request target may be made of
  kValueChar = 4,   // field-vchar, SP, HTAB and obs-text: no other control, no DEL
  kHexChar = 8,
  kDigitChar = 16,
  kHostChar = 32,     // unreserved of RFC 3986: what a host name is made of, in practice
  kSegmentChar = 64,  // pchar of RFC 3986 but `%` and `;`: what needs no look within a segment of a path
};

namespace detail {
consteval std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> t{};
  for (int c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    const bool mark =
        std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    std::uint8_t bits = 0;
    if (digit || alpha || mark) bits |= kTokenChar;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTargetChar;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= kValueChar;
    if (hex) bits |= kHexChar;
    if (digit) bits |= kDigitChar;
    if (digit || alpha || c == '-' || c == '.' || c == '_' || c == '~') bits |= kHostChar;
    const bool delimiter =
        std::string_view("!$&'()*+,=:@").find(static_cast<char>(c)) != std::string_view::npos;
    if ((bits & kHostChar) != 0 || delimiter) bits |= kSegmentChar;
    t[static_cast<std::size_t>(c)] = bits;
  }
  return t;
}
}  // namespace detail

inline constexpr std::array<std::uint8_t, 256> kCharClasses = detail::make_classes();

constexpr bool is(CharClass wanted, char c) {
  return (kCharClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

constexpr bool is_token(std::string_view s) {
  for (const char c : s)
    if (!is(kTokenChar, c)) return false;
  return !s.empty();
}

constexpr std::string_view trim_ows(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// The value of a hex digit, or -1.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// 1*DIGIT and nothing else, within 64 bits; false otherwise.
constexpr bool parse_decimal(std::string_view s, std::uint64_t& out) {
  if (s.empty()) return false;
  std::uint64_t n = 0;
  for (const char c : s) {
    if (!is(kDigitChar, c)) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (n > (UINT64_MAX - digit) / 10) return false;
    n = n * 10 + digit;
  }
  out = n;
  return true;
}

// Takes the next element off a comma-separated list, trimmed; commas within quoted strings do not separate.
// Empty elements are passed over (RFC 9110 §5.6.1.2). False at the end.
//
//   for (std::string_view rest = value, item; next_element(rest, item);) …
constexpr bool next_element(std::string_view& rest, std::string_view& item) {
  while (!rest.empty()) {
    std::size_t end = 0;
    bool quoted = false;
    for (; end < rest.size(); ++end) {
      const char c = rest[end];
      if (quoted && c == '\\') {
        if (++end == rest.size()) break;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        break;
      }
    }
    item = trim_ows(rest.substr(0, end));
    rest.remove_prefix(end < rest.size() ? end + 1 : rest.size());
    if (!item.empty()) return true;
  }
  return false;
}

// Whether a comma-separated list of tokens holds this one, in any case.
constexpr bool list_has(std::string_view list, std::string_view token) {
  for (std::string_view item; next_element(list, item);)
    if (iequals(item, token)) return true;
  return false;
}

}  // namespace http
