// Compares secrets in a time that depends on their length only, not on where they differ.
//
// Thread:   any; no state.
// Failure:  none. Strings of different lengths differ at once: lengths are no secret here.
//
// Why not CRYPTO_memcmp: it goes byte by byte, which is a third of the lookup of a remembered token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace identity {

inline bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  std::uint64_t difference = 0;
  std::size_t i = 0;
  for (; i + 8 <= a.size(); i += 8) {
    std::uint64_t x, y;
    std::memcpy(&x, a.data() + i, 8);
    std::memcpy(&y, b.data() + i, 8);
    difference |= x ^ y;
  }
  for (; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  asm volatile("" : "+r"(difference));  // so that no compiler learns to leave the loops early
  return difference == 0;
}

}  // namespace identity
