// JSON as it was written: texts by RFC 6901 pointers, numbers to the letter.
//
// Problem:  19.90 read as a number and written again is 1.99E1, which is another text, and a target that is
//           sent it may say so. So numbers are never read as numbers here.
// Owner:    whoever made it.  Thread: one.
// Failures: of what is no JSON there is nothing at any pointer; valid() says so.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace prove {

// The document with strings in place of its numbers, and a letter in front of each string: 's' of a string,
// 'n' of a number.
std::optional<boost::json::value> parse_as_written(std::string_view text, std::size_t depth = 32);

// A value of such a document: a string as it is, everything else as JSON, numbers as they were written.
std::string text_of(const boost::json::value& value);
std::string json_of(const boost::json::value& value);  // a string as JSON, too

class JsonText {
 public:
  explicit JsonText(std::string_view text) : document_(parse_as_written(text)) {}

  bool valid() const { return document_.has_value(); }
  std::optional<std::string> at(std::string_view pointer) const;

 private:
  std::optional<boost::json::value> document_;
};

}  // namespace prove
