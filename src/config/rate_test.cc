#include "config/rate.h"

#include <gtest/gtest.h>

namespace config {
namespace {

using namespace std::chrono_literals;

TEST(RateText, IsACountAndATime) {
  const auto is = [](const char* text, std::uint64_t count, base::Nanos per) {
    const auto rate = RateText::parse(text);
    ASSERT_TRUE(rate) << text;
    EXPECT_EQ(rate->count, count) << text;
    EXPECT_EQ(rate->per, per) << text;
  };
  is("100/s", 100, 1s);
  is("10/m", 10, 60s);
  is("1000/h", 1'000, 1h);
  is("7/d", 7, 24h);
  is("5/10s", 5, 10s);
  is("5/1m30s", 5, 90s);
  is("3/250ms", 3, 250ms);
  is("1/ms", 1, 1ms);
  is("1000000/s", 1'000'000, 1s);
  is("1/31d", 1, 31 * 24h);
  EXPECT_EQ(RateText::parse("4/s")->interval(), 250ms);
}

TEST(RateText, RefusesWhatIsNone) {
  for (const char* bad : {"",
                          "/",
                          "100",
                          "100/",
                          "/s",
                          "100s",
                          "100/sec",
                          "100 /s",
                          "100/ s",
                          "-1/s",
                          "1.5/s",
                          "1/1",
                          "1/s/s",
                          "s/100",
                          "100/1.5s",
                          "0x5/s",
                          "99999999999999999999/s",
                          "1/99999999999999999999s",
                          "1e3/s",
                          "+1/s",
                          "off"})
    EXPECT_EQ(RateText::parse(bad).error(), "is not a rate; write 100/s, 10/m, 1000/h or 5/10s") << bad;
  EXPECT_EQ(RateText::parse("0/s").error(), "lets nothing through; the least count is 1");
  EXPECT_EQ(RateText::parse("1000000001/d").error(), "has a count beyond 1000000000");
  EXPECT_EQ(RateText::parse("1/0s").error(), "has a time beyond 1ms to 31d");
  EXPECT_EQ(RateText::parse("1/32d").error(), "has a time beyond 1ms to 31d");
  EXPECT_EQ(RateText::parse("1/53375995583d").error(),
            "has a time beyond 1ms to 31d");  // nanoseconds overflow
  EXPECT_EQ(RateText::parse("1000001/s").error(), "is more than a million a second");
}

TEST(RateText, ShowsWhatItParses) {
  for (const char* text : {"100/s", "10/m", "1/h", "5/10s", "3/250ms", "1/ms", "2/d", "1/15d"})
    EXPECT_EQ(RateText::show(*RateText::parse(text)), text);
  EXPECT_EQ(RateText::show(*RateText::parse("100/60s")), "100/m");
  EXPECT_EQ(RateText::show(*RateText::parse("100/1s")), "100/s");
}

TEST(RateOrOff, IsNoneAtAllWhenOff) {
  EXPECT_EQ(RateOrOff::parse("off")->count, 0U);
  EXPECT_EQ(RateOrOff::show(*RateOrOff::parse("off")), "off");
  EXPECT_EQ(RateOrOff::show(*RateOrOff::parse("5/10s")), "5/10s");
  EXPECT_FALSE(RateOrOff::parse("none"));
}

}  // namespace
}  // namespace config
