// Text of any bytes as the inside of a JSON string (RFC 8259 §7), and the UTF-8 test (RFC 3629) behind it.
//
// Thread:   any.
// Failures: none: quotes, backslashes, C0 and C1 controls and DEL are escaped, bytes that are not UTF-8
//           become U+FFFD, so that neither a parser nor a terminal is harmed by what a client sent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace telemetry {

inline constexpr std::size_t kEscapeGrowth = 6;  // bytes out for a byte in, at most

// Writes to out, without quotes and without a terminator; returns the end.
char* escape_json(std::string_view text, char* out);

// With quotes.
void append_json(std::string& out, std::string_view text);

// The length of the well-formed sequence that text begins with; 0 when it begins with none.
std::size_t utf8_length(std::string_view text);

}  // namespace telemetry
