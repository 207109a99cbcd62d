#include "prove/wire/json_number.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace prove {
namespace {

// ± 0.d₁d₂d₃… · 10^exponent, without zeros at either end; nought has no digits.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
};

std::string_view digits_of(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(end);
  return out;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// What is larger is so large that its digits do not matter beside it.
std::int64_t bounded(std::string_view digits) {
  constexpr std::int64_t kMost = 1'000'000'000'000'000;
  std::int64_t out = 0;
  for (const char c : digits) out = std::min(kMost, out * 10 + (c - '0'));
  return out;
}

std::optional<Decimal> read(std::string_view text) {
  Decimal out;
  out.negative = take(text, '-');
  const std::string_view whole = digits_of(text);
  if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return std::nullopt;
  std::string_view fraction;
  if (take(text, '.')) {
    fraction = digits_of(text);
    if (fraction.empty()) return std::nullopt;
  }
  if (take(text, 'e') || take(text, 'E')) {
    const bool down = take(text, '-');
    if (!down) take(text, '+');
    const std::string_view exponent = digits_of(text);
    if (exponent.empty()) return std::nullopt;
    out.exponent = down ? -bounded(exponent) : bounded(exponent);
  }
  if (!text.empty()) return std::nullopt;
  out.digits.append(whole).append(fraction);
  out.exponent += static_cast<std::int64_t>(whole.size());
  const std::size_t zeros = std::min(out.digits.find_first_not_of('0'), out.digits.size());
  out.digits.erase(0, zeros);
  out.exponent -= static_cast<std::int64_t>(zeros);
  out.digits.erase(out.digits.find_last_not_of('0') + 1);
  if (out.digits.empty()) return Decimal{};
  return out;
}

}  // namespace

bool is_json_number(std::string_view text) {
  return read(text).has_value();
}

std::optional<std::strong_ordering> compare_numbers(std::string_view a, std::string_view b) {
  const auto x = read(a), y = read(b);
  if (!x || !y) return std::nullopt;
  const auto sign = [](const Decimal& d) { return d.digits.empty() ? 0 : d.negative ? -1 : 1; };
  if (sign(*x) != sign(*y)) return sign(*x) <=> sign(*y);
  // Without zeros at their ends digits compare as texts do.
  const auto size = x->digits.empty() || x->exponent == y->exponent ? x->digits.compare(y->digits) <=> 0
                                                                    : x->exponent <=> y->exponent;
  return x->negative ? 0 <=> size : size;
}

}  // namespace prove
