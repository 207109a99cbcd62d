// The media type of a file by its extension.
//
// Owner: nobody; constants. Thread: any.
// Failure: an unknown extension is application/octet-stream.
#pragma once

#include <string_view>

namespace origin {

std::string_view content_type_of(std::string_view path);

}  // namespace origin
