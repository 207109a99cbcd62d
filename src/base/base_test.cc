#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/error_table.h"
#include "base/ref.h"
#include "base/secret.h"
#include "base/siphash.h"

namespace base {
namespace {

TEST(Siphash, MatchesTheReferenceVectorsOfSipHash13) {
  // key 00..0f, message 00..n-1: from the reference implementation's vectors for 1-3 with 64-bit output
  const SipKey key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  EXPECT_EQ(siphash("", key), 0xabac0158050fc4dcULL);
  EXPECT_EQ(siphash(std::string_view("\0", 1), key), 0xc9f49bf37d57ca93ULL);
}

TEST(Siphash, DiffersWhenAnyByteDiffers) {
  const std::string a(320, 'x');
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::string b = a;
    b[i] = 'y';
    EXPECT_NE(siphash(a), siphash(b)) << i;
  }
}

TEST(Secret, ComparesByContentAndLeavesTheMovedFromEmpty) {
  Secret a{std::string("hunter2")};
  Secret b = a;
  EXPECT_TRUE(a.equals(b));
  Secret c = std::move(a);
  EXPECT_TRUE(c.equals(b));
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the point
}

TEST(Clock, MovesForwardWhenATestTurnsIt) {
  const Mono before = mono_now();
  ClockShift shift(std::chrono::hours(1));
  EXPECT_GE(mono_now() - before, std::chrono::hours(1));
}

TEST(ErrorTable, HasARowForEachCodeWithASlugOfItsOwn) {
  for (int i = 0; i < static_cast<int>(Code::kCount); ++i) {
    const ErrorRow& row = row_of(static_cast<Code>(i));
    EXPECT_EQ(row.code, static_cast<Code>(i));
    for (int j = 0; j < i; ++j) EXPECT_NE(row.slug, row_of(static_cast<Code>(j)).slug);
  }
  EXPECT_EQ(row_of(Code::kCount).status, 500);
}

TEST(ErrorTable, TellsWhatMayBeAskedAgain) {
  EXPECT_EQ(row_of(Code::kOriginUnreachable).retry, Retry::kAlways) << "no byte has reached it";
  EXPECT_EQ(row_of(Code::kOriginTimeout).retry, Retry::kIdempotent) << "it may have acted";
  EXPECT_EQ(row_of(Code::kOriginDenied).retry, Retry::kNever);
  EXPECT_EQ(row_of(Code::kClientGone).retry, Retry::kNever);
}

TEST(ErrorTable, TellsBusynessApartFromBugs) {
  EXPECT_TRUE(row_of(Code::kShed).denied);
  EXPECT_EQ(row_of(Code::kShed).retry_after, 1);
  EXPECT_EQ(row_of(Code::kShed).outcome, Outcome::kOurError);
  EXPECT_FALSE(row_of(Code::kInternal).denied);
  EXPECT_EQ(row_of(Code::kInternal).retry_after, 0);
  EXPECT_EQ(row_of(Code::kNotFound).outcome, Outcome::kServed) << "a true answer about the object";
}

struct Node : Shared<Node> {
  explicit Node(bool* gone) : gone_(gone) {}
  ~Node() { *gone_ = true; }
  bool* gone_;
};

TEST(Ref, DeletesWithTheLastReference) {
  bool gone = false;
  Ref<Node> a = make_ref<Node>(&gone);
  Ref<const Node> b = a;
  a = nullptr;
  EXPECT_FALSE(gone);
  b = nullptr;
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace base
