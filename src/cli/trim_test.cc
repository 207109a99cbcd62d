// Memory goes back when much was freed and nothing moves any more.
#include "cli/trim.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

TEST(Trim, IsDueOnceWhenMuchWasFreedAndNothingMoves) {
  Trim trim;
  EXPECT_FALSE(trim.due(0));
  EXPECT_FALSE(trim.due(100 * kMiB));
  EXPECT_FALSE(trim.due(60 * kMiB)) << "it still falls";
  EXPECT_FALSE(trim.due(20 * kMiB));
  EXPECT_TRUE(trim.due(20 * kMiB));
  EXPECT_FALSE(trim.due(20 * kMiB));
}

TEST(Trim, IsNotDueWhileMemoryComesAndGoes) {
  Trim trim;
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(trim.due(100 * kMiB));
    EXPECT_FALSE(trim.due(50 * kMiB));
  }
}

TEST(Trim, IsNotDueForLittle) {
  Trim trim;
  EXPECT_FALSE(trim.due(Trim::kMuch - 1));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(trim.due(0));
}

}  // namespace
}  // namespace cli
