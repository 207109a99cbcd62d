// UTF-8: what is well-formed (RFC 3629 §4: no surrogates, nothing overlong, nothing above U+10FFFF).
//
// Owner: nobody; functions. Thread: any. Failures: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace text {

// The length of the well-formed sequence that `s` begins with; 0 when it begins with none.
std::size_t utf8_length(std::string_view s);

bool valid_utf8(std::string_view s);

// `point` is a scalar value: below U+110000 and no surrogate.
void append_utf8(std::uint32_t point, std::string& out);

}  // namespace text
