// Dates of HTTP: one form out, three forms in.
//
// Owner: nobody; pure functions. Thread: any. Units: seconds since 1970, UTC, years 1 to 9999.
// Standard: RFC 9110 §5.6.7. Failure: what is not one of the three forms is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace http {

inline constexpr std::size_t kDateSize = 29;

// "Sun, 06 Nov 1994 08:49:37 GMT" into 29 bytes without a terminator; returns a view of them.
std::string_view write_date(std::int64_t unix_seconds, char (&out)[kDateSize]);

// IMF-fixdate, RFC 850 (its two-digit year is the nearest within 50 years ahead of `now`), asctime.
std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now);
std::optional<std::int64_t> parse_date(std::string_view text);  // with the wall clock of now

}  // namespace http
