// How often something may happen: 100/s, 10/m, 1000/h, 5/10s.
//
// Thread: any; pure functions. Failures as in values.h.
#pragma once

#include "config/values.h"

namespace config {

struct RateText {  // 1 to 1,000,000,000 in 1 ms to 31 d, and at most a million a second
  using Value = Rate;
  static constexpr std::string_view kForm = "rate";
  static constexpr std::string_view kPattern = "^[0-9]+/(ms|s|m|h|d|[0-9]+(ms|s|m|h|d)([0-9]+(ms|s|m|h))*)$";
  static Parsed<Rate> parse(std::string_view text);
  static std::string show(const Rate& v);
};

struct RateOrOff {  // `off` is a rate whose count is 0
  using Value = Rate;
  static constexpr std::string_view kForm = "rate or `off`";
  static constexpr std::string_view kPattern =
      "^(off|[0-9]+/(ms|s|m|h|d|[0-9]+(ms|s|m|h|d)([0-9]+(ms|s|m|h))*))$";
  static Parsed<Rate> parse(std::string_view text);
  static std::string show(const Rate& v);
};

}  // namespace config
