// What campaigns are imported from.
//
// Thread:   any; they add to the draft that they are given.
// Failures: std::runtime_error with one line that begins with `name` and says where in the document.
#pragma once

#include <string>

#include "prove/import/document.h"
#include "prove/import/draft.h"

namespace prove::import {

// HTTP Archive 1.2: requests in the order in which they were sent, with the pauses between them.
void read_har(const Json& document, Draft& draft, Cover& cover, const std::string& name);

// OpenAPI 3.0 and 3.1: a step for each operation, a scenario for each tag.
void read_openapi(const Json& document, Draft& draft, Cover& cover, const std::string& name);

}  // namespace prove::import
