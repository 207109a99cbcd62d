// What was probably meant, for the slips that are made most: the part of an error's message that helps.
//
// Thread: any. Failures: none; "" where there is nothing to say.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/keys.h"
#include "config/yaml.h"

namespace config {

// Behind "unknown key": the key that is meant, by its spelling or by what other programs call it.
std::string hint_for_key(const Entry& entry, std::span<const std::string_view> known);
std::string hint_for_planned(std::string_view name);
// Where a single value stands and a map of these keys belongs.
std::string hint_for_map(const YamlNode& node, const Section& section);

struct SyntaxHint {
  int line = 0;
  std::string message;
};
// What is behind an error of the YAML parser: where it found it (of what never ends, the end) and what it
// said.
std::optional<SyntaxHint> hint_for_syntax(std::string_view text, int line, std::string_view said);

}  // namespace config
