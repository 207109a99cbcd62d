// What is wrong with a configuration, in exactly one line: "file:line: key.path: message".
//
// Thread: any. Lifetime: thrown by value.
//
// Start-up, `sekisho check` and reload all print what() and nothing else.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace config {

class ConfigError : public std::runtime_error {
 public:
  // `line` 0 and an empty `key` are left out. Control bytes (a key's name may hold any) become '?'.
  ConfigError(std::string_view file, int line, std::string_view key, std::string_view message);

  int line() const { return line_; }

 private:
  int line_;
};

// ", did you mean 'first_byte'?" where one of `known` is a slip of the pen away from `name`, or begins alike,
// else "".
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

}  // namespace config
