#include "prove/model/quantity.h"

#include <gtest/gtest.h>

#include <limits>

namespace prove {
namespace {

TEST(Quantity, ReadsUnits) {
  EXPECT_DOUBLE_EQ(unit_of("ms")->value, 1e-3);
  EXPECT_EQ(unit_of("ms")->kind, kTime);
  EXPECT_DOUBLE_EQ(unit_of("MiB")->value, 1048576);
  EXPECT_EQ(unit_of("%")->kind, kShare);
  EXPECT_DOUBLE_EQ(unit_of("MB/h")->value, 1e6 / 3600);
  EXPECT_EQ(unit_of("MB/h")->kind, (Dimension{-1, 1}));
  EXPECT_EQ(unit_of("/s")->kind, kPerSecond);
  for (const char* no : {"", "sec", "mb", "/", "s/", "/m", "MB/", "kB"}) EXPECT_FALSE(unit_of(no)) << no;
}

TEST(Quantity, CombinesKinds) {
  EXPECT_EQ(product(kShare, kPlain), kShare);
  EXPECT_EQ(product(kShare, kTime), kTime);
  EXPECT_EQ(quotient(kShare, kShare), kPlain);
  EXPECT_EQ(quotient(kPlain, kTime), kPerSecond);
  EXPECT_EQ(quotient(kTime, kTime), kPlain);
  EXPECT_EQ(quotient(kTime, kShare), kTime);
  EXPECT_FALSE(kShare == kPlain);
}

TEST(Quantity, ShowsWhatPeopleRead) {
  EXPECT_EQ(show(0.0124, kTime), "12.4 ms");
  EXPECT_EQ(show(0.00085, kTime), "850 µs");
  EXPECT_EQ(show(1, kTime), "1 s");
  EXPECT_EQ(show(90, kTime), "90 s");
  EXPECT_EQ(show(600, kTime), "10 min");
  EXPECT_EQ(show(0, kTime), "0 s");
  EXPECT_EQ(show(7200, kTime), "2 h");
  EXPECT_EQ(show(1e6 / 3600, {-1, 1, false, true}), "1 MB/h");
  EXPECT_EQ(show(-2.5e6 / 3600, {-1, 1, false, true}), "-2.5 MB/h");
  EXPECT_EQ(show(0, {-1, 1, false, true}), "0 B/h");
  EXPECT_EQ(show(310, kPerSecond), "310/s");
  EXPECT_EQ(show(12.34e6, kBytes), "12.3 MB");
  EXPECT_EQ(show(1234567, kPlain), "1234567");
  EXPECT_EQ(show(0.1384, kPlain), "0.138");
  EXPECT_EQ(show(std::numeric_limits<double>::infinity(), kPlain), "no number");
}

TEST(Quantity, NeverRoundsAShareToTheWhole) {
  EXPECT_EQ(show(1, kShare), "100 %");
  EXPECT_EQ(show(0, kShare), "0 %");
  EXPECT_EQ(show(0.9998, kShare), "99.98 %");
  EXPECT_EQ(show(0.999999, kShare), "99.9999 %");
  EXPECT_EQ(show(1e-7, kShare), "0.00001 %");
  EXPECT_EQ(show(0.5, kShare), "50 %");
  EXPECT_EQ(show(1.873, kShare), "187.3 %");
}

}  // namespace
}  // namespace prove
