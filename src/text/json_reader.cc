#include "text/json_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

#include "text/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace text {

namespace {

// Where the plain run of a string stops: its end, an escape, or a control character, which must be escaped.
constexpr std::array<bool, 256> kStops = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

// The first byte at which a plain run stops, or the end.
const char* end_of_plain(const char* p, const char* end) {
#ifdef __SSE2__
  for (; end - p >= 16; p += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    const __m128i special =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    const auto stops = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(control, special)));
    if (stops != 0) return p + std::countr_zero(stops);
  }
#endif
  while (p != end && !kStops[static_cast<std::uint8_t>(*p)]) ++p;
  return p;
}

std::uint8_t byte(char c) {
  return static_cast<std::uint8_t>(c);
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

JsonReader::JsonReader(std::string_view text, JsonSpace& space)
    : p_(text.data()), end_(text.data() + text.size()), space_(space) {
  space_.names.clear();
  space_.unescaped.clear();
  if (space_.unescaped.capacity() < text.size()) space_.unescaped.reserve(text.size());
  skip_space();
  if (!valid_utf8(text) || !take('{')) failed();
}

bool JsonReader::next(std::string_view& name) {
  if (state_ == State::kFailed || state_ == State::kEnded) return false;
  skip_space();
  if (take('}')) {
    if (!unique_names_since(0)) return failed();
    skip_space();
    state_ = State::kEnded;
    return false;
  }
  if (state_ == State::kMembers) {
    if (!take(',')) return failed();
    skip_space();
  }
  state_ = State::kMembers;
  return take_name(name) || failed();
}

bool JsonReader::string(std::string_view& value) {
  return take_string(value) || failed();
}
bool JsonReader::number(double& value) {
  return take_number(value) || failed();
}

bool JsonReader::boolean(bool& value) {
  value = p_ != end_ && *p_ == 't';
  return take(value ? std::string_view("true") : std::string_view("false")) || failed();
}
bool JsonReader::raw(std::string_view& value) {
  const char* const begin = p_;
  if (!skip()) return false;
  value = {begin, static_cast<std::size_t>(p_ - begin)};
  return true;
}

bool JsonReader::take(std::string_view word) {
  if (static_cast<std::size_t>(end_ - p_) < word.size() || std::memcmp(p_, word.data(), word.size()) != 0)
    return false;
  p_ += word.size();
  return true;
}

bool JsonReader::take_digits() {
  if (p_ == end_ || !is_digit(*p_)) return false;
  while (p_ != end_ && is_digit(*p_)) ++p_;
  return true;
}

inline bool JsonReader::take_string(std::string_view& value) {
  if (!take('"')) return false;
  const char* const begin = p_;
  p_ = end_of_plain(p_, end_);
  if (p_ == end_ || *p_ != '"') return take_escaped_string(begin, value);
  value = {begin, static_cast<std::size_t>(p_ - begin)};
  ++p_;
  return true;
}

bool JsonReader::take_name(std::string_view& name) {
  const char* const begin = p_ + 1;
  std::string_view text;
  if (!take_string(text)) return false;
  std::uint64_t prefix = 0;
  if (text.data() == begin && end_ - begin >= 8) {  // one load, beyond the name and within the text
    std::memcpy(&prefix, begin, sizeof prefix);
    if (text.size() < 8) prefix &= (std::uint64_t{1} << (8 * text.size())) - 1;
  } else {
    std::memcpy(&prefix, text.data(), std::min(text.size(), sizeof prefix));
  }
  skip_space();
  if (!take(':')) return false;
  skip_space();
  JsonSpace::Name& entry = space_.names.emplace_back();
  entry.prefix = prefix;
  entry.data = text.data();
  entry.size = text.size();
  name = text;
  return true;
}

bool JsonReader::take_escaped_string(const char* begin, std::string_view& value) {
  std::string& out = space_.unescaped;
  const std::size_t start = out.size();
  out.append(begin, p_);
  while (p_ != end_) {
    if (*p_ == '"') {
      value = std::string_view(out).substr(start);
      ++p_;
      return true;
    }
    if (*p_ == '\\') {
      if (!take_escape()) return false;
    } else if (byte(*p_) < 0x20) {
      return false;
    } else {
      out += *p_++;
    }
  }
  return false;
}

bool JsonReader::take_escape() {
  std::string& out = space_.unescaped;
  ++p_;
  if (p_ == end_) return false;
  switch (const char c = *p_++) {
    case '"':
    case '\\':
    case '/':
      out += c;
      return true;
    case 'b':
      out += '\b';
      return true;
    case 'f':
      out += '\f';
      return true;
    case 'n':
      out += '\n';
      return true;
    case 'r':
      out += '\r';
      return true;
    case 't':
      out += '\t';
      return true;
    case 'u':
      break;
    default:
      return false;
  }
  std::uint32_t point;
  if (!take_hex(point)) return false;
  if (point >= 0xdc00 && point < 0xe000) return false;
  if (point >= 0xd800 && point < 0xdc00) {
    std::uint32_t low;
    if (!take("\\u") || !take_hex(low) || low < 0xdc00 || low >= 0xe000) return false;
    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  }
  append_utf8(point, out);
  return true;
}

bool JsonReader::take_hex(std::uint32_t& unit) {
  if (end_ - p_ < 4) return false;
  const auto [after, error] = std::from_chars(p_, p_ + 4, unit, 16);  // takes no sign and no prefix
  if (error != std::errc() || after != p_ + 4) return false;
  p_ += 4;
  return true;
}

bool JsonReader::take_number(double& value) {
  const char* const begin = p_;
  const bool negative = take('-');
  const char* const digits = p_;
  if (!take('0') && !take_digits()) return false;
  bool whole = true;
  if (take('.')) {
    whole = false;
    if (!take_digits()) return false;
  }
  if (take('e') || take('E')) {
    whole = false;
    if (!take('+')) take('-');
    if (!take_digits()) return false;
  }
  if (whole && p_ - digits <= 15) {  // exact in a double
    std::int64_t n = 0;
    for (const char* d = digits; d != p_; ++d) n = n * 10 + (*d - '0');
    value = static_cast<double>(negative ? -n : n);
    return true;
  }
  const auto [after, error] = std::from_chars(begin, p_, value);
  return error == std::errc() && after == p_ && std::isfinite(value);
}

bool JsonReader::skip_value(int depth) {
  if (p_ == end_) return false;
  std::string_view text;
  double number;
  switch (*p_) {
    case '"':
      return take_string(text);
    case '{':
      return depth < kMaxDepth && skip_object(depth + 1);
    case '[':
      return depth < kMaxDepth && skip_array(depth + 1);
    case 't':
      return take("true");
    case 'f':
      return take("false");
    case 'n':
      return take("null");
    default:
      return take_number(number);
  }
}

bool JsonReader::skip_object(int depth) {
  ++p_;
  const std::size_t first = space_.names.size();
  skip_space();
  if (take('}')) return true;
  for (;;) {
    std::string_view name;
    if (!take_name(name) || !skip_value(depth)) return false;
    skip_space();
    if (take('}')) break;
    if (!take(',')) return false;
    skip_space();
  }
  const bool unique = unique_names_since(first);
  space_.names.resize(first);
  return unique;
}

bool JsonReader::skip_array(int depth) {
  ++p_;
  skip_space();
  if (take(']')) return true;
  for (;;) {
    skip_space();
    if (!skip_value(depth)) return false;
    skip_space();
    if (take(']')) return true;
    if (!take(',')) return false;
  }
}

bool JsonReader::unique_names_since(std::size_t first) {
  constexpr std::size_t kPairwise = 24;
  const auto names = std::span(space_.names).subspan(first);
  if (names.size() <= kPairwise) {
    for (std::size_t i = 1; i < names.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (names[i].prefix == names[j].prefix && names[i].text() == names[j].text()) return false;
    return true;
  }
  // Sorted, because pairs grow as the square of what a signer may have been talked into signing.
  std::ranges::sort(names, [](const JsonSpace::Name& a, const JsonSpace::Name& b) {
    return std::pair(a.prefix, a.text()) < std::pair(b.prefix, b.text());
  });
  return std::ranges::adjacent_find(names, {}, &JsonSpace::Name::text) == names.end();
}

}  // namespace text
