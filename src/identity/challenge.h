// The value of WWW-Authenticate for a refusal of this room.
//
// Thread:   any; the texts are static.
// Failure:  none; an unknown reason gets the bare error code.
// Standard: RFC 6750 §3, RFC 9110 §11.6.1.
//
// Usage:    reply.add("WWW-Authenticate", identity::challenge(error));
//
// No credential: `Bearer realm="sekisho"`. Anything else: `Bearer error="invalid_token",
// error_description="…"`, or `invalid_request` for a credential that is there twice, which goes with 400.
// Never a byte of the token.
#pragma once

#include <string_view>

#include "base/error.h"

namespace identity {

std::string_view challenge(const base::Error& error);
// The same as a sentence, for people.
std::string_view explanation(const base::Error& error);

}  // namespace identity
