// The pieces of a log line in JSON: texts, numbers, durations, times. For formatters that write into a buffer
// which is known to be large enough.
//
// Thread:   any; LineTime is its owner's.
// Failures: none. Each put_* writes at `out` and returns the end.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/clock.h"
#include "text/json_text.h"

namespace text {

namespace json_line {

inline constexpr std::size_t kMaxPath = 4096;  // bytes in, of what a line tells of a path
inline constexpr std::size_t kMaxText = 512;   // and of any other text

inline constexpr auto kPairs = [] {  // "000102…99"
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

template <std::size_t kLength>
char* put(char* out, const char (&literal)[kLength]) {
  std::memcpy(out, literal, kLength - 1);
  return out + kLength - 1;
}

inline char* put_pair(char* out, std::uint64_t n) {  // two digits
  std::memcpy(out, &kPairs[2 * n], 2);
  return out + 2;
}

inline char* put_milli(char* out, std::uint64_t n) {  // three digits
  *out = static_cast<char>('0' + n / 100);
  return put_pair(out + 1, n % 100);
}

inline char* put_number(char* out, std::uint64_t n) {
  char digits[20];
  char* p = digits + sizeof digits;
  for (; n >= 100; n /= 100) {
    p -= 2;
    put_pair(p, n % 100);
  }
  if (n >= 10) {
    p -= 2;
    put_pair(p, n);
  } else {
    *--p = static_cast<char>('0' + n);
  }
  const auto length = static_cast<std::size_t>(digits + sizeof digits - p);
  std::memcpy(out, p, length);
  return out + length;
}

inline char* put_millis(char* out, base::Nanos duration) {  // milliseconds with three decimals
  const std::int64_t ns = duration.count();
  const std::uint64_t us = ns > 0 ? (static_cast<std::uint64_t>(ns) + 500) / 1000 : 0;
  out = put_number(out, us / 1000);
  *out++ = '.';
  return put_milli(out, us % 1000);
}

// `key` comes with all that stands before the text: R"(,"path":")".
template <std::size_t kLength>
char* put_text(char* out, const char (&key)[kLength], std::string_view text, std::size_t most = kMaxText) {
  out = put(out, key);
  out = escape_json(text.substr(0, most), out);
  *out++ = '"';
  return out;
}

template <std::size_t kLength>
char* put_optional(char* out, const char (&key)[kLength], std::string_view text,
                   std::size_t most = kMaxText) {
  return text.empty() ? out : put_text(out, key, text, most);
}

}  // namespace json_line

// ISO 8601 in UTC with milliseconds: 2026-11-21T04:21:46.123Z. The seconds are rendered once for all lines
// that share them.
class LineTime {
 public:
  static constexpr std::size_t kSize = 24;
  char* put(char* out, base::Wall time);

 private:
  std::int64_t second_ = INT64_MIN;
  char date_[20];  // "2026-11-21T04:21:46." of second_
};

}  // namespace text
