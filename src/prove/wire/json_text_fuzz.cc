// What a target sends as JSON is read as Boost.JSON's own parser reads it, numbers to the letter, and of two
// numbers each is as far from the other as that from it.
//
// Two numbers may stand before the document, each on a line of its own.
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "prove/wire/json_number.h"
#include "prove/wire/json_text.h"

namespace prove {
namespace {

void require(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

std::string_view line_of(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return out;
}

void compare(std::string_view a, std::string_view b) {
  const auto one = compare_numbers(a, b), other = compare_numbers(b, a);
  require(one.has_value() == (is_json_number(a) && is_json_number(b)), "a number, and none");
  require(one.has_value() == other.has_value(), "comparable from one side");
  if (!one) return;
  require(*one == (0 <=> *other), "not the same from both sides");
  const double x = std::strtod(std::string(a).c_str(), nullptr),
               y = std::strtod(std::string(b).c_str(), nullptr);
  // Rounding keeps the order, but may make two of them one.
  if (x < y) require(*one < 0, "the smaller number is not");
  if (x > y) require(*one > 0, "the larger number is not");
}

}  // namespace
}  // namespace prove

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view a = prove::line_of(text), b = prove::line_of(text);
  prove::compare(a, b);
  const auto ours = prove::parse_as_written(text);
  boost::system::error_code error;
  const auto theirs = boost::json::parse(boost::json::string_view(text.data(), text.size()), error);
  prove::require(ours.has_value() == !error, "JSON to one and not to the other");
  if (!ours) return 0;
  // As it was written, it is what it was.
  const std::string written = prove::json_of(*ours);
  const auto again = prove::parse_as_written(written);
  prove::require(again && *again == *ours, "not the same when it is read again");
  return 0;
}
