// The table of a campaign's keys for people and for editors.
//
// Thread: any. Failures: none.
#pragma once

#include <string>

namespace prove {

std::string campaign_schema();  // JSON Schema (draft 2020-12), ends with a newline
std::string
campaign_reference();  // docs/campaigns.md, the part written by hand included; a test compares them

}  // namespace prove
