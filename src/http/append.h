// Small appends that heads are made of: to a string whose capacity is kept, nothing formatted twice.
//
// Owner:    nobody; functions.  Thread: any.  Failure: none.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace http {

inline void append_number(std::string& out, std::uint64_t n) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
  out.append(digits, end);
}

inline void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace http
