// The OpenAPI 3.1 document of a table of operations.
//
// Owner: nobody; a function. Thread: any. Failure: std::logic_error for a template that cannot be read.
// Standard: OpenAPI 3.1.0, RFC 9457 for what problems look like, RFC 6750 for the credential.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "app/operation.h"

namespace app {

std::string openapi_document(std::string_view title, std::span<const Operation> operations);

}  // namespace app
