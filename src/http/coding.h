// Whether a client takes a body in a content coding.
//
// Owner: nobody; functions. Thread: any. Failure: none; what is not said to be taken is not.
// Standard: RFC 9110 §8.4 and §12.5.3, narrower: whoever says nothing takes a body as it is.
#pragma once

#include <string>
#include <string_view>

#include "http/field.h"

namespace http {

// All Accept-Encoding fields as one list.
std::string accept_encoding_of(const FieldList& fields);

// `accept_encoding`: such a list; `codings`: of a Content-Encoding, all of which must be taken.
bool accepts_codings(std::string_view accept_encoding, std::string_view codings);

}  // namespace http
