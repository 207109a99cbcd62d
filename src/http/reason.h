// Reason phrases, and the status lines made of them.
//
// Owner: nobody; constants. Thread: any.
// Standard: RFC 9110 §15, RFC 6585. Failure: a status without a registered phrase has an empty one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace http {

std::string_view reason_of(std::uint16_t status);

// Appends "HTTP/1.1 200 OK\r\n"; for a status without a phrase "HTTP/1.1 299 \r\n" (RFC 9112 §4).
void append_status_line(std::uint16_t status, std::string& out);

}  // namespace http
