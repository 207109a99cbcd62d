// The key under which the reply to a request is kept: everything that its origin is told and that may stand
// in the answer.
//
// Thread:   the worker's.  Standard: RFC 9111 section 2.
#pragma once

#include "gateway/exchange.h"

namespace gateway {

// Into x.key, which views x.key_scratch. False: it is too long to be kept.
bool put_cache_key(Exchange& x);

}  // namespace gateway
