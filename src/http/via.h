// The name by which this process signs Via, and knows again what it has sent on itself.
//
// Owner:    the process; made at random when first asked for, so that no other instance has it.
// Thread:   any.  Failure: none.
// Standard: RFC 9110 section 7.6.3.
#pragma once

#include <string>

#include "http/field.h"

namespace http {

const std::string& our_name();  // "sekisho-" and 16 hex digits

// Whether a request has been here before. A client that says so without its being true has itself refused.
bool has_passed_us(const FieldList& fields);

}  // namespace http
