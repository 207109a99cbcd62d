#include "identity/base64url.h"

#include <array>
#include <cstdint>

namespace identity {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kForeign = 0x80;  // no sextet has this bit, so that one test serves many characters

constexpr std::array<std::uint8_t, 256> kSextets = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(kForeign);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    table[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return table;
}();

std::uint32_t sextet(char c) {
  return kSextets[static_cast<std::uint8_t>(c)];
}

}  // namespace

bool base64url_decode(std::string_view in, char* out) {
  const char* p = in.data();
  const char* const whole = p + in.size() / 4 * 4;
  std::uint32_t foreign = 0;
  for (; p != whole; p += 4, out += 3) {
    const std::uint32_t a = sextet(p[0]), b = sextet(p[1]), c = sextet(p[2]), d = sextet(p[3]);
    foreign |= a | b | c | d;
    const std::uint32_t bits = a << 18 | b << 12 | c << 6 | d;
    out[0] = static_cast<char>(bits >> 16);
    out[1] = static_cast<char>(bits >> 8);
    out[2] = static_cast<char>(bits);
  }
  std::uint32_t unused = 0;
  switch (in.size() % 4) {
    case 1:
      return false;
    case 2: {
      const std::uint32_t a = sextet(p[0]), b = sextet(p[1]);
      foreign |= a | b;
      out[0] = static_cast<char>(a << 2 | b >> 4);
      unused = b & 0x0f;
      break;
    }
    case 3: {
      const std::uint32_t a = sextet(p[0]), b = sextet(p[1]), c = sextet(p[2]);
      foreign |= a | b | c;
      out[0] = static_cast<char>(a << 2 | b >> 4);
      out[1] = static_cast<char>(b << 4 | c >> 2);
      unused = c & 0x03;
      break;
    }
    default:
      break;
  }
  return (foreign & kForeign) == 0 && unused == 0;
}

void base64url_encode(std::string_view in, std::string& out) {
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : in) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    for (held += 8; held >= 6; held -= 6) out += kAlphabet[bits >> (held - 6) & 0x3f];
  }
  if (held > 0) out += kAlphabet[bits << (6 - held) & 0x3f];
}

}  // namespace identity
