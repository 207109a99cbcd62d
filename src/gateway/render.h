// The fields of replies, rendered into the exchange. What the protocol adds to them is the session's
// (src/serve/).
//
// Owner:    nobody; functions.  Thread: any.  Failure: none.
// Standard: RFC 9211 (Cache-Status), RFC 9111 section 5.1 (Age).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "gateway/exchange.h"
#include "http/append.h"
#include "http/response_head.h"

namespace gateway {

using http::append_field;
using http::append_number;

// What every reply of ours carries: the request id, and how the caller stands with the rate limits of the
// route. Others are appended to what this returns.
std::string& begin_fields(Exchange& x);

// Age and Cache-Status for a hit, Cache-Status alone for the rest.
void append_cache_fields(Exchange& x, base::Nanos age, base::Nanos freshness);

// The fields of an origin's reply that go on to a client, each ended by CRLF. `stored`: those that a cache
// keeps, without what each reply gets anew. Nobody behind us sets a cookie that is a credential here. A route
// that is private says so in their Cache-Control; other words to shared caches go.
// Where the route tells of rate limits of its own, an origin's word on its own would only contradict it.
void append_end_to_end(const Route& route, const http::ResponseHead& head, bool stored, std::string& out);

// What the route lets through: for Allow.
std::string allowed_methods(const Exchange& x);

// A reply's Last-Modified, as far as it can be one: never later than its Date (RFC 9110 section 8.8.2.1). A
// view into the head.
std::string_view last_modified_of(const http::ResponseHead& head);

// Of rendered fields ("Name: value\r\n"…): the value of one, or "".
std::string_view rendered_value(std::string_view fields, std::string_view name);
// All but one.
void append_without(std::string_view fields, std::string_view name, std::string& out);

}  // namespace gateway
