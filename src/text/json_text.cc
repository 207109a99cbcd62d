#include "text/json_text.h"

#include <cstdint>
#include <cstring>

#include "text/utf8.h"

namespace text {

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHigh = kOnes * 0x80;

constexpr std::uint64_t zero_bytes(std::uint64_t x) {
  return (x - kOnes) & ~x;
}

// Whether any of eight bytes is not plain: below space, '"', '\', DEL or not ASCII. (The borrow of these
// subtractions can only mark a byte above one that is marked rightly.)
constexpr bool any_special(std::uint64_t x) {
  return ((((x - kOnes * 0x20) & ~x) | zero_bytes(x ^ (kOnes * '"')) | zero_bytes(x ^ (kOnes * '\\')) |
           zero_bytes(x ^ (kOnes * 0x7f)) | x) &
          kHigh) != 0;
}

constexpr bool special(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\' || c >= 0x7f;
}

bool plain(std::string_view text) {
  const char* p = text.data();
  std::size_t n = text.size();
  std::uint64_t word;
  if (n < 8) {
    bool any = false;
    for (std::size_t i = 0; i < n; ++i) any |= special(static_cast<unsigned char>(p[i]));
    return !any;
  }
  for (; n > 8; p += 8, n -= 8) {
    std::memcpy(&word, p, 8);
    if (any_special(word)) return false;
  }
  std::memcpy(&word, p + n - 8, 8);  // the last eight, some of them for the second time
  return !any_special(word);
}

char* unicode_escape(unsigned code, char* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out[0] = '\\';
  out[1] = 'u';
  for (unsigned i = 0; i < 4; ++i) out[2 + i] = kHex[(code >> (12 - 4 * i)) & 15];
  return out + 6;
}

char* escape_special(std::string_view text, std::size_t& at, char* out) {
  const auto c = static_cast<unsigned char>(text[at]);
  if (c < 0x80) {
    ++at;
    if (c != '"' && c != '\\') return unicode_escape(c, out);
    *out++ = '\\';
    *out++ = static_cast<char>(c);
    return out;
  }
  const std::size_t length = utf8_length(text.substr(at));
  if (length == 0) {
    ++at;
    return unicode_escape(0xfffd, out);
  }
  if (c == 0xc2 && static_cast<unsigned char>(text[at + 1]) < 0xa0) {
    out = unicode_escape(static_cast<unsigned char>(text[at + 1]), out);
  } else {
    std::memcpy(out, text.data() + at, length);
    out += length;
  }
  at += length;
  return out;
}

}  // namespace

char* escape_json(std::string_view text, char* out) {
  if (plain(text)) [[likely]] {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return out + text.size();
  }
  for (std::size_t at = 0; at < text.size();) {
    if (special(static_cast<unsigned char>(text[at])))
      out = escape_special(text, at, out);
    else
      *out++ = text[at++];
  }
  return out;
}

void append_json(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out.resize(before + 2 + kEscapeGrowth * text.size());
  char* p = out.data() + before;
  *p++ = '"';
  p = escape_json(text, p);
  *p++ = '"';
  out.resize(static_cast<std::size_t>(p - out.data()));
}

}  // namespace text
