// A connection to the first of a name's addresses that accepts one.
//
// Owner:    whoever dials.
// Thread:   the loop's own.
// Lifetime: what it is given lives until it has returned; attempts that came too late are closed by then.
// Standard: RFC 8305, as race.h says.
// Failure:  kRefused, kUnreachable or kNoRoom (no descriptor or port left) when all have failed: what the
//           last one said; kTimedOut when some had not answered by the deadline; kCancelled.
//
// An attempt is a descriptor and is counted as one. Where there is no room for a second one at a time, the
// next address has to wait until the one before has failed, or until there is.
#pragma once

#include <vector>

#include "net/address.h"
#include "net/error.h"
#include "net/race.h"
#include "net/stream.h"
#include "net/task.h"

namespace net {

// `laggards`: who was slow before, and is remembered to be; null: nobody.
Task<Result<Stream>> connect(Loop& loop, const std::vector<Endpoint>& addresses, base::Mono deadline,
                             Cancel* cancel, Laggards* laggards = nullptr);

}  // namespace net
