// The request target, read once: what routing, policy, cache key and origin all see.
//
// Owner:    the exchange.
// Thread:   its worker.
// Lifetime: views into the raw target, or into the scratch space when something had to be decoded.
// Standard: RFC 9112 §3.2, RFC 3986 §2.1, §2.2, §3.3 and §6.2.2.
//
// Usage:   char scratch[…];  Target t;  auto ok = parse_target(head.target, scratch, t);
//
// A path has two readings. Routes are found by the decoded one, so that no spelling of a name leads around
// the route that guards it. An HTTP origin is asked, and its replies are kept, by the path as it was sent:
// there an encoded `;` and a plain one are two things, and only what nobody reserves (letters, digits,
// `-._~`) is one thing in either spelling.
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
  // As it was sent, with `//` as `/`, unreserved characters decoded and the hex digits of others in capitals;
  // the same view as `collapsed` when nothing was encoded.
  std::string_view sent;
  std::string_view raw_query;  // as sent, without the question mark
  bool has_query = false;      // `/a?` has an empty one, `/a` has none
  bool plain = false;          // path, collapsed and sent are one view
  bool parameters = false;     // there is a `;` in the path, in either spelling
  bool secure = false;         // of an absolute form: https
  std::string_view authority;  // of an absolute-form target, else empty
};

// Scratch space that is certain to do.
constexpr std::size_t target_scratch(std::string_view raw) {
  return (raw.find('%') == raw.npos ? 1 : 3) * raw.size() + 2;
}

base::Result<> parse_target(std::string_view raw, std::span<char> scratch, Target& out);

// Appends a path as it was sent (Target::sent), with what no URI may hold encoded, RFC 3986 §3.3.
void append_sent_path(std::string_view sent, std::string& out);
// The path that a server sees that takes `;parameters` off each segment; `//` as `/`.
std::string without_parameters(std::string_view decoded);

// The raw value of a query parameter, the first of that name; names are compared after decoding.
std::optional<std::string_view> query_value(std::string_view raw_query, std::string_view name);
// The same decoded (`+` is a space); none also when its percent-encoding is bad.
std::optional<std::string> query_value_decoded(std::string_view raw_query, std::string_view name);
// Whether there is a parameter of one of these names.
bool query_has(std::string_view raw_query, std::span<const std::string> names);
// Appends the query without the parameters of these names; the others stay as they were sent, byte for byte.
void query_without(std::string_view raw_query, std::span<const std::string> names, std::string& out);

}  // namespace http
