// The table of keys as Markdown: docs/configuration.md, which a test compares with this text.
//
// Thread: any. Failures: none. Renewed by: sekisho schema --docs > docs/configuration.md
#pragma once

#include <string>

namespace config {

std::string reference_markdown();

}  // namespace config
