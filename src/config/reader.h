// Walks a YAML tree along the table of keys and fills the model; the strict part of the parser.
//
// Owner:    one load.
// Thread:   the one that loads.
// Failures: ConfigError with the line and the path of the key: unknown, repeated, missing, empty or wrong.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/env.h"
#include "config/keys.h"
#include "config/yaml.h"

namespace config {

class Reader {
 public:
  Reader(std::string file, const Env& env) : file_(std::move(file)), env_(env) {}

  // Adds one step to the path for its own lifetime: "routes", "[3]", "origin".
  class Step {
   public:
    Step(Reader& reader, std::string_view key);
    Step(Reader& reader, std::size_t index);
    ~Step() { reader_.path_.resize(length_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Reader& reader_;
    std::size_t length_;
  };

  [[noreturn]] void fail(int line, std::string_view message) const;
  // The message follows the value as written, unless that is better not shown.
  [[noreturn]] void fail_value(const Row& row, const YamlNode& node, std::string_view predicate) const;

  [[noreturn]] void fail_at(const YamlNode& map, std::string_view key, std::string_view message);

  // Exactly one of `keys` is given in the map; its name.
  std::string_view exactly_one(const YamlNode& map, std::span<const std::string_view> keys);

  // A scalar with its variables expanded.
  std::string text(const YamlNode& node) const;

  // A map, or the shorthand's value; `owner` is of the type that the section's rows expect.
  void section(const YamlNode& node, const Section& section, void* owner);

  // Those keys of a map that belong to section.common; `owner` is theirs. section() passes over them.
  void common(const YamlNode& node, const Section& section, void* owner);

  // A map in which no key stands twice.
  void check_map(const YamlNode& node);

  // The section among `choices` that a map's key `type` names.
  const Section& choose(const YamlNode& node, std::span<const Section* const> choices);

  // The entries of a map with chosen names, checked for repetition and for being names.
  const std::vector<Entry>& named(const YamlNode& node);

  // The items of a list, or the node itself where one stands without brackets.
  std::span<const YamlNode> items(const Row& row, const YamlNode& node) const;

  const std::string& file() const { return file_; }
  const std::string& path() const { return path_; }  // of the key that is being read
  const Env& env() const { return env_; }
  // A path of the configuration, relative to the folder of its file.
  std::string resolve(const std::string& path) const;

 private:
  std::string file_;
  const Env& env_;
  std::string path_;
};

}  // namespace config
