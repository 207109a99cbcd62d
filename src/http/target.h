// The request target, decoded once: what routing, policy, cache key and origin all see.
//
// Owner:    the exchange.
// Thread:   its worker.
// Lifetime: views into the raw target, or into the scratch space when something had to be decoded.
// Standard: RFC 9112 §3.2, RFC 3986 §2.1 and §3.3.
//
// Usage:   char scratch[…];  Target t;  auto ok = parse_target(head.target, scratch, t);
//
// Failures: kBadRequest for whatever two readers of a path could take for two different objects: an encoded
// slash or backslash, a backslash, NUL or a control, bad percent-encoding, a segment that is `.` or `..` once
// decoded, a fragment. UTF-8 is not enforced: object names are bytes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace http {

struct Target {
  std::string_view path;  // decoded, begins with a slash, `//` kept: an S3 key needs it; "*" for OPTIONS *
  std::string_view collapsed;  // the same with `//` as `/`; the same view when there is none
  std::string_view raw_query;  // as sent, without the question mark
  bool has_query = false;      // `/a?` has an empty one, `/a` has none
  std::string_view authority;  // of an absolute-form target, else empty
};

// Scratch space that is certain to do: twice the raw target.
constexpr std::size_t target_scratch(std::size_t raw_size) {
  return 2 * raw_size + 2;
}

base::Result<> parse_target(std::string_view raw, std::span<char> scratch, Target& out);

// Appends a decoded path in the encoding of RFC 3986: unreserved, sub-delims, `:`, `@` and `/` stay.
void encode_path(std::string_view decoded, std::string& out);

// The raw value of a query parameter, the first of that name; names are compared after decoding.
std::optional<std::string_view> query_value(std::string_view raw_query, std::string_view name);
// The same decoded (`+` is a space); none also when its percent-encoding is bad.
std::optional<std::string> query_value_decoded(std::string_view raw_query, std::string_view name);
// Whether there is a parameter of one of these names.
bool query_has(std::string_view raw_query, std::span<const std::string> names);
// Appends the query without the parameters of these names; the others stay as they were sent, byte for byte.
void query_without(std::string_view raw_query, std::span<const std::string> names, std::string& out);

}  // namespace http
