#include "prove/wire/json_number.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

constexpr auto kLess = std::strong_ordering::less;
constexpr auto kSame = std::strong_ordering::equal;

TEST(JsonNumber, ComparesWhatNumbersAreWorth) {
  const auto same = [](std::string_view a, std::string_view b) { return compare_numbers(a, b) == kSame; };
  EXPECT_TRUE(same("19.90", "19.9"));
  EXPECT_TRUE(same("1e2", "100.0"));
  EXPECT_TRUE(same("0.001E+3", "1"));
  EXPECT_TRUE(same("-0", "0.0e9"));
  EXPECT_TRUE(same("123e-2", "1.23"));
  EXPECT_FALSE(same("12345678901234567890", "12345678901234567891"));
  EXPECT_FALSE(same("1e400", "1e401"));
}

TEST(JsonNumber, PutsThemInOrder) {
  constexpr std::string_view kOrder[] = {"-1e99999999999999999999",
                                         "-10",
                                         "-9.5",
                                         "-9",
                                         "-1e-9",
                                         "0",
                                         "1e-400",
                                         "0.09",
                                         "0.1",
                                         "0.11",
                                         "2",
                                         "9.99",
                                         "10",
                                         "1e300",
                                         "1e301"};
  for (std::size_t i = 0; i < std::size(kOrder); ++i)
    for (std::size_t k = i + 1; k < std::size(kOrder); ++k) {
      EXPECT_EQ(compare_numbers(kOrder[i], kOrder[k]), kLess) << kOrder[i] << " " << kOrder[k];
      EXPECT_EQ(compare_numbers(kOrder[k], kOrder[i]), 0 <=> kLess) << kOrder[i] << " " << kOrder[k];
    }
}

TEST(JsonNumber, KnowsWhatIsNone) {
  for (const std::string_view bad :
       {"", "-", "+1", "01", ".5", "1.", "1e", "1e+", "0x1", "1 ", "nan", "1,5", "--1"}) {
    EXPECT_FALSE(is_json_number(bad)) << bad;
    EXPECT_FALSE(compare_numbers(bad, "1").has_value()) << bad;
  }
}

}  // namespace
}  // namespace prove
