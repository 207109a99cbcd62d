// Cache-Control, of requests and of replies, read conservatively.
//
// Owner:    values; the field lists are views into the head.
// Thread:   any.
// Units:    seconds.
// Standard: RFC 9111 §5.2; RFC 5861 (stale-*), RFC 8246 (immutable).
//
// Failures: none. Unknown directives are passed over. A repeated number counts as the smallest, one that does
// not parse as 0 (already stale), one that is too large as 2^31 (§1.2.2): doubt never makes a reply live
// longer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/field.h"

namespace http {

struct CacheControl {
  bool present = false;  // there was a Cache-Control at all
  bool malformed =
      false;  // part of it is no directive (a quote that is never closed): more may be hidden there
  bool no_store = false;
  bool no_cache = false;    // with or without fields: see no_cache_fields
  bool is_private = false;  // with or without fields
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool no_transform = false;
  bool only_if_cached = false;
  bool immutable = false;
  bool max_stale_any = false;  // max-stale without a number
  std::optional<std::uint32_t> max_age;
  std::optional<std::uint32_t> s_maxage;
  std::optional<std::uint32_t> stale_while_revalidate;
  std::optional<std::uint32_t> stale_if_error;
  std::optional<std::uint32_t> min_fresh;
  std::optional<std::uint32_t> max_stale;
  std::string_view no_cache_fields;  // no-cache="Set-Cookie": the list; empty when the directive had none
  std::string_view private_fields;

  // Adds the directives of one field value.
  void add(std::string_view value);
};

// All Cache-Control fields of a message. Of a request without any, `Pragma: no-cache` counts (§5.4).
CacheControl cache_control_of(const FieldList& fields);

// What a Cache-Control says, said to the client's own cache alone: `private`, and what is left of it.
std::string as_private(std::string_view value);

}  // namespace http
