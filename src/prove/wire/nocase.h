// Names of fields, schemes and hosts, which are the same in capitals and without (ASCII alone).
//
// Owner:    nobody; pure functions.  Thread: any.  Failures: none.
#pragma once

#include <algorithm>
#include <string_view>

namespace prove {

constexpr char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr bool same_nocase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, small, small);
}
constexpr bool begins_nocase(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && same_nocase(text.substr(0, with.size()), with);
}

}  // namespace prove
