// The table of keys as a JSON Schema (draft 2020-12), for editors and for `sekisho schema`.
//
// Thread: any. Failures: none.
//
// What the schema refuses, the parser refuses; the parser also knows the rules between keys (rules.h), the
// files and the variables. A value with "${…}" passes the schema wherever a variable may stand.
#pragma once

#include <string>
#include <string_view>

#include "config/keys.h"

namespace config {

// Pretty-printed, ending with a newline.
std::string json_schema();
std::string json_schema(const Section& root, std::string_view id, std::string_view title);

}  // namespace config
