// What `sekisho check` says of a configuration that is good and hardly meant so.
//
// Owner: nobody; a function. Thread: main.
// Failure: none; what cannot be told without asking the network is not told.
#pragma once

#include <string>
#include <vector>

#include "config/model.h"

namespace cli {

// One line each: file, line, key.
std::vector<std::string> warnings_of(const config::Config& config);

}  // namespace cli
