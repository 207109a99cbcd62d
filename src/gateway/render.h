// Writing reply heads: small appends to a string whose capacity is kept, nothing parsed, nothing formatted twice.
//
// Owner:    nobody; functions.  Thread: any.  Failure: none.
// Standard: RFC 9112 section 4 (status line), RFC 9211 (Cache-Status), RFC 9111 section 5.1 (Age).
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "gateway/exchange.h"
#include "http/response_head.h"

namespace gateway {

inline void append_number(std::string& out, std::uint64_t n) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
  out.append(digits, end);
}

inline void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// "HTTP/1.1 200 OK\r\n" and what every reply of ours carries: the request id, how the caller stands with the rate
// limits of the route, and Connection where it says something that the version does not say by itself.
void begin_head(Exchange& x, std::uint16_t status);

// Age and Cache-Status for a hit, Cache-Status alone for the rest.
void append_cache_fields(Exchange& x, base::Nanos age, base::Nanos freshness);

// The fields of an origin's reply that go on to a client, each ended by CRLF. `stored`: those that a cache
// keeps, without what each reply gets anew.
// Where the route tells of rate limits of its own, an origin's word on its own would only contradict it.
void append_end_to_end(const Route& route, const http::ResponseHead& head, bool stored, std::string& out);

// Of rendered fields ("Name: value\r\n"…): the value of one, or "".
std::string_view rendered_value(std::string_view fields, std::string_view name);
// All but one.
void append_without(std::string_view fields, std::string_view name, std::string& out);

}  // namespace gateway
