// Where a run was made: what must be equal before two runs may be compared.
//
// Thread: any. Failures: none; what cannot be read is empty.
#pragma once

#include <string>

#include "prove/model/model.h"
#include "prove/record/result.h"

namespace prove {

// `command`: the words to do it again.
Environment describe_environment(const Campaign& campaign, std::string command);

}  // namespace prove
