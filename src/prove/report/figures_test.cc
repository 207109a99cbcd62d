#include "prove/report/figures.h"

#include <gtest/gtest.h>

#include <cmath>

namespace prove {
namespace {

TEST(Figures, DurationsHaveThreeDigitsAndAUnit) {
  EXPECT_EQ(duration_text(base::Nanos(0)), "0 s");
  EXPECT_EQ(duration_text(base::Nanos(412)), "412 ns");
  EXPECT_EQ(duration_text(base::Nanos(41'234)), "41.2 µs");
  EXPECT_EQ(duration_text(base::Nanos(999'600)), "1.00 ms");
  EXPECT_EQ(duration_text(base::Nanos(12'400'000)), "12.4 ms");
  EXPECT_EQ(duration_text(base::Nanos(999'700'000)), "1 s");
  EXPECT_EQ(duration_text(base::Nanos(1'500'000'000)), "1.50 s");
  EXPECT_EQ(seconds_text(30.004), "30 s");
  EXPECT_EQ(seconds_text(30.04), "30.0 s");
  EXPECT_EQ(seconds_text(59.9), "1 min");
  EXPECT_EQ(duration_text(base::Seconds(125)), "2 min 5 s");
  EXPECT_EQ(duration_text(base::Seconds(5'400)), "1 h 30 min");
}

TEST(Figures, PercentNeverRoundsToAllOrNothing) {
  EXPECT_EQ(percent_text(100), "100 %");
  EXPECT_EQ(percent_text(0), "0 %");
  EXPECT_EQ(percent_text(99.9996), "99.9996 %");
  EXPECT_EQ(percent_text(99.5), "99.5 %");
  EXPECT_EQ(percent_text(0.0003), "0.0003 %");
  EXPECT_EQ(percent_text(12.3456), "12.35 %");
  EXPECT_EQ(percent_text(NAN), "–");
  EXPECT_EQ(number_text(NAN), "–");
}

TEST(Figures, CountsAreGrouped) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1'234'567), "1,234,567");
  EXPECT_EQ(number_text(-1'234.5), "−1,234");
  EXPECT_EQ(number_text(0.00421), "0.00421");
  EXPECT_EQ(rate_text(12.34), "12.3/s");
}

TEST(Figures, BytesAndClocks) {
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1'536), "1.50 KiB");
  EXPECT_EQ(bytes_text(-3.5 * 1024 * 1024), "−3.50 MiB");
  EXPECT_EQ(clock_text(65), "1:05");
  EXPECT_EQ(clock_text(3'723), "1:02:03");
}

}  // namespace
}  // namespace prove
