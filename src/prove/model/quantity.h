// What kind of figure a number is, so that 50 ms is never compared with 50, nor a share of 0.4 with 40 %.
//
// Owner:    nobody; plain values and pure functions.  Thread: any.
// Units:    seconds, bytes, and shares as fractions: 100 % is 1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace prove {

struct Dimension {
  int time = 0;         // seconds to this power
  int bytes = 0;        // bytes to this power
  bool share = false;   // a part of a whole, written in %; only where the two above are 0
  bool hourly = false;  // how a rate is printed; no difference otherwise

  friend bool operator==(const Dimension& a, const Dimension& b) {
    return a.time == b.time && a.bytes == b.bytes && a.share == b.share;
  }
};

inline constexpr Dimension kPlain{};
inline constexpr Dimension kTime{1, 0, false, false};
inline constexpr Dimension kBytes{0, 1, false, false};
inline constexpr Dimension kShare{0, 0, true, false};
inline constexpr Dimension kPerSecond{-1, 0, false, false};

Dimension product(Dimension a, Dimension b);   // a share of something is such a thing
Dimension quotient(Dimension a, Dimension b);  // of two shares: a plain number

std::string_view name_of(Dimension kind);  // "a time", "a plain number"

struct Factor {
  double value = 1;
  Dimension kind;
};
// "ms", "%", "MiB", "/s", "MB/h"; nothing for what is no unit.
std::optional<Factor> unit_of(std::string_view word);

// For people: "12.4 ms", "99.98 %", "1.2 MB/h", "310/s". Never rounds a share to 0 or 100 % that is not.
std::string show(double value, Dimension kind);

}  // namespace prove
