// Figures as a person reads them: three significant digits, a unit, and no rounding that flatters.
//
// Owner: nobody.  Thread: any.
// Units: as the names say; the result is UTF-8.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace prove {

std::string duration_text(base::Nanos duration);  // "412 µs", "12.4 ms", "1.50 s", "2 min 5 s", "1 h 30 min"
std::string seconds_text(double seconds);         // the same, of seconds
std::string count_text(std::uint64_t count);      // "1,234,567"
std::string number_text(double value);            // "1,234,567", "12.3", "0.0042"; "–" for no number
std::string rate_text(double a_second);           // "1,234/s"
std::string bytes_text(double bytes);             // "12.4 MiB"
std::string clock_text(double seconds);           // where on the timeline: "1:05", "1:02:03"

// "99.98 %". What is less than everything never reads "100 %", and what is more than nothing never reads "0
// %".
std::string percent_text(double percent);

}  // namespace prove
