// What is wrong with a configuration, in exactly one line: "file:line: key.path: message".
//
// Thread: any. Lifetime: thrown by value.
//
// Start-up and reload print what(), which is the first error and how many more there are; `sekisho check`
// prints all().
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace config {

class ConfigError : public std::runtime_error {
 public:
  // `line` 0 and an empty `key` are left out. Control bytes (a key's name may hold any) become '?'.
  ConfigError(std::string_view file, int line, std::string_view key, std::string_view message);

  // All of one load, in the order in which they were found; there is at least one.
  explicit ConfigError(std::vector<ConfigError> found);

  int line() const { return line_; }
  const std::string& key() const { return key_; }               // its path; "" where there is none
  const std::vector<std::string>& all() const { return all_; }  // each in one line

 private:
  int line_;
  std::string key_;
  std::vector<std::string> all_;
};

// ", did you mean 'first_byte'?" where one of `known` is a slip of the pen away from `name`, or begins alike,
// else "".
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

}  // namespace config
