// Who is cut where memory is short: the slowest, and only where it helps.
#include "cache/loan.h"

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>

#include "cache/memory.h"
#include "net/testing.h"

namespace cache {
namespace {

constexpr std::size_t kBody = 64 << 10;

class LoanTest : public ::testing::Test {
 protected:
  struct Reply {
    std::atomic<std::uint64_t> taken{0};
    bool cut = false;
    std::unique_ptr<Loan> loan;
  };

  base::Ref<const Entry> entry(const std::string& key) {
    return Entry::make({.key = KeyView(key),
                        .body = {base::Chunk::copy_of(std::string(kBody, 'x'))},
                        .stored_at = base::mono_now(),
                        .freshness = base::Seconds(60)});
  }
  Reply& lend(Loan::Object object) {
    Reply& reply = replies_.emplace_back();
    reply.loan =
        std::make_unique<Loan>(loans_, std::move(object),
                               Loan::Keeper{.loop = test_.loop,
                                            .taken = reply.taken,
                                            .cut = [](void* r) { static_cast<Reply*>(r)->cut = true; },
                                            .context = &reply});
    return reply;
  }
  // And lets those be told who are recalled.
  void recall(std::uint64_t bytes) {
    shifts_.emplace_back(base::Seconds(1));  // nobody looks twice at once
    loans_.recall(bytes);
    test_.turn();
  }
  void grow_old() { shifts_.emplace_back(Loans::kGrace + base::Seconds(1)); }

  net::testing::TestLoop test_;
  Memory memory_{1 << 20};
  Loans loans_{memory_};
  std::list<Reply> replies_;
  std::list<base::ClockShift> shifts_;
};

TEST_F(LoanTest, TheSlowestGiveBackFirstAndNoMoreThanIsWanted) {
  Reply& quick = lend({.entry = entry("a")});
  Reply& slow = lend({.entry = entry("b")});
  Reply& middling = lend({.entry = entry("c")});
  quick.taken = 1'000'000;
  middling.taken = 1'000;
  grow_old();
  recall(kBody);
  EXPECT_TRUE(slow.cut);
  EXPECT_FALSE(middling.cut);
  recall(kBody);
  EXPECT_TRUE(middling.cut);
  EXPECT_FALSE(quick.cut);
  EXPECT_EQ(loans_.recalled(), 2U);
}

TEST_F(LoanTest, WhatTheCacheHoldsIsNotWorthAReader) {
  const auto kept = entry("a");
  memory_.put(kept);
  Reply& reply = lend({.entry = kept});
  grow_old();
  recall(1 << 30);
  EXPECT_FALSE(reply.cut);
  memory_.erase(kept->key());
  recall(1 << 30);
  EXPECT_TRUE(reply.cut);
}

TEST_F(LoanTest, AnObjectIsAsQuickAsTheQuickestOfItsReaders) {
  const auto shared = entry("a");
  Reply& slow = lend({.entry = shared});
  Reply& quick = lend({.entry = shared});
  Reply& alone = lend({.entry = entry("b")});
  quick.taken = 1'000'000;
  alone.taken = 1'000;
  grow_old();
  recall(kBody);
  EXPECT_TRUE(alone.cut);
  EXPECT_FALSE(slow.cut) << "its end would free nothing";
  recall(1 << 30);
  EXPECT_TRUE(slow.cut);
  EXPECT_TRUE(quick.cut);
}

TEST_F(LoanTest, NobodyIsCutInTheFirstSeconds) {
  Reply& old = lend({.bytes = kBody});
  grow_old();
  Reply& fresh = lend({.bytes = kBody});
  recall(1 << 30);
  EXPECT_TRUE(old.cut);
  EXPECT_FALSE(fresh.cut);
}

TEST_F(LoanTest, AReplyThatHasEndedIsNotCut) {
  Reply& reply = lend({.bytes = kBody});
  grow_old();
  shifts_.emplace_back(base::Seconds(1));
  loans_.recall(1);
  reply.loan.reset();
  recall(0);
  EXPECT_FALSE(reply.cut);
  EXPECT_EQ(loans_.recalled(), 0U);
}

}  // namespace
}  // namespace cache
