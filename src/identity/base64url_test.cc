#include "identity/base64url.h"

#include <gtest/gtest.h>

#include <random>

namespace identity {
namespace {

std::string encode(std::string_view bytes) {
  std::string out;
  base64url_encode(bytes, out);
  return out;
}
bool decodes(std::string_view text) {
  std::string out(base64url_decoded_size(text.size()), '\0');
  return base64url_decode(text, out.data());
}

TEST(Base64Url, GivesBackWhatItEncoded) {
  std::mt19937 random(1);  // every length, so that every path and every remainder is taken
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string text = encode(bytes);
    ASSERT_EQ(base64url_decoded_size(text.size()), size);
    std::string back(size, '\0');
    ASSERT_TRUE(base64url_decode(text, back.data())) << text;
    EXPECT_EQ(back, bytes);
  }
}

TEST(Base64Url, KnowsTheVectorsOfRfc4648) {
  EXPECT_EQ(encode("f"), "Zg");
  EXPECT_EQ(encode("fo"), "Zm8");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encode("\xfb\xff\xbf"), "-_-_");
}

TEST(Base64Url, RefusesEveryForeignCharacterAtEveryPlace) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const std::size_t size : {4U, 24U, 44U}) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(c);
        ASSERT_EQ(decodes(text), kAlphabet.find(static_cast<char>(c)) != kAlphabet.npos) << c << " at " << at;
      }
    }
  }
}

TEST(Base64Url, RefusesLengthsThatNoBytesHave) {
  for (const std::size_t size : {1U, 5U, 25U, 41U}) EXPECT_FALSE(decodes(std::string(size, 'A')));
}

TEST(Base64Url, RefusesUnusedBitsThatAreNotZero) {
  EXPECT_TRUE(decodes("Zg"));
  EXPECT_FALSE(decodes("Zh"));
  EXPECT_TRUE(decodes("Zm8"));
  EXPECT_FALSE(decodes("Zm9"));
}

}  // namespace
}  // namespace identity
