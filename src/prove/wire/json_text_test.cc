#include "prove/wire/json_text.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

TEST(JsonText, GivesNumbersToTheLetter) {
  for (const char* number :
       {"19.90", "1E2", "-0", "0.1e-7", "12345678901234567890123", "-9223372036854775808", "1e999"})
    EXPECT_EQ(JsonText("{\"a\": [" + std::string(number) + "]}").at("/a/0"), number) << number;
}

TEST(JsonText, GivesTextsAsTheyAreAndTheRestAsJson) {
  const JsonText json(
      R"({"t": "n\"\u0041\n", "n": null, "b": true, "e": {}, "l": [], "": "s", "o": {"k\"": ["x", 1.0, false]}})");
  EXPECT_EQ(json.at("/t"), "n\"A\n");
  EXPECT_EQ(json.at("/n"), "null");
  EXPECT_EQ(json.at("/b"), "true");
  EXPECT_EQ(json.at("/e"), "{}");
  EXPECT_EQ(json.at("/l"), "[]");
  EXPECT_EQ(json.at("/"), "s");
  EXPECT_EQ(json.at("/o"), R"({"k\"":["x",1.0,false]})");
  EXPECT_EQ(json.at("/none"), std::nullopt);
  EXPECT_EQ(JsonText("7.50 ").at(""), "7.50");
}

TEST(JsonText, FindsNothingInWhatIsNoJson) {
  for (const char* bad : {"", "{", "{} x", "[1,]", "nul", "\"a", "01"}) {
    EXPECT_FALSE(JsonText(bad).valid()) << bad;
    EXPECT_EQ(JsonText(bad).at(""), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace prove
