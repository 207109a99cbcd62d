#include "prove/model/function.h"

#include <gtest/gtest.h>

#include <set>

namespace prove {
namespace {

std::string made(std::string_view call, std::uint64_t seed = 1) {
  const auto function = Function::parse(call);
  EXPECT_TRUE(function.has_value()) << call;
  Random random(seed);
  std::string out;
  if (function) function->write(random, out);
  return out;
}

std::string error(std::string_view call) {
  const auto function = Function::parse(call);
  return function ? "none" : function.error();
}

TEST(Function, MakesTextsOfALengthAndAnAlphabet) {
  EXPECT_EQ(made("random_string(16)").size(), 16u);
  EXPECT_EQ(made("random_string(65536)").size(), 65'536u);
  EXPECT_EQ(made("random_string(64, digits)").find_first_not_of("0123456789"), std::string::npos);
  EXPECT_EQ(made("random_string(64,hex)").find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(made("random_string(64, 'A,b')").find_first_not_of("A,b"), std::string::npos);
  const std::string all = made("random_string(4000)");
  EXPECT_EQ(std::set<char>(all.begin(), all.end()).size(), 62u);
}

TEST(Function, MakesNumbersBetweenBothEnds) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) seen.insert(made("random_int(-1, 2)", seed));
  EXPECT_EQ(seen, (std::set<std::string>{"-1", "0", "1", "2"}));
  EXPECT_EQ(made("random_int(7, 7)"), "7");
  EXPECT_NE(made("random_int(-9223372036854775808, 9223372036854775807)"), "");
}

TEST(Function, DependsOnTheSeedAlone) {
  EXPECT_EQ(made("random_string(16)", 7), made("random_string( 16 )", 7));
  EXPECT_NE(made("random_string(16)", 7), made("random_string(16)", 8));
}

TEST(Function, HasOneNameHoweverItIsSpaced) {
  EXPECT_EQ(Function::parse("random_string( 8 ,hex )")->name(), "random_string(8, hex)");
  EXPECT_EQ(Function::parse("random_int(1,6)")->name(), "random_int(1, 6)");
  EXPECT_TRUE(Function::is_call("random_int(1, 6)"));
  EXPECT_FALSE(Function::is_call("random"));
}

TEST(Function, SaysWhatACallLacks) {
  for (const auto* call : {"random_text(3)", "random_string(3", "(3)"})
    EXPECT_TRUE(error(call).starts_with("is no function")) << call;
  for (const auto* call : {"random_string()", "random_string(0)", "random_string(65537)", "random_string(x)"})
    EXPECT_TRUE(error(call).starts_with("needs a length")) << call;
  for (const auto* call : {"random_string(3, )", "random_string(3, base64)", "random_string(3, '')",
                           "random_string(3, 'a'b')", "random_string(3, 'ä')", "random_string(3, hex, 1)"})
    EXPECT_TRUE(error(call).starts_with("needs an alphabet")) << call;
  for (const auto* call : {"random_int(3)", "random_int(2, 1)", "random_int(1, 2, 3)", "random_int(1.5, 2)"})
    EXPECT_TRUE(error(call).starts_with("needs two whole numbers")) << call;
}

}  // namespace
}  // namespace prove
