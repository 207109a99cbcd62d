// References as replies name other resources: resolved against the request's own target, not decoded.
//
// Owner:    values.
// Thread:   any.
// Lifetime: `authority` is a view into the reference.
// Standard: RFC 3986 §5.2 and §5.3, for http and https.
// Failure:  false for what names nothing that http or https could be asked for.
#pragma once

#include <string>
#include <string_view>

namespace http {

struct Reference {
  std::string_view authority;  // empty: that of the base
  std::string target;          // path and query, without dot segments and fragment
};

// base_path: as in a target, begins with '/'.
bool resolve_reference(std::string_view base_path, std::string_view text, Reference& out);

// Whether two authorities are the same host and port; a default port may be said or not.
bool same_authority(std::string_view a, std::string_view b);

}  // namespace http
