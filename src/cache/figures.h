// What /metrics tells of the cache.
//
// Owner: nobody. Thread: any. Failure: none.
#pragma once

#include "cache/fill.h"
#include "cache/memory.h"
#include "telemetry/page.h"

namespace cache {

void expose(telemetry::Page& page, const Memory& memory, const Fills& fills);

}  // namespace cache
