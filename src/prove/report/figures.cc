#include "prove/report/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace prove {
namespace {

std::string grouped(std::string digits) {
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

// Three significant digits, never in powers of ten.
std::string three_digits(double value) {
  const double size = std::abs(value);
  if (size >= 99.95) return fmt::format("{:.0f}", value);
  if (size >= 9.995) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

}  // namespace

std::string count_text(std::uint64_t count) {
  return grouped(std::to_string(count));
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "–" : value < 0 ? "−∞" : "∞";
  const std::string_view sign = value < 0 ? "−" : "";
  const double size = std::abs(value);
  if (size >= 1e15) return fmt::format("{}{:.3g}", sign, size);
  if (size >= 99.95 || size == std::floor(size))
    return fmt::format("{}{}", sign, grouped(fmt::format("{:.0f}", size)));
  if (size >= 0.995) return fmt::format("{}{}", sign, three_digits(size));
  return fmt::format("{}{:.3g}", sign, size);
}

std::string rate_text(double a_second) {
  return number_text(a_second) + "/s";
}

std::string duration_text(base::Nanos duration) {
  const auto ns = static_cast<double>(duration.count());
  const double size = std::abs(ns);
  if (size == 0) return "0 s";
  if (size < 999.5) return fmt::format("{:.0f} ns", ns);
  if (size < 999.5e3) return three_digits(ns / 1e3) + " µs";
  if (size < 999.5e6) return three_digits(ns / 1e6) + " ms";
  return seconds_text(ns / 1e9);
}

std::string seconds_text(double seconds) {
  if (seconds < 0.9995 && seconds > -0.9995)
    return duration_text(base::Nanos(static_cast<std::int64_t>(seconds * 1e9)));
  if (seconds < 59.5) {
    const double hundredths = std::round(seconds * 100) / 100;
    if (hundredths == std::floor(hundredths)) return fmt::format("{:.0f} s", hundredths);
    return seconds < 9.995 ? fmt::format("{:.2f} s", seconds) : fmt::format("{:.1f} s", seconds);
  }
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  const std::uint64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  if (hours > 0) return minutes > 0 ? fmt::format("{} h {} min", hours, minutes) : fmt::format("{} h", hours);
  return rest > 0 ? fmt::format("{} min {} s", minutes, rest) : fmt::format("{} min", minutes);
}

std::string bytes_text(double bytes) {
  static constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  double size = std::abs(bytes);
  for (; size >= 1023.5 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  return fmt::format("{}{} {}", bytes < 0 ? "−" : "",
                     unit == 0 ? fmt::format("{:.0f}", size) : three_digits(size), kUnits[unit]);
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(std::max(seconds, 0.0)));
  const std::uint64_t hours = whole / 3600;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, whole / 60 % 60, whole % 60)
                   : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string percent_text(double percent) {
  if (!std::isfinite(percent)) return "–";
  const double from_edge = std::min(std::abs(percent), std::abs(100 - percent));
  int decimals = 2;
  while (from_edge > 0 && from_edge < 0.5 * std::pow(10, -decimals) && decimals < 8) ++decimals;
  std::string digits = fmt::format("{:.{}f}", percent, decimals);
  if (digits.find('.') != std::string::npos) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  return digits + " %";
}

}  // namespace prove
