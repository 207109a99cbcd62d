#include "config/claim_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// RFC 8259 §6.
bool is_json_number(std::string_view s) {
  const auto digits = [&s] {
    const std::size_t n = static_cast<std::size_t>(std::ranges::find_if_not(s, is_digit) - s.begin());
    s.remove_prefix(n);
    return n;
  };
  const auto take = [&s](char c) {
    if (!s.starts_with(c)) return false;
    s.remove_prefix(1);
    return true;
  };
  take('-');
  if (!take('0') && digits() == 0) return false;
  if (take('.') && digits() == 0) return false;
  if (take('e') || take('E')) {
    if (!take('-')) take('+');
    if (digits() == 0) return false;
  }
  return s.empty();
}

// What YAML 1.1 or 1.2 take for a number, and JSON does not.
bool looks_like_a_number(std::string_view s) {
  if (s.starts_with('+') || s.starts_with('-')) s.remove_prefix(1);
  if (s.starts_with('.') && s.size() == 4 && (s[1] == 'i' || s[1] == 'I' || s[1] == 'n' || s[1] == 'N'))
    return true;  // .inf, .NaN
  if (s.empty() || (!is_digit(s[0]) && (s[0] != '.' || s.size() < 2 || !is_digit(s[1])))) return false;
  if (s.starts_with("0x") || s.starts_with("0o") || s.starts_with("0b"))
    return std::ranges::all_of(s.substr(2), [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '_';
    });
  std::string plain(s);
  std::erase(plain, '_');
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  return end == plain.data() + plain.size();
}

constexpr std::array<std::string_view, 16> kOtherSwitches = {"yes",  "Yes",  "YES",   "no",   "No",  "NO",
                                                             "on",   "On",   "ON",    "off",  "Off", "OFF",
                                                             "True", "TRUE", "False", "FALSE"};

}  // namespace

Parsed<ClaimValue> parse_claim_value(std::string_view text, bool quoted) {
  if (quoted) return std::string(text);
  if (text == "true") return true;
  if (text == "false") return false;
  if (std::ranges::find(kOtherSwitches, text) != kOtherSwitches.end())
    return std::unexpected("is a text or a switch; write true or false, or put the text in quotes");
  if (is_json_number(text)) {
    const char* const begin = text.data();  // NOLINT(bugprone-suspicious-stringview-data-usage): with its end
    const char* const end = begin + text.size();
    if (text.find_first_of(".eE") == text.npos) {
      std::int64_t whole = 0;
      if (std::from_chars(begin, end, whole).ec != std::errc())
        return std::unexpected("is beyond whole numbers of 64 bits");
      return whole;
    }
    double number = 0;
    if (std::from_chars(begin, end, number).ec != std::errc() || !std::isfinite(number))
      return std::unexpected("is beyond the numbers of a computer");
    return number;
  }
  if (looks_like_a_number(text))
    return std::unexpected("is a text or a number; write the number as JSON does, or put the text in quotes");
  return std::string(text);
}

}  // namespace config
