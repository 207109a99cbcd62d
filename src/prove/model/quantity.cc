#include "prove/model/quantity.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace prove {
namespace {

bool is_plain(Dimension k) {
  return k == kPlain;
}

struct Scale {
  double value;
  std::string_view name;
};
constexpr std::array kTimes = {Scale{3600, " h"},  Scale{120, " min"}, Scale{1, " s"},
                               Scale{1e-3, " ms"}, Scale{1e-6, " µs"}, Scale{1e-9, " ns"}};
constexpr std::array kSizes = {Scale{1e12, " TB"}, Scale{1e9, " GB"}, Scale{1e6, " MB"}, Scale{1e3, " KB"},
                               Scale{1, " B"}};

std::string without_zeros(std::string text) {
  if (text.find('.') == text.npos || text.find('e') != text.npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// Three digits, and all of those before the point.
std::string digits(double value) {
  const double size = std::abs(value);
  if (size < 1e15 && (size >= 100 || value == std::round(value))) return fmt::format("{:.0f}", value + 0.0);
  if (size >= 1) return without_zeros(fmt::format("{:.{}f}", value, size >= 10 ? 1 : 2));
  return fmt::format("{:.3g}", value);
}

template <std::size_t N>
std::string scaled(double value, const std::array<Scale, N>& scales) {
  const double size = std::abs(value);
  for (const Scale& s : scales) {
    if (size * 1.0000001 < s.value && &s != &scales[N - 1]) continue;
    const double unit = s.name == " min" ? 60 : s.value;
    return digits(value / unit) + std::string(s.name);
  }
  return {};
}

std::string percent(double share) {
  const double value = share * 100;
  const double distance = std::min(std::abs(value), std::abs(value - 100));
  if (distance < 1e-9) return fmt::format("{:.0f} %", value < 50 ? 0.0 : 100.0);
  const int decimals = distance >= 0.005 ? 2 : distance >= 0.00005 ? 4 : 7;
  return without_zeros(fmt::format("{:.{}f}", value, decimals)) + " %";
}

}  // namespace

Dimension product(Dimension a, Dimension b) {
  Dimension k{a.time + b.time, a.bytes + b.bytes, false, a.hourly || b.hourly};
  k.share = (a.share && (b.share || is_plain(b))) || (b.share && is_plain(a));
  return k;
}

Dimension quotient(Dimension a, Dimension b) {
  Dimension k{a.time - b.time, a.bytes - b.bytes, false, a.hourly};
  k.share = a.share && is_plain(b);
  return k;
}

std::string_view name_of(Dimension k) {
  if (k.share) return "a percentage";
  if (is_plain(k)) return "a plain number";
  if (k == kTime) return "a time";
  if (k == kBytes) return "a number of bytes";
  if (k == kPerSecond) return "a rate";
  if (k == Dimension{-1, 1}) return "bytes in a time";
  return "a mixture of units";
}

std::optional<Factor> unit_of(std::string_view word) {
  struct Unit {
    std::string_view name;
    double value;
    Dimension kind;
  };
  constexpr std::array kUnits = {
      Unit{"us", 1e-6, kTime},
      Unit{"ms", 1e-3, kTime},
      Unit{"s", 1, kTime},
      Unit{"m", 60, kTime},
      Unit{"h", 3600, kTime},
      Unit{"%", 0.01, kShare},
      Unit{"B", 1, kBytes},
      Unit{"KB", 1e3, kBytes},
      Unit{"MB", 1e6, kBytes},
      Unit{"GB", 1e9, kBytes},
      Unit{"KiB", 1024, kBytes},
      Unit{"MiB", 1024.0 * 1024, kBytes},
      Unit{"GiB", 1024.0 * 1024 * 1024, kBytes},
  };
  const std::size_t slash = std::min(word.find('/'), word.size());
  const std::string_view above = word.substr(0, slash);
  const std::string_view below = word.substr(std::min(slash + 1, word.size()));
  Factor factor;
  if (!above.empty()) {
    bool known = false;
    for (const Unit& u : kUnits)
      if (u.name == above) factor = {u.value, u.kind}, known = true;
    if (!known) return std::nullopt;
  }
  if (slash == word.size()) return above.empty() ? std::nullopt : std::optional(factor);
  if (below != "s" && below != "h") return std::nullopt;
  factor.kind = quotient(factor.kind, kTime);
  factor.kind.hourly = below == "h";
  if (below == "h") factor.value /= 3600;
  return factor;
}

std::string show(double value, Dimension kind) {
  if (!std::isfinite(value)) return "no number";
  if (kind.share) return percent(value);
  const double in_hours = kind.hourly && kind.time == -1 ? 3600 : 1;
  const std::string_view per = kind.hourly ? "/h" : "/s";
  if (kind == kTime) return value == 0 ? "0 s" : scaled(value, kTimes);
  if (kind == kBytes) return scaled(value, kSizes);
  if (kind == kPerSecond) return digits(value * in_hours) + std::string(per);
  if (kind == Dimension{-1, 1}) return scaled(value * in_hours, kSizes) + std::string(per);
  return digits(value);
}

}  // namespace prove
