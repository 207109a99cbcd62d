// A YAML document as a plain tree with line numbers: the only file that knows yaml-cpp.
//
// Owner:    the loader, for the time of one load.
// Failures: ConfigError with the line: syntax, a second document, tags, nesting deeper than 32, or more than
//           32 MiB once aliases are copied out (so that a few lines cannot become gigabytes).
//
// Subset: YAML 1.2 as yaml-cpp 0.7 reads it, keys are scalars, no tags. Duplicate keys stay in the tree; the
// reader refuses them, as it knows the path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace config {

struct Entry;

struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  int line = 0;         // from 1
  std::string text;     // of a scalar, as written: variables are not yet expanded
  bool quoted = false;  // of a scalar: it stood in quotes or in a block, so it is a text whatever it says
  std::vector<YamlNode> items;  // of a list
  std::vector<Entry> entries;   // of a map, in order

  const Entry* find(std::string_view name) const;  // the first, or nullptr
};

struct Entry {
  std::string name;
  int line = 0;
  YamlNode value;
};

// Where "log.access.output" stands, or as much of the way there as is written out.
int line_of_key(const YamlNode& root, std::string_view key);

// An empty document is an empty map. `file` is for messages.
YamlNode parse_yaml(const std::string& text, std::string_view file);

}  // namespace config
