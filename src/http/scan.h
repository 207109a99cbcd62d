// Runs of bytes that belong to one class: the inner loop of the head parsers.
//
// Owner:    nobody; pure functions. Thread: any. Failure: none.
// Units:    each returns the first byte from p on that is not of the class, or the end of the text.
//
// Two implementations with one meaning: Scalar asks the table byte by byte, Vector takes 16 bytes at a time
// (SSSE3, part of x86-64-v2, the release level). Scan is the better one this build has; a test compares both.
#pragma once

#include "http/chars.h"

#ifdef __SSSE3__
#include <tmmintrin.h>

#include <bit>
#endif

namespace http::scan {

// The memory that may be read. Its begin matters too: the last bytes are read with those in front of them.
struct Text {
  const char* begin;
  const char* end;
};

struct Scalar {
  template <CharClass kClass>
  static const char* run(const char* p, const Text& text) {
    while (p != text.end && is(kClass, *p)) ++p;
    return p;
  }
};

#ifdef __SSSE3__

namespace detail {

// For each low nibble the high nibbles (0 to 7, as bits) with which it makes a character of the class.
template <CharClass kClass>
consteval std::array<std::uint8_t, 16> ascii_rows() {
  std::array<std::uint8_t, 16> rows{};
  for (unsigned c = 0; c < 128; ++c)
    if (kCharClasses[c] & kClass) rows[c & 15] |= static_cast<std::uint8_t>(1u << (c >> 4));
  return rows;
}
template <CharClass kClass>
alignas(16) inline constexpr std::array<std::uint8_t, 16> kAsciiRows = ascii_rows<kClass>();

// A bit for each of 16 bytes that is not of an all-ASCII class.
template <CharClass kClass>
unsigned outside(__m128i bytes) {
  const __m128i rows = _mm_load_si128(reinterpret_cast<const __m128i*>(kAsciiRows<kClass>.data()));
  const __m128i bits = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
  const __m128i row = _mm_shuffle_epi8(rows, bytes);  // obs-text: 0 by its top bit, so outside
  const __m128i hit = _mm_and_si128(row, _mm_shuffle_epi8(bits, high));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(hit, _mm_setzero_si128())));
}
// The tab counts as outside here; run() puts that right, it is rare.
template <>
inline unsigned outside<kValueChar>(__m128i bytes) {
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(control, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)))));
}

inline __m128i load(const char* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

template <CharClass kClass>
const char* next_outside(const char* p, const Text& text) {
  if (text.end - text.begin < 16) return Scalar::run<kClass>(p, text);
  const char* const last = text.end - 16;
  for (; p <= last; p += 16)
    if (const unsigned mask = outside<kClass>(load(p))) return p + std::countr_zero(mask);
  if (p == text.end) return p;
  const unsigned mask = outside<kClass>(load(last)) >> (p - last);
  return mask == 0 ? text.end : p + std::countr_zero(mask);
}

}  // namespace detail

struct Vector {
  template <CharClass kClass>
  static const char* run(const char* p, const Text& text) {
    p = detail::next_outside<kClass>(p, text);
    if constexpr (kClass == kValueChar)
      while (p != text.end && *p == '\t') p = detail::next_outside<kClass>(p + 1, text);
    return p;
  }
};
using Scan = Vector;

#else
using Scan = Scalar;
#endif

template <CharClass kClass>
const char* run(const char* p, const Text& text) {
  return Scan::run<kClass>(p, text);
}

}  // namespace http::scan
