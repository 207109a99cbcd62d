#include <gtest/gtest.h>

#include "base/clock.h"
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
