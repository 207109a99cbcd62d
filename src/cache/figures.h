// What /metrics tells of the cache, and of all that is held for clients.
//
// Owner: nobody. Thread: any. Failure: none.
#pragma once

#include "base/account.h"
#include "cache/fill.h"
#include "cache/loan.h"
#include "cache/memory.h"
#include "telemetry/page.h"

namespace cache {

void expose(telemetry::Page& page, const Memory& memory, const Fills& fills, const Loans& loans,
            const base::Account& account);

}  // namespace cache
