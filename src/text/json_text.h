// Text of any bytes as the inside of a JSON string (RFC 8259 §7). The one escaper: logs, problems, replies.
//
// Thread:   any.
// Failures: none: quotes, backslashes, C0 and C1 controls and DEL are escaped, bytes that are not UTF-8
//           become U+FFFD, so that neither a parser nor a terminal is harmed by what a client sent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace text {

inline constexpr std::size_t kEscapeGrowth = 6;  // bytes out for a byte in, at most

// Writes to out, without quotes and without a terminator; returns the end.
char* escape_json(std::string_view text, char* out);

// With quotes.
void append_json(std::string& out, std::string_view text);

}  // namespace text
