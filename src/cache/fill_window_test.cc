#include "cache/fill_testing.h"

namespace cache {
namespace {

TEST_F(FillTest, IsAWindowFromTheStartWhenTheBudgetIsSpent) {
  fills_.limits(kMaxObject, 1 << 20);
  Got first, second;
  const auto large = lead("large");
  ask_at(b_, large, first);
  ASSERT_TRUE(begin(*large, 1 << 20));
  const auto fill = lead();
  ask_at(b_, fill, second);
  ASSERT_TRUE(begin(*fill, 10));
  EXPECT_EQ(fills_.buffered(), 1U << 20);
  EXPECT_TRUE(fills_.join(KeyView("k"), a_.loop()).leader);  // nobody else is let in
  ASSERT_TRUE(give(*fill, body_of(10)));
  complete(*fill);
  ASSERT_TRUE(until([&] { return second.done.load(); }));
  EXPECT_EQ(second.bytes, body_of(10));
  EXPECT_EQ(stored(), 0U);
  fail(*large);
  EXPECT_EQ(fills_.buffered(), 0U);
  ASSERT_TRUE(until([&] { return first.done.load(); }));
}

TEST_F(FillTest, OutgrowingMaxObjectGoesOnInAWindowAtThePaceOfTheSlowest) {
  constexpr std::size_t kSize = 3 * kMaxObject;
  Got quick, slow;
  std::atomic<bool> hold{true}, fed{false}, waits{false};
  std::atomic<std::uint64_t> given{0};
  const auto fill = lead();
  ask_at(a_, fill, quick);
  ask_at(b_, fill, slow, {.hold = &hold, .hold_after = kMaxObject + 1});
  a_.spawn([&] { return feed(fill, kSize, 100'000, given, fed, &waits); });
  // The slow one stands and the quick one has all: the feeder's next wait is for the slow one.
  ASSERT_TRUE(until([&] {
    settle_feeder();
    return slow.size > kMaxObject && quick.size == given && waits;
  }));
  EXPECT_LT(given, slow.size + Fill::kWindow + 200'000);  // memory stays bounded while one does not read
  EXPECT_FALSE(fed);
  EXPECT_EQ(fills_.under_way(), 0U);
  EXPECT_TRUE(fills_.passed_lately(KeyView("k"), base::mono_now()));  // not worth another try
  hold = false;
  ASSERT_TRUE(until([&] { return quick.done && slow.done && fed; }));
  EXPECT_EQ(quick.bytes, body_of(kSize));
  EXPECT_EQ(slow.bytes, body_of(kSize));
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(fills_.buffered(), 0U);
}

TEST_F(FillTest, DropsFromAWindowWhoTakesNothingForFiveSeconds) {
  constexpr std::size_t kSize = 3 * kMaxObject;
  Got quick, stuck;
  std::atomic<bool> hold{true}, fed{false};
  std::atomic<std::uint64_t> given{0};
  const auto fill = lead();
  ask_at(a_, fill, quick);
  ask_at(b_, fill, stuck, {.hold = &hold, .hold_after = 1});
  a_.spawn([&] { return feed(fill, kSize, 100'000, given, fed); });
  ASSERT_TRUE(until([&] { return given > kMaxObject && quick.size == given && stuck.size > 0; }));
  EXPECT_FALSE(fed);
  const base::ClockShift later(Fill::kPatience + base::Seconds(1));
  ASSERT_TRUE(until([&] { return quick.done && fed; }));
  EXPECT_EQ(quick.bytes, body_of(kSize));
  hold = false;
  ASSERT_TRUE(until([&] { return stuck.done.load(); }));
  EXPECT_EQ(stuck.error, Code::kSlowReader);  // cut, never as if it were whole
  EXPECT_EQ(stuck.bytes, body_of(stuck.bytes.size()));
}

TEST_F(FillTest, KeepsInItsWindowWhoOnlyWaitedForTheOrigin) {
  Got got;
  const auto fill = lead();
  ask_at(b_, fill, got);
  ASSERT_TRUE(begin(*fill));
  std::size_t at = 0;
  const auto give_more = [&] {
    const std::size_t n = 256 << 10;
    ASSERT_TRUE(give(*fill, body_of(n, at)));
    at += n;
  };
  while (at <= kMaxObject) give_more();
  ASSERT_TRUE(until([&] { return got.size == at; }));
  const base::ClockShift later(Fill::kPatience + base::Seconds(60));
  std::atomic<bool> roomy{false};
  b_.call([&] {  // the reader's loop is busy while a whole window arrives
    while (at < kMaxObject + 2 * Fill::kWindow + (1 << 20)) give_more();
    a_.spawn([&] {
      return [](base::Ref<Fill> f, std::atomic<bool>& done) -> net::Task<> {
        EXPECT_TRUE(co_await f->room());
        done = true;
      }(fill, roomy);
    });
    settle_feeder();  // it finds no room
    EXPECT_FALSE(roomy);
  });
  ASSERT_TRUE(until([&] { return roomy.load(); }));
  complete(*fill);
  ASSERT_TRUE(until([&] { return got.done.load(); }));
  EXPECT_FALSE(got.error);
  EXPECT_EQ(got.bytes, body_of(at));
}

TEST_F(FillTest, SendsAwayWhoFoundAWindowWhoseStartIsGone) {
  Got first, late;
  std::atomic<bool> fed{false};
  std::atomic<std::uint64_t> given{0};
  const auto fill = lead();
  const auto found = follow(b_.loop());  // in time, but then it is slow to sit down
  ask_at(b_, fill, first);
  a_.spawn([&] { return feed(fill, 2 * kMaxObject, 100'000, given, fed); });
  ASSERT_TRUE(until([&] { return fed && first.done; }));
  ask_at(b_, found, late);
  ASSERT_TRUE(until([&] { return late.done.load(); }));
  EXPECT_EQ(late.start, Reader::Start::kAlone);
  EXPECT_EQ(first.bytes, body_of(2 * kMaxObject));
}

TEST_F(FillTest, AWindowIsGivenUpWhenItsLastReaderLeavesSatisfiedOrNot) {
  Got got;
  std::atomic<bool> fed{false};
  std::atomic<std::uint64_t> given{0};
  const auto fill = lead();
  ask_at(b_, fill, got, {.leave_after = kMaxObject + 1, .satisfied = true});
  a_.spawn([&] { return feed(fill, 1U << 30, 100'000, given, fed); });
  ASSERT_TRUE(until([&] { return got.done && fed; }));
  EXPECT_LT(given, 3 * kMaxObject);
  EXPECT_EQ(fills_.buffered(), 0U);
}

TEST_F(FillTest, IsAWindowOfSmallPiecesWhereNoMemoryIsLeft) {
  account_.limit(1 << 20);
  account_.hold(base::Account::Kind::kObjects, 1 << 20);
  Got got;
  const auto fill = lead();
  ask_at(b_, fill, got);
  ASSERT_TRUE(begin(*fill, 500'000));
  base::Ref<base::Chunk> chunk;
  a_.call([&] { chunk = fill->make_chunk(); });
  EXPECT_LE(chunk->capacity(), 16U << 10);
  EXPECT_GT(fill->take_wanted(), 0U);
  EXPECT_TRUE(fills_.join(KeyView("k"), a_.loop()).leader) << "nobody else is let in";
  fail(*fill);
  chunk = nullptr;
  ASSERT_TRUE(until([&] { return got.done.load(); }));
}

TEST_F(FillTest, CountsWhatAnybodyKeepsAndNothingElse) {
  Got got;
  std::atomic<bool> hold{true};
  {
    const auto fill = lead();
    ask_at(b_, fill, got, {.hold = &hold});
    ASSERT_TRUE(begin(*fill, 1 << 20));
    EXPECT_GE(account_.held(), 1U << 20) << "room that was promised";
    a_.call([&] {
      for (std::size_t at = 0; at < 1 << 20; at += base::Chunk::kMaxCapacity) {
        const auto chunk = fill->make_chunk();
        chunk->grow(chunk->room());
        fill->publish(chunk, chunk->used());
      }
    });
    complete(*fill);
  }
  EXPECT_EQ(stored(), 1U);
  EXPECT_GE(account_.held(), 1U << 20);
  EXPECT_LT(account_.held(), (1U << 20) + (64 << 10)) << "counted once";
  stored_.clear();
  EXPECT_GE(account_.held(), 1U << 20) << "a reader keeps it";
  hold = false;
  ASSERT_TRUE(until([&] { return got.done.load(); }));
  got.entry = nullptr;
  EXPECT_TRUE(until([&] { return account_.held() == 0; }));
}

}  // namespace
}  // namespace cache
