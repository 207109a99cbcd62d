// Runs of bytes that belong to one class: the inner loop of the head parsers.
//
// Owner:    nobody; pure functions over [p, end). Thread: any. Failure: none.
// Units:    each returns the first byte that is not of the class, or end.
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

struct Scalar {
  static const char* run(CharClass wanted, const char* p, const char* end) {
    while (p != end && is(wanted, *p)) ++p;
    return p;
  }
  static const char* token(const char* p, const char* end) { return run(kTokenChar, p, end); }
  static const char* target(const char* p, const char* end) { return run(kTargetChar, p, end); }
  static const char* value(const char* p, const char* end) { return run(kValueChar, p, end); }
};

#ifdef __SSSE3__

namespace detail {
// For each low nibble the high nibbles (0 to 7, as bits) with which it makes a tchar.
consteval std::array<std::uint8_t, 16> token_rows() {
  std::array<std::uint8_t, 16> rows{};
  for (unsigned c = 0; c < 128; ++c)
    if (kCharClasses[c] & kTokenChar) rows[c & 15] |= static_cast<std::uint8_t>(1u << (c >> 4));
  return rows;
}
alignas(16) inline constexpr std::array<std::uint8_t, 16> kTokenRows = token_rows();
}  // namespace detail

struct Vector {
  // `outside` yields a byte of all ones for each byte that ends the run.
  template <class Outside>
  static const char* run(CharClass wanted, const char* p, const char* end, Outside outside) {
    while (end - p >= 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const auto mask = static_cast<unsigned>(_mm_movemask_epi8(outside(bytes)));
      if (mask != 0) return p + std::countr_zero(mask);
      p += 16;
    }
    return Scalar::run(wanted, p, end);
  }
  static const char* token(const char* p, const char* end) {
    return run(kTokenChar, p, end, [](__m128i bytes) {
      const __m128i rows = _mm_load_si128(reinterpret_cast<const __m128i*>(detail::kTokenRows.data()));
      const __m128i bits = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
      const __m128i nibble = _mm_set1_epi8(15);
      const __m128i row = _mm_shuffle_epi8(rows, _mm_and_si128(bytes, nibble));
      const __m128i bit = _mm_shuffle_epi8(bits, _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble));
      return _mm_cmpeq_epi8(_mm_and_si128(row, bit), _mm_setzero_si128());
    });
  }
  static const char* target(const char* p, const char* end) {
    return run(kTargetChar, p, end,
               [](__m128i bytes) {  // signed: obs-text is negative, so below 0x21 as well
                 return _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21)),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
               });
  }
  static const char* value(const char* p, const char* end) {
    return run(kValueChar, p, end, [](__m128i bytes) {
      const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
      const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
      return _mm_or_si128(_mm_andnot_si128(tab, control), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
    });
  }
};
using Scan = Vector;

#else
using Scan = Scalar;
#endif

}  // namespace http::scan
