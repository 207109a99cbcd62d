// Memory goes back when the process has grown and nothing moves any more.
#include "cli/trim.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

TEST(Trim, IsDueOnceWhenACrowdHasLeft) {
  Trim trim;
  EXPECT_TRUE(trim.due(0, 12 * kMiB));
  trim.trimmed(12 * kMiB);
  EXPECT_FALSE(trim.due(100 * kMiB, 120 * kMiB));
  EXPECT_FALSE(trim.due(20 * kMiB, 110 * kMiB)) << "it still falls";
  EXPECT_TRUE(trim.due(20 * kMiB, 110 * kMiB));
  trim.trimmed(32 * kMiB);
  EXPECT_FALSE(trim.due(20 * kMiB, 32 * kMiB));
}

TEST(Trim, IsDueForACrowdThatCameAndWentBetweenTwoLooks) {
  Trim trim;
  trim.trimmed(12 * kMiB);
  EXPECT_FALSE(trim.due(0, 12 * kMiB));
  EXPECT_TRUE(trim.due(0, 60 * kMiB));
}

TEST(Trim, IsNotDueWhileMemoryComesAndGoes) {
  Trim trim;
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(trim.due(100 * kMiB, 120 * kMiB));
    EXPECT_FALSE(trim.due(50 * kMiB, 120 * kMiB));
  }
}

TEST(Trim, IsNotDueForLittle) {
  Trim trim;
  trim.trimmed(12 * kMiB);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(trim.due(0, 12 * kMiB + Trim::kMuch - 1));
}

}  // namespace
}  // namespace cli
