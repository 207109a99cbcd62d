// Whether a path with a `;` may pass here: a route above must not open what a route beneath it guards.
//
// Thread:   the worker's.  Standard: RFC 3986 section 3.3 (parameters of a segment). docs/adr/0020.
#pragma once

#include "gateway/exchange.h"

namespace gateway {

// `route` is the one that has matched, of `of`.
bool parameters_pass(const http::Target& target, const Route& route, const LocalSnapshot& of);

}  // namespace gateway
