// `sekisho check`, and what a start looks at before it begins: not only whether the file is good, but whether
// what it names can be had.
//
// Thread:  main.
// Failure: load_for_start() throws config::ConfigError; check() prints all that is wrong, a line each.
#pragma once

#include <string>

#include "config/model.h"

namespace cli {

// The configuration, when all that it names can be had, too; but for ports, which only binding tells.
config::Config load_for_start(const std::string& file);

int check(const std::string& file);  // the exit code: 0 good, 2 not

}  // namespace cli
