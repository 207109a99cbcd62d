// Where a Location leads.
//
// Thread:   any.
// Failure:  nothing, where it is no reference to http or https, or holds what a request line may not.
// Standard: RFC 3986 §5.2 (resolution, without its fragment), RFC 9110 §10.2.2.
#pragma once

#include <optional>
#include <string_view>

#include "config/model.h"

namespace client {

std::optional<config::Url> resolve_reference(const config::Url& base, std::string_view location);

bool same_origin(const config::Url& a, const config::Url& b);

}  // namespace client
