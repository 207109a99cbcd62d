#include "identity/base64url.h"

#include <array>
#include <cstdint>

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

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

#ifdef __SSSE3__
// Decodes groups of sixteen characters while `out` has the room that whole stores need: 16 bytes for 12.
// Moves both pointers; false at a character outside of the alphabet.
bool decode_sixteens(const char*& p, const char* end, char*& out) {
  const auto within = [](__m128i v, char low, char high) {
    return _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8(static_cast<char>(low - 1))),
                         _mm_cmplt_epi8(v, _mm_set1_epi8(static_cast<char>(high + 1))));
  };
  const auto only = [](__m128i where, int offset) {
    return _mm_and_si128(where, _mm_set1_epi8(static_cast<char>(offset)));
  };
  for (; end - p >= 24; p += 16, out += 12) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i upper = within(v, 'A', 'Z'), lower = within(v, 'a', 'z'), digit = within(v, '0', '9');
    const __m128i dash = _mm_cmpeq_epi8(v, _mm_set1_epi8('-')), line = _mm_cmpeq_epi8(v, _mm_set1_epi8('_'));
    const __m128i known =
        _mm_or_si128(_mm_or_si128(_mm_or_si128(upper, lower), digit), _mm_or_si128(dash, line));
    if (_mm_movemask_epi8(known) != 0xffff) return false;
    const __m128i offset = _mm_or_si128(
        _mm_or_si128(only(upper, -'A'), only(lower, 26 - 'a')),
        _mm_or_si128(only(digit, 52 - '0'), _mm_or_si128(only(dash, 62 - '-'), only(line, 63 - '_'))));
    const __m128i sextets = _mm_add_epi8(v, offset);
    const __m128i twelves = _mm_maddubs_epi16(sextets, _mm_set1_epi32(0x01400140));  // two sextets in 12 bits
    const __m128i groups = _mm_madd_epi16(twelves, _mm_set1_epi32(0x00011000));      // four in 24
    const __m128i order = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_shuffle_epi8(groups, order));
  }
  return true;
}
#endif

}  // namespace

bool base64url_decode(std::string_view in, char* out) {
  const char* p = in.data();
  const char* const whole = p + in.size() / 4 * 4;
#ifdef __SSSE3__
  if (!decode_sixteens(p, p + in.size(), out)) return false;
#endif
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
