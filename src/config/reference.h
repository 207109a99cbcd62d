// The table of keys as Markdown: docs/configuration.md, which a test compares with this text.
//
// Thread: any. Failures: none. Renewed by: sekisho schema --docs > docs/configuration.md
#pragma once

#include <string>
#include <string_view>

#include "config/keys.h"

namespace config {

std::string reference_markdown();

// The chapters only: `top` is the heading of the first. `reload`: with a column on what a change takes.
std::string reference_tables(const Section& root, std::string_view top, bool reload);

}  // namespace config
