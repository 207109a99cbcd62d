#include "net/pace.h"

#include <gtest/gtest.h>

namespace net {
namespace {

using base::Millis;
using base::Seconds;

constexpr LeastRate kLeast{.per_second = 100, .span = Seconds(10)};

TEST(Pace, HoldsUntilASpanWasWaited) {
  Pace pace;
  pace.start(1000);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(pace.holds(kLeast, 1000)) << i;
    pace.waited(kLeast, Millis(500));
  }
  EXPECT_FALSE(pace.holds(kLeast, 1000));
}

TEST(Pace, CountsEachSpanForItself) {
  Pace pace;
  pace.start(0);
  for (int i = 0; i < 10; ++i) pace.waited(kLeast, Seconds(1));
  EXPECT_TRUE(pace.holds(kLeast, 1'000'000));  // no credit for the next
  for (int i = 0; i < 10; ++i) pace.waited(kLeast, Seconds(1));
  EXPECT_FALSE(pace.holds(kLeast, 1'000'999));
}

TEST(Pace, ForgivesAPauseButNotAPauseBeforeEachByte) {
  Pace pace;
  pace.start(0);
  pace.waited(kLeast, Seconds(29));
  EXPECT_TRUE(pace.holds(kLeast, 1));
  pace.waited(kLeast, Seconds(29));
  EXPECT_FALSE(pace.holds(kLeast, 2));
}

TEST(Pace, AsksNothingWithoutARate) {
  constexpr LeastRate kAny{.per_second = 0, .span = Seconds(1)};
  Pace pace;
  pace.start(0);
  for (int i = 0; i < 10; ++i) pace.waited(kAny, Seconds(1000));
  EXPECT_TRUE(pace.holds(kAny, 0));
}

}  // namespace
}  // namespace net
