// Reads a configuration: YAML text to a Config that is whole, or one clear line that says why not.
//
// Thread:   any; it reads files and takes milliseconds, so never a worker.
// Lifetime: the Config owns all it holds, key material included.
// Failures: ConfigError, whose what() is "file:line: key.path: message" in one line and shows no secret.
//
// Usage:    const config::Config c = config::load_file("sekisho.yaml", config::process_env());
//
// Start, `sekisho check` and reload use this same function. Key files and authorities' files are
// read here, each within base::kFilePatience; folders of `dir` origins and the network are not touched.
#pragma once

#include <string>

#include "config/env.h"
#include "config/error.h"
#include "config/model.h"
#include "config/yaml.h"

namespace config {

// At most 4 MiB. `tree`: gets the file's tree, where lines of keys may be asked for.
Config load_file(const std::string& path, const Env& env, YamlNode* tree = nullptr);

// `name` stands for the file in messages, and its folder is where relative paths begin.
Config load_text(const std::string& text, const std::string& name, const Env& env, YamlNode* tree = nullptr);

}  // namespace config
