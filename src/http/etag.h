// Entity tags: comparing them, alone and against lists.
//
// Owner: values; views into the field. Thread: any. Failure: none, what is no tag matches nothing.
// Standard: RFC 9110 §8.8.3, §13.1.1, §13.1.2.
#pragma once

#include <optional>
#include <string_view>

namespace http {

struct Etag {
  std::string_view opaque;  // with its quotes
  bool weak = false;
};

// One tag and nothing behind it.
std::optional<Etag> parse_etag(std::string_view text);

// Both texts are whole tags, quotes and W/ included. Strong: same and neither weak. Weak: same but for W/.
bool etags_equal_strong(std::string_view a, std::string_view b);
bool etags_equal_weak(std::string_view a, std::string_view b);

enum class EtagComparison : bool { kStrong, kWeak };

// Whether `list` ("*", or tags separated by commas) names the current tag. "*" matches any tag, even an empty
// one: whether the object exists is the caller's to know. A malformed element ends the list.
bool etag_list_matches(std::string_view list, std::string_view current, EtagComparison how);

}  // namespace http
