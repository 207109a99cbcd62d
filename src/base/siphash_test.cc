#include "base/siphash.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace base {
namespace {

// SipHash-1-3 of the bytes 0, 1, 2, … under the key 0, 1, …, 15, computed by another program (which gives the
// reference's vector for 2-4). Each length leaves another number of bytes behind the last whole word.
TEST(Siphash, GivesWhatTheReferenceGives) {
  constexpr SipKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  constexpr std::pair<std::size_t, std::uint64_t> kKnown[] = {
      {0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},  {8, 0x369095118d299a8e},
      {9, 0x25a48eb36c063de4},  {14, 0x605aa111c0f95d34}, {15, 0xd320d86d2a519956}, {16, 0xcc4fdd1a7d908b66},
      {17, 0x9cf2689063dbd80c}, {23, 0x525a0e7fdae6c123}, {63, 0x9d199062b7bbb3a8}, {64, 0xf17997ec4b4a6065},
  };
  for (const auto& [size, expected] : kKnown) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i);
    EXPECT_EQ(siphash(bytes, kKey), expected) << size;
  }
}

// It reads whole words: never one before the text, or behind it.
TEST(Siphash, DependsOnNothingButTheText) {
  const std::string around = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (std::size_t size = 0; size <= 20; ++size)
    EXPECT_EQ(siphash(std::string_view(around).substr(7, size)), siphash(around.substr(7, size))) << size;
}

}  // namespace
}  // namespace base
