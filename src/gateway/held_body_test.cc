// What is read ahead of a body, and how it is read again.
#include "gateway/held_body.h"

#include <gtest/gtest.h>

#include <cstring>

#include "net/testing.h"

namespace gateway {
namespace {

// A client's body in pieces; then its end, or a failure.
class Pieces final : public net::Upload {
 public:
  explicit Pieces(std::vector<std::string> pieces, bool fails = false)
      : pieces_(std::move(pieces)), fails_(fails) {}

  net::Task<base::Result<std::size_t>> read(std::span<char> out) override {
    if (at_ == pieces_.size()) {
      if (fails_) co_return base::fail(base::Code::kClientGone, "gone");
      co_return std::size_t{0};
    }
    std::string& piece = pieces_[at_];
    const std::size_t n = std::min(out.size(), piece.size());
    std::memcpy(out.data(), piece.data(), n);
    piece.erase(0, n);
    if (piece.empty()) ++at_;
    co_return n;
  }

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
  bool fails_;
};

class HeldBodyTest : public ::testing::Test {
 protected:
  std::string rest() {
    std::string all, buffer(5, '\0');
    for (;;) {
      const auto n = test_.await(body_.read(buffer));
      if (!n) return all + "!";
      if (*n == 0) return all;
      all.append(buffer, 0, *n);
    }
  }
  base::Result<> hold(std::size_t most) { return test_.await(body_.hold(most, counted_)); }

  net::testing::TestLoop test_;
  telemetry::Gauge counted_;
  HeldBody body_;
};

TEST_F(HeldBodyTest, GivesWhatWasReadAheadOnceMoreAndThenTheRest) {
  Pieces client({"first, ", "second, ", "third"});
  body_.start(client);
  ASSERT_TRUE(hold(10));
  EXPECT_EQ(body_.held(), "first, sec");
  EXPECT_FALSE(body_.whole());
  EXPECT_EQ(counted_.read(), 10);
  EXPECT_EQ(rest(), "first, second, third");
  EXPECT_FALSE(body_.rewind()) << "the rest is gone";
}

TEST_F(HeldBodyTest, CanBeSentAgainWhenItIsHeldAsAWhole) {
  Pieces client({"first, ", "second"});
  body_.start(client);
  ASSERT_TRUE(hold(100));
  EXPECT_TRUE(body_.whole());
  EXPECT_EQ(body_.held(), "first, second");
  EXPECT_EQ(rest(), "first, second");
  EXPECT_TRUE(body_.rewind());
  EXPECT_EQ(rest(), "first, second");
}

TEST_F(HeldBodyTest, DoesNotKnowThatItIsWholeBeforeItsEndWasSeen) {
  Pieces client({"12345"});
  body_.start(client);
  ASSERT_TRUE(hold(5));
  EXPECT_FALSE(body_.whole());
  ASSERT_TRUE(hold(6));
  EXPECT_TRUE(body_.whole());
}

TEST_F(HeldBodyTest, FailsAsTheBodyDoesAndCountsWhatItHolds) {
  Pieces client({"123"}, true);
  body_.start(client);
  const auto held = hold(10);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, base::Code::kClientGone);
  EXPECT_EQ(counted_.read(), 3);
  body_.reset();
  EXPECT_EQ(counted_.read(), 0);
}

TEST_F(HeldBodyTest, IsTheClientsOwnWhereNobodyReadAhead) {
  Pieces client({"first, ", "second"});
  body_.start(client);
  EXPECT_EQ(rest(), "first, second");
  EXPECT_FALSE(body_.rewind());
}

}  // namespace
}  // namespace gateway
