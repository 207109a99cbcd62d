// Numbers of JSON, compared for what they are worth and to the last digit.
//
// Problem:  19.90 is 19.9, and 12345678901234567890 is not 12345678901234567891, which a double cannot tell.
// Owner:    nobody; pure functions.  Thread: any.
// Failures: nothing where one of the two is no number as RFC 8259, 6, has it.
#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace prove {

bool is_json_number(std::string_view text);
std::optional<std::strong_ordering> compare_numbers(std::string_view a, std::string_view b);

}  // namespace prove
