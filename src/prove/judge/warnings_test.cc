#include "prove/judge/warnings.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

Hdr replies(std::uint64_t quick, Nanos took, std::uint64_t stalled, Nanos stall) {
  Hdr hdr;
  hdr.record(took, quick);
  if (stalled > 0) hdr.record(stall, stalled);
  return hdr;
}

TEST(Warnings, ReckonWhatUsersWouldHaveSentMeanwhile) {
  EXPECT_NEAR(omitted_at(replies(1'000, Millis(1), 4, Millis(1'000)), Millis(1)), 4 * 999, 40);
  EXPECT_EQ(omitted_at(replies(1'000, Millis(1), 4, Millis(99)), Millis(1)), 0);         // no stall
  EXPECT_EQ(omitted_at(replies(1'000, Millis(200), 4, Millis(1'000)), Millis(200)), 0);  // five times
  EXPECT_EQ(omitted_at(replies(1'000, Millis(1), 4, Millis(1'000)), Millis(1'001)),
            0);  // they think for longer
  EXPECT_EQ(omitted_at(Hdr(), Millis(1)), 0);
  EXPECT_EQ(omitted_at(replies(1, Nanos(0), 0, Nanos(0)), Nanos(0)), 0);
}

}  // namespace
}  // namespace prove
