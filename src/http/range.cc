#include "http/range.h"

#include <algorithm>

#include "base/siphash.h"
#include "http/chars.h"

namespace http {

namespace {

// More overlaps than this are no viewer's doing (RFC 9110 §14.2, the attack of CVE-2011-3192).
constexpr int kOverlapsAllowed = 2;

enum class Spec : std::uint8_t { kMalformed, kOutside, kInside };

// "a-b", "a-" or "-n", against an object of `size` bytes.
Spec read_spec(std::string_view spec, std::uint64_t size, ByteRange& out) {
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return Spec::kMalformed;
  const std::string_view from = spec.substr(0, dash);
  const std::string_view to = spec.substr(dash + 1);
  if (from.empty()) {
    std::uint64_t suffix = 0;
    if (!parse_decimal(to, suffix)) return Spec::kMalformed;
    if (suffix == 0 || size == 0) return Spec::kOutside;
    out = {size - std::min(suffix, size), size - 1};
    return Spec::kInside;
  }
  if (!parse_decimal(from, out.first)) return Spec::kMalformed;
  out.last = UINT64_MAX;
  if (!to.empty() && (!parse_decimal(to, out.last) || out.last < out.first)) return Spec::kMalformed;
  if (out.first >= size) return Spec::kOutside;
  out.last = std::min(out.last, size - 1);
  return Spec::kInside;
}

void append_number(std::uint64_t n, std::string& out) {
  char digits[20];
  char* p = digits + sizeof digits;
  do {
    *--p = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n != 0);
  out.append(p, digits + sizeof digits);
}

}  // namespace

bool RangeSet::add(ByteRange range) {
  // Within 64 bits `last + 1` may wrap, so that touching is asked as `first - 1 <= last`.
  const auto touches = [](const ByteRange& a, const ByteRange& b) {
    return (a.first == 0 || a.first - 1 <= b.last) && (b.first == 0 || b.first - 1 <= a.last);
  };
  const auto overlaps = [](const ByteRange& a, const ByteRange& b) {
    return a.first <= b.last && b.first <= a.last;
  };
  bool clean = true;
  std::size_t place = size_;
  // What it swallows leaves its slot; the union takes the earliest of these.
  for (std::size_t i = 0; i < size_;) {
    if (!touches(ranges_[i], range)) {
      ++i;
      continue;
    }
    clean = clean && !overlaps(ranges_[i], range);
    range = {std::min(range.first, ranges_[i].first), std::max(range.last, ranges_[i].last)};
    std::copy(ranges_.begin() + i + 1, ranges_.begin() + size_, ranges_.begin() + i);
    --size_;
    place = std::min(place, i);
    i = 0;  // it has grown: what did not touch before may now
  }
  place = std::min<std::size_t>(place, size_);
  std::copy_backward(ranges_.begin() + place, ranges_.begin() + size_, ranges_.begin() + size_ + 1);
  ranges_[place] = range;
  ++size_;
  return clean;
}

RangeSet parse_range(std::string_view value, std::uint64_t size) {
  const RangeSet ignored;
  const std::size_t equals = value.find('=');
  if (equals == std::string_view::npos || !iequals(value.substr(0, equals), "bytes")) return ignored;
  RangeSet set;
  std::size_t specs = 0;
  int overlaps = 0;
  for (std::string_view rest = value.substr(equals + 1), spec; next_element(rest, spec);) {
    if (++specs > RangeSet::kMax) return ignored;
    ByteRange range;
    switch (read_spec(spec, size, range)) {
      case Spec::kMalformed:
        return ignored;
      case Spec::kOutside:
        break;
      case Spec::kInside:
        if (!set.add(range) && ++overlaps > kOverlapsAllowed) return ignored;
    }
  }
  if (specs == 0) return ignored;
  set.kind = set.size() == 0 ? RangeSet::Kind::kUnsatisfiable : RangeSet::Kind::kSatisfiable;
  return set;
}

void append_content_range(ByteRange range, std::uint64_t size, std::string& out) {
  out += "bytes ";
  append_number(range.first, out);
  out += '-';
  append_number(range.last, out);
  out += '/';
  append_number(size, out);
}

void append_unsatisfied(std::uint64_t size, std::string& out) {
  out += "bytes */";
  append_number(size, out);
}

std::optional<ContentRange> parse_content_range(std::string_view value) {
  const std::size_t space = value.find(' ');
  if (space == std::string_view::npos || !iequals(value.substr(0, space), "bytes")) return std::nullopt;
  value = trim_ows(value.substr(space));
  const std::size_t dash = value.find('-');
  const std::size_t slash = value.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return std::nullopt;
  ContentRange out;
  if (!parse_decimal(value.substr(0, dash), out.range.first) ||
      !parse_decimal(value.substr(dash + 1, slash - dash - 1), out.range.last) ||
      out.range.last < out.range.first)
    return std::nullopt;
  const std::string_view size = value.substr(slash + 1);
  if (size == "*") {
    if (out.range.last == UINT64_MAX && out.range.first == 0)
      return std::nullopt;  // its length is beyond 64 bits
    return out;
  }
  std::uint64_t total = 0;
  if (!parse_decimal(size, total) || out.range.last >= total) return std::nullopt;
  out.size = total;
  return out;
}

std::string make_boundary() {
  constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuv";
  std::string out(24, '\0');
  base::random_bytes(out.data(), out.size());
  for (char& c : out) c = kLetters[static_cast<unsigned char>(c) % kLetters.size()];
  return out;
}

void append_part_head(std::string_view boundary, std::string_view content_type, ByteRange range,
                      std::uint64_t size, std::string& out) {
  out += "\r\n--";
  out += boundary;
  if (!content_type.empty()) {
    out += "\r\nContent-Type: ";
    out += content_type;
  }
  out += "\r\nContent-Range: ";
  append_content_range(range, size, out);
  out += "\r\n\r\n";
}

void append_multipart_end(std::string_view boundary, std::string& out) {
  out += "\r\n--";
  out += boundary;
  out += "--\r\n";
}

std::uint64_t multipart_length(std::string_view boundary, std::string_view content_type,
                               std::span<const ByteRange> ranges, std::uint64_t size) {
  std::string text;
  append_multipart_end(boundary, text);
  std::uint64_t data = 0;
  for (const ByteRange& range : ranges) {
    append_part_head(boundary, content_type, range, size, text);
    data += range.length();
  }
  return text.size() + data;
}

}  // namespace http
