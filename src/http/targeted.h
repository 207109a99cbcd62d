// CDN-Cache-Control: what an origin says to shared caches before its clients, instead of Cache-Control and
// Expires.
//
// Owner:    values.  Thread: any.
// Failure:  none. A field that is empty is as good as absent; one that is no dictionary is malformed, and as
//           good as absent where Cache-Control says something (RFC 9213 §2.1). A lifetime that is no whole
//           number counts as none at all.
// Standard: RFC 9213, RFC 8941 §3.2.
#pragma once

#include <optional>

#include "http/cache_control.h"

namespace http {

std::optional<CacheControl> cdn_cache_control_of(const FieldList& fields);

// Whether a field speaks to caches like that one, CDN-Cache-Control or a vendor's own.
bool is_targeted(std::string_view name);

}  // namespace http
