// What comes of a Range lies within the object, is disjoint, and covers exactly the bytes that its elements
// ask for, each read on its own.
#include <bitset>
#include <string>

#include "http/chars.h"
#include "http/fuzz_require.h"
#include "http/range.h"

namespace {

using http::require;

using Bytes = std::bitset<256>;

Bytes bytes_of(const http::RangeSet& set) {
  Bytes out;
  for (const http::ByteRange& r : set.ranges())
    for (std::uint64_t i = r.first; i <= r.last; ++i) out.set(i);
  return out;
}

void check_set(const http::RangeSet& set, std::uint64_t size) {
  using Kind = http::RangeSet::Kind;
  require((set.size() > 0) == (set.kind == Kind::kSatisfiable), "ranges and kind");
  const auto ranges = set.ranges();
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    require(ranges[i].first <= ranges[i].last && ranges[i].last < size, "within the object");
    for (std::size_t j = 0; j < i; ++j) {
      const bool before = ranges[i].last < ranges[j].first && ranges[j].first - ranges[i].last > 1;
      const bool behind = ranges[j].last < ranges[i].first && ranges[i].first - ranges[j].last > 1;
      require(before || behind, "disjoint and not touching");
    }
    std::string text;
    http::append_content_range(ranges[i], size, text);
    const auto back = http::parse_content_range(text);
    require(back && back->range == ranges[i] && back->size == size, "Content-Range there and back");
  }
}

}  // namespace

// The first byte is the size of the object (255: all that 64 bits hold), the rest the field.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  if (length == 0) return 0;
  const std::uint64_t size = data[0] == 255 ? UINT64_MAX : data[0];
  const std::string_view value(reinterpret_cast<const char*>(data) + 1, length - 1);
  const http::RangeSet set = http::parse_range(value, size);
  check_set(set, size);
  static_cast<void>(http::parse_content_range(value));
  if (size > 256 || set.kind == http::RangeSet::Kind::kIgnore) return 0;

  Bytes asked;
  for (std::string_view rest = value.substr(6), spec; http::next_element(rest, spec);)
    asked |= bytes_of(http::parse_range("bytes=" + std::string(spec), size));
  require(asked == bytes_of(set), "the bytes asked for");
  return 0;
}
