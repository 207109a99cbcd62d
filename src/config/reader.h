// Walks a YAML tree along the table of keys and fills the model; the strict part of the parser.
//
// Owner:    one load.
// Thread:   the one that loads.
// Failures: ConfigError with the line and the path of the key: unknown, repeated, missing, empty or wrong.
//           whole() goes on after one, so that all that is wrong is told at once; what depends on a part that
//           failed is not looked at, since its errors would be echoes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/env.h"
#include "config/error.h"
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

  // A map from the root: all its errors in one ConfigError.
  void whole(const YamlNode& root, const Section& section, void* owner);

  // Parts that do not need each other, within whole(): the next is read although one has failed. done() fails
  // when any has.
  class Parts {
   public:
    explicit Parts(Reader& reader) : reader_(reader) {}
    template <class Part>
    void operator()(const Part& part) {
      if (reader_.root_ == nullptr) return part();
      try {
        part();
      } catch (const Failed&) {
        failed_ = true;
      } catch (const ConfigError& error) {
        reader_.keep(error);
        failed_ = true;
      }
    }
    void done() const {
      if (failed_) throw Failed();
    }

   private:
    Reader& reader_;
    bool failed_ = false;
  };

  // Whether nothing is wrong so far beneath this key of the root.
  bool clean(std::string_view key) const;

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
  // The same of a file that nobody else is to read.
  std::string own(const std::string& path);
  std::vector<std::string>& own_files() { return own_files_; }

 private:
  struct Failed {};  // what was wrong is kept already
  void keep(const ConfigError& error);
  void shorthand(const YamlNode& node, const Section& section, const Row& row, void* owner);
  void entry(const Entry& entry, const Section& section, void* owner);

  std::string file_;
  const Env& env_;
  std::string path_;
  const Section* root_ = nullptr;  // of whole(), while it goes on after errors
  std::vector<ConfigError> errors_;
  std::vector<std::string> own_files_;
  std::vector<std::string> failed_;  // the keys of the root that they are beneath
};

}  // namespace config
