// Byte ranges: which pieces a client asks for, and how pieces are announced.
//
// Owner:    values; a RangeSet is inline and small.
// Thread:   any.
// Units:    bytes; positions count from 0, `last` is included, as on the wire.
// Standard: RFC 9110 §14.
//
// Failures: none; what is malformed, not in bytes, or looks like an attack (over 16 ranges, or more than two
// overlaps) is ignored as §14.2 permits, and the whole object is sent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t length() const { return last - first + 1; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

class RangeSet {
 public:
  static constexpr std::size_t kMax = 16;
  enum class Kind : std::uint8_t {
    kIgnore,         // answer as if there were no Range: 200
    kUnsatisfiable,  // 416 with append_unsatisfied
    kSatisfiable     // 206: one range plainly, several as multipart/byteranges
  };
  Kind kind = Kind::kIgnore;

  std::span<const ByteRange> ranges() const { return {ranges_.data(), size_}; }
  std::size_t size() const { return size_; }
  // Adds in the order of asking, merged with what it overlaps or touches; false when something overlapped.
  // At most kMax times.
  bool add(ByteRange range);

 private:
  std::array<ByteRange, kMax> ranges_;
  std::uint8_t size_ = 0;
};

// What a Range field asks of an object of `size` bytes.
RangeSet parse_range(std::string_view value, std::uint64_t size);

// Appends the value of Content-Range: "bytes 0-4/10", or "bytes */10".
void append_content_range(ByteRange range, std::uint64_t size, std::string& out);
void append_unsatisfied(std::uint64_t size, std::string& out);

// A Content-Range that an origin sent; none when it is not one of bytes, or contradicts itself.
struct ContentRange {
  ByteRange range;
  std::optional<std::uint64_t> size;  // none for "/*"
};
std::optional<ContentRange> parse_content_range(std::string_view value);

// multipart/byteranges (§14.6): before each part its head, after the last one the end.
std::string make_boundary();  // 24 unpredictable characters
void append_part_head(std::string_view boundary, std::string_view content_type, ByteRange range,
                      std::uint64_t size, std::string& out);
void append_multipart_end(std::string_view boundary, std::string& out);
// The Content-Length of the whole: heads, data and end.
std::uint64_t multipart_length(std::string_view boundary, std::string_view content_type,
                               std::span<const ByteRange> ranges, std::uint64_t size);

}  // namespace http
