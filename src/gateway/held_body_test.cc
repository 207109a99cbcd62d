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
  std::string rest(HeldBody& body) {
    std::string all, buffer(5, '\0');
    for (;;) {
      const auto n = test_.await(body.read(buffer));
      if (!n) return all + "!";
      if (*n == 0) return all;
      all.append(buffer, 0, *n);
    }
  }
  base::Result<> hold(HeldBody& body, std::size_t most) { return test_.await(body.hold(most)); }
  std::uint64_t counted() const { return account_.held(base::Account::Kind::kBodies); }

  net::testing::TestLoop test_;
  base::Account account_{1 << 20};
};

TEST_F(HeldBodyTest, GivesWhatWasReadAheadOnceMoreAndThenTheRest) {
  Pieces client({"first, ", "second, ", "third"});
  HeldBody body(client, account_);
  ASSERT_TRUE(hold(body, 9));
  EXPECT_EQ(body.held(), "first, sec");
  EXPECT_FALSE(body.whole());
  EXPECT_EQ(rest(body), "first, second, third");
  EXPECT_FALSE(body.rewind()) << "the rest is gone";
}

TEST_F(HeldBodyTest, CanBeSentAgainWhenItIsHeldAsAWhole) {
  Pieces client({"first, ", "second"});
  HeldBody body(client, account_);
  ASSERT_TRUE(hold(body, 100));
  EXPECT_TRUE(body.whole());
  EXPECT_EQ(body.held(), "first, second");
  EXPECT_EQ(rest(body), "first, second");
  EXPECT_TRUE(body.rewind());
  EXPECT_EQ(rest(body), "first, second");
}

TEST_F(HeldBodyTest, HoldsAsAWholeWhatIsExactlyAsLongAsAllowed) {
  Pieces exact({"12345"}), longer({"123456"});
  HeldBody one(exact, account_), other(longer, account_);
  ASSERT_TRUE(hold(one, 5));
  ASSERT_TRUE(hold(other, 5));
  EXPECT_TRUE(one.whole());
  EXPECT_FALSE(other.whole());
}

TEST_F(HeldBodyTest, FailsAsTheBodyDoes) {
  Pieces client({"123"}, true);
  HeldBody body(client, account_);
  const auto held = hold(body, 10);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, base::Code::kClientGone);
}

TEST_F(HeldBodyTest, CountsWhatItTakesForAsLongAsItIsThere) {
  Pieces client({std::string(100'000, 'x')});
  {
    HeldBody body(client, account_);
    ASSERT_TRUE(hold(body, 1 << 20));
    EXPECT_GE(counted(), 100'000U);
  }
  EXPECT_EQ(counted(), 0U);
}

TEST_F(HeldBodyTest, ReadsNoFurtherAheadThanThereIsMemory) {
  account_.limit(16 << 10);
  const std::string text(100'000, 'x');
  Pieces client({text});
  HeldBody body(client, account_);
  ASSERT_TRUE(hold(body, 1 << 20));
  EXPECT_FALSE(body.whole());
  EXPECT_LE(counted(), 16U << 10);
  EXPECT_EQ(rest(body), text);
}

TEST_F(HeldBodyTest, TakesAQuarterOfTheAccountWithAllOthers) {
  const std::string text(200'000, 'x');
  Pieces first({text}), second(std::vector<std::string>(200, std::string(1000, 'x')));
  HeldBody one(first, account_), other(second, account_);
  ASSERT_TRUE(hold(one, 1 << 20));
  ASSERT_TRUE(hold(other, 1 << 20));
  EXPECT_TRUE(one.whole());
  EXPECT_FALSE(other.whole());
  EXPECT_LE(counted(), (1U << 20) / 4);
  EXPECT_EQ(rest(other), text);
}

TEST_F(HeldBodyTest, TakesNoMoreThanItsShareInWhateverPiecesABodyComes) {
  account_.limit(std::uint64_t{16} * 150'000);
  std::vector<std::unique_ptr<Pieces>> clients;
  std::vector<std::unique_ptr<HeldBody>> bodies;
  for (std::size_t piece = 700; piece < 5000; piece += 700) {
    clients.push_back(
        std::make_unique<Pieces>(std::vector<std::string>(90'000 / piece, std::string(piece, 'x'))));
    bodies.push_back(std::make_unique<HeldBody>(*clients.back(), account_));
    ASSERT_TRUE(hold(*bodies.back(), 1 << 20));
    EXPECT_LE(counted(), 4U * 150'000);
  }
  EXPECT_GT(counted(), 2U * 150'000);
}

TEST_F(HeldBodyTest, IsTheClientsOwnWhereNobodyReadAhead) {
  Pieces client({"first, ", "second"});
  HeldBody body(client, account_);
  EXPECT_EQ(rest(body), "first, second");
  EXPECT_FALSE(body.rewind());
  EXPECT_EQ(counted(), 0U);
}

}  // namespace
}  // namespace gateway
