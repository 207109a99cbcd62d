// Reads a campaign file: YAML text to a Campaign that is whole, or one clear line that says why not.
//
// Thread:   any; it reads files and chooses ports, before the run.
// Lifetime: the Campaign owns all it holds, the rows of its data files and the bytes of its bodies included.
// Failures: config::ConfigError, whose what() is "file:line: key.path: message" in one line and shows no
//           secret. Files that the campaign names are read here, so that none is found missing while it runs.
#pragma once

#include <map>
#include <string>

#include "config/env.h"
#include "config/error.h"
#include "prove/model/model.h"

namespace prove {

struct LoadOptions {
  std::map<std::string, std::string> set;  // NAME to value: what ${NAME} is before anything else
  double time_scale = 1;                   // more than 0
  std::string binary;                      // ${SEKISHO}
  std::string run_dir;                     // ${RUN_DIR}
  config::Env env;                         // all other names
};

// At most 4 MiB.
Campaign load_campaign(const std::string& file, const LoadOptions& options);

// `name` stands for the file in messages, and its folder is where relative paths begin.
Campaign load_campaign_text(const std::string& text, const std::string& name, const LoadOptions& options);

}  // namespace prove
