// ${VAR} and ${VAR:-default} in configuration values.
//
// Thread: any; process_env() reads the environment, so not beside setenv().
//
// Expansion happens on scalar values after YAML has been parsed, once and without rescanning, so a variable
// can hold any text and never becomes structure.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace config {

using Env = std::function<std::optional<std::string>(const std::string& name)>;

Env process_env();

// "$${" gives a literal "${"; a "$" before anything else stands for itself; as in a shell, ":-" also covers
// a variable that is set but empty. The error is a sentence which names the variable, never a value.
std::expected<std::string, std::string> expand(std::string_view text, const Env& env);

}  // namespace config
