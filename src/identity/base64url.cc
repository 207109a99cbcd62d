#include "identity/base64url.h"

#include <array>
#include <cstdint>

namespace identity {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint32_t kForeign = 0x8000'0000;  // in no sextet, so that one test serves many characters

// The sextet of every character, already where it belongs in a group of 24 bits: three ORs decode four.
using Table = std::array<std::uint32_t, 256>;
constexpr Table table_of(int shift) {
  Table table{};
  table.fill(kForeign);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    table[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint32_t>(i) << shift;
  return table;
}
constexpr std::array<Table, 4> kSextets{table_of(18), table_of(12), table_of(6), table_of(0)};

template <int Place>
std::uint32_t sextet(const char* group) {
  return kSextets[Place][static_cast<std::uint8_t>(group[Place])];
}

}  // namespace

bool base64url_decode(std::string_view in, char* out) {
  const char* p = in.data();
  const char* const whole = p + in.size() / 4 * 4;
  std::uint32_t seen = 0;
  for (; p != whole; p += 4, out += 3) {
    const std::uint32_t bits = sextet<0>(p) | sextet<1>(p) | sextet<2>(p) | sextet<3>(p);
    seen |= bits;
    out[0] = static_cast<char>(bits >> 16);
    out[1] = static_cast<char>(bits >> 8);
    out[2] = static_cast<char>(bits);
  }
  std::uint32_t unused = 0;
  switch (in.size() % 4) {
    case 1:
      return false;
    case 2: {
      const std::uint32_t bits = sextet<0>(p) | sextet<1>(p);
      seen |= bits;
      out[0] = static_cast<char>(bits >> 16);
      unused = bits & 0xffff;
      break;
    }
    case 3: {
      const std::uint32_t bits = sextet<0>(p) | sextet<1>(p) | sextet<2>(p);
      seen |= bits;
      out[0] = static_cast<char>(bits >> 16);
      out[1] = static_cast<char>(bits >> 8);
      unused = bits & 0xff;
      break;
    }
    default:
      break;
  }
  return (seen & kForeign) == 0 && unused == 0;
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
