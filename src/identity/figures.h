// What /metrics tells of the keys that issuers publish.
//
// Owner: nobody. Thread: any. Failure: none.
#pragma once

#include <memory>
#include <vector>

#include "identity/key_source.h"
#include "telemetry/page.h"

namespace identity {

void expose(telemetry::Page& page, const std::vector<std::shared_ptr<KeySource>>& sources);

}  // namespace identity
