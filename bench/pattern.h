// The bytes of every large body: a fixed pseudo-random block, over and over. Origin and sink make it for
// themselves, so that a relay which loses, repeats or swaps a piece is caught.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace bench {

inline constexpr std::size_t kPatternSize = 16 << 20;

inline std::string make_pattern() {
  std::string block(kPatternSize, '\0');
  std::uint64_t x = 0x9e3779b97f4a7c15;
  for (std::size_t i = 0; i < block.size(); i += sizeof x) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    std::memcpy(block.data() + i, &x, sizeof x);
  }
  return block;
}

}  // namespace bench
