#include "cache/fill_testing.h"

namespace cache {
namespace {

TEST_F(FillTest, LetsReadersOnTwoLoopsReadEveryByteInOrderWhileItGrows) {
  const std::string body = body_of(300'000);
  Got leader, early, late;
  const auto fill = lead();
  ask_at(a_, fill, leader);
  ask_at(b_, follow(b_.loop()), early);
  ASSERT_TRUE(begin(*fill, body.size()));
  ASSERT_TRUE(give(*fill, std::string_view(body).substr(0, 100'000)));
  ASSERT_TRUE(
      until([&] { return early.size == 100'000 && leader.size == 100'000; }));  // before the rest is there
  ask_at(b_, follow(b_.loop()), late);
  ASSERT_TRUE(until([&] { return late.size == 100'000; }));
  ASSERT_TRUE(give(*fill, std::string_view(body).substr(100'000)));
  complete(*fill);
  ASSERT_TRUE(until([&] { return leader.done && early.done && late.done; }));
  for (const Got* got : {&leader, &early, &late}) {
    EXPECT_EQ(got->bytes, body);
    EXPECT_FALSE(got->error);
  }
  ASSERT_EQ(stored(), 1U);
  EXPECT_EQ(stored_body(), body);
  EXPECT_EQ(fills_.under_way(), 0U);
}

TEST_F(FillTest, ShowsAGrowingChunkOnlyAsFarAsItIsPublished) {
  const std::string body = body_of(64 << 10);
  Got got;
  const auto fill = lead();
  ask_at(b_, fill, got);
  ASSERT_TRUE(begin(*fill));
  const auto chunk = base::Chunk::make(body.size());
  for (std::size_t at = 0; at < body.size(); at += 1 << 10) {
    a_.call([&] {
      std::memcpy(chunk->tail(), body.data() + at, 1 << 10);
      chunk->grow(1 << 10);
      ASSERT_TRUE(fill->publish(chunk, chunk->used()));
    });
  }
  complete(*fill);
  ASSERT_TRUE(until([&] { return got.done.load(); }));
  EXPECT_EQ(got.bytes, body);
  EXPECT_EQ(stored_body(), body);
}

TEST_F(FillTest, IsNotJoinedAfterAWriteThoughItsReadersReadOn) {
  Got got, later;
  const auto fill = lead();
  ask_at(b_, fill, got);
  ASSERT_TRUE(begin(*fill, 3));
  writes_.note(resource_of(fill->key().bytes), base::mono_now());
  const auto next = fills_.join(fill->key(), a_.loop());
  EXPECT_TRUE(next.leader);
  EXPECT_NE(next.flight, fill);
  ASSERT_TRUE(give(*fill, "old"));
  complete(*fill);
  ASSERT_TRUE(until([&] { return got.done.load(); }));
  EXPECT_EQ(got.bytes, "old");
  fail(*next.flight);
}

TEST_F(FillTest, StoresAnEmptyBody) {
  Got got;
  const auto fill = lead();
  ask_at(b_, fill, got);
  ASSERT_TRUE(begin(*fill, 0));
  complete(*fill);
  ASSERT_TRUE(until([&] { return got.done.load(); }));
  EXPECT_EQ(got.start, Reader::Start::kServe);
  EXPECT_EQ(got.bytes, "");
  EXPECT_EQ(stored(), 1U);
}

TEST_F(FillTest, IsGivenUpWhenItsLastReaderLeaves) {
  Got leader, follower;
  const auto fill = lead();
  ask_at(a_, fill, leader, {.leave_after = 10});
  ask_at(b_, follow(b_.loop()), follower, {.leave_after = 20});
  ASSERT_TRUE(begin(*fill, 1000));
  ASSERT_TRUE(give(*fill, body_of(10)));
  ASSERT_TRUE(until([&] { return leader.done.load(); }));
  EXPECT_FALSE(cancelled(*fill));  // one is left
  ASSERT_TRUE(give(*fill, body_of(10, 10)));
  ASSERT_TRUE(until([&] { return follower.done.load(); }));
  ASSERT_TRUE(until([&] { return cancelled(*fill); }));
  EXPECT_FALSE(give(*fill, body_of(10, 20)));
  fail(*fill, Code::kCancelled);
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(fills_.buffered(), 0U);
  EXPECT_EQ(fills_.under_way(), 0U);
}

TEST_F(FillTest, IsGivenUpBeforeItsHeadWhenTheOnlyAskerGoes) {
  Got got;
  net::Cancel gone;
  const auto fill = lead();
  ask_at(b_, fill, got, {.cancel = &gone});
  b_.call([&] { gone.request(); });
  ASSERT_TRUE(until([&] { return got.done.load(); }));
  EXPECT_EQ(got.start, Reader::Start::kFailed);
  EXPECT_EQ(got.error, Code::kClientGone);
  ASSERT_TRUE(until([&] { return cancelled(*fill); }));
  EXPECT_FALSE(begin(*fill, 10));
  fail(*fill, Code::kCancelled);
}

TEST_F(FillTest, GoesOnWithoutReadersWhenOneHasWhatItCameFor) {
  const std::string body = body_of(1000);
  Got got;
  const auto fill = lead();
  ask_at(b_, fill, got, {.leave_after = 10, .satisfied = true, .seek = 50});
  ASSERT_TRUE(begin(*fill, body.size()));
  ASSERT_TRUE(give(*fill, std::string_view(body).substr(0, 100)));
  ASSERT_TRUE(until([&] { return got.done.load(); }));
  EXPECT_EQ(got.bytes, body.substr(50, 50));
  ASSERT_TRUE(give(*fill, std::string_view(body).substr(100)));
  complete(*fill);
  EXPECT_FALSE(cancelled(*fill));
  ASSERT_EQ(stored(), 1U);
  EXPECT_EQ(stored_body(), body);
}

TEST_F(FillTest, IsGivenUpWhenTheTableClosesAndNobodyReads) {
  Got satisfied, reading;
  const auto unread = lead("unread");
  const auto read = lead("read");
  ask_at(b_, unread, satisfied, {.leave_after = 1, .satisfied = true});
  ask_at(b_, read, reading);
  ASSERT_TRUE(begin(*unread, 10));
  ASSERT_TRUE(begin(*read, 10));
  ASSERT_TRUE(give(*unread, "1"));
  ASSERT_TRUE(until([&] { return satisfied.done.load(); }));
  fills_.close();
  ASSERT_TRUE(until([&] { return cancelled(*unread); }));
  EXPECT_FALSE(cancelled(*read));
  fail(*unread, Code::kCancelled);
  ASSERT_TRUE(give(*read, body_of(10)));
  complete(*read);
  ASSERT_TRUE(until([&] { return reading.done.load(); }));
  EXPECT_EQ(reading.bytes, body_of(10));
}

TEST_F(FillTest, TellsEveryReaderOfAFailureAndStoresNothing) {
  Got leader, follower, late;
  const auto fill = lead();
  ask_at(a_, fill, leader);
  ask_at(b_, follow(b_.loop()), follower);
  ASSERT_TRUE(begin(*fill, 1000));
  ASSERT_TRUE(give(*fill, body_of(10)));
  ASSERT_TRUE(until([&] { return leader.size == 10 && follower.size == 10; }));
  fail(*fill);
  ASSERT_TRUE(until([&] { return leader.done && follower.done; }));
  for (const Got* got : {&leader, &follower}) {
    EXPECT_EQ(got->bytes, body_of(10));  // no reader may take it for the whole
    EXPECT_EQ(got->error, Code::kOriginBadReply);
    EXPECT_FALSE(got->entry);
  }
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(fills_.buffered(), 0U);
  ask_at(b_, fill, late);  // found it a moment before it failed
  ASSERT_TRUE(until([&] { return late.done.load(); }));
  EXPECT_EQ(late.start, Reader::Start::kFailed);
}

TEST_F(FillTest, StoresNoBodyThatIsShorterThanItsLength) {
  Got got;
  const auto fill = lead();
  ask_at(b_, fill, got);
  ASSERT_TRUE(begin(*fill, 1000));
  ASSERT_TRUE(give(*fill, body_of(999)));
  complete(*fill);
  ASSERT_TRUE(until([&] { return got.done.load(); }));
  EXPECT_EQ(stored(), 0U);
}

TEST_F(FillTest, SendsItsAskersToTheOriginWhenTheReplyIsNotForSharing) {
  Got leader, follower;
  const auto fill = lead();
  ask_at(a_, fill, leader);
  ask_at(b_, follow(b_.loop()), follower);
  a_.call([&] { fill->pass(); });
  ASSERT_TRUE(until([&] { return leader.done && follower.done; }));
  EXPECT_EQ(leader.start, Reader::Start::kAlone);
  EXPECT_EQ(follower.start, Reader::Start::kAlone);
  EXPECT_EQ(fills_.under_way(), 0U);
  EXPECT_TRUE(fills_.join(KeyView("k"), a_.loop()).leader);  // the next one asks anew
  fills_.close();
}

TEST_F(FillTest, IsForgottenAtOnceWhenGivenUpSoThatTheNextAskerLeads) {
  Got first, second;
  const auto fill = lead();
  ask_at(b_, fill, first, {.leave_after = 0});
  ASSERT_TRUE(begin(*fill, 10));
  ASSERT_TRUE(until([&] { return first.done.load(); }));
  const auto next = lead();
  EXPECT_NE(next.get(), fill.get());
  ask_at(b_, next, second);
  fail(*fill, Code::kCancelled);  // the old feeder notices only now, and must not take the new one along
  EXPECT_EQ(fills_.under_way(), 1U);
  ASSERT_TRUE(begin(*next, 10));
  ASSERT_TRUE(give(*next, body_of(10)));
  complete(*next);
  ASSERT_TRUE(until([&] { return second.done.load(); }));
  EXPECT_EQ(second.bytes, body_of(10));
  EXPECT_EQ(stored(), 1U);
}

TEST_F(FillTest, SendsAwayWhoFoundItJustBeforeItWasGivenUp) {
  Got first, late;
  const auto fill = lead();
  const auto found = follow(b_.loop());
  ask_at(b_, fill, first, {.leave_after = 0});
  ASSERT_TRUE(begin(*fill, 10));
  ASSERT_TRUE(until([&] { return first.done.load(); }));
  ask_at(b_, found, late);
  ASSERT_TRUE(until([&] { return late.done.load(); }));
  EXPECT_EQ(late.start, Reader::Start::kAlone);
  fail(*fill, Code::kCancelled);
}

TEST_F(FillTest, ReservesAKnownLengthAndReleasesItHoweverItEnds) {
  for (const std::string_view end : {"complete", "fail", "give up"}) {
    Got got;
    const auto fill = lead();
    ask_at(b_, fill, got, {.leave_after = end == "give up" ? 1 : UINT64_MAX});
    ASSERT_TRUE(begin(*fill, 1 << 20));
    EXPECT_EQ(fills_.buffered(), 1U << 20);
    give(*fill, body_of(1 << 20));
    if (end == "complete")
      complete(*fill);
    else
      fail(*fill);
    EXPECT_EQ(fills_.buffered(), 0U) << end;
    ASSERT_TRUE(until([&] { return got.done.load(); }));
  }
}

TEST_F(FillTest, ServesAThousandFollowersOfOneFetch) {
  constexpr int kFollowers = 1000;
  const std::string body = body_of(200'000);
  std::vector<std::unique_ptr<Got>> all;
  const auto fill = lead();
  for (int i = 0; i < kFollowers; ++i) {
    Got& got = *all.emplace_back(std::make_unique<Got>());
    ask_at(i % 2 ? a_ : b_, i == 0 ? fill : follow(b_.loop()), got);
  }
  ASSERT_TRUE(begin(*fill, body.size()));
  for (std::size_t at = 0; at < body.size(); at += 50'000)
    ASSERT_TRUE(give(*fill, std::string_view(body).substr(at, 50'000)));
  complete(*fill);
  ASSERT_TRUE(
      until([&] { return std::ranges::all_of(all, [](const auto& got) { return got->done.load(); }); }));
  for (const auto& got : all) ASSERT_EQ(got->bytes, body);
  EXPECT_EQ(stored(), 1U);
}

TEST_F(FillTest, SurvivesAskersThatComeAndGo) {
  std::minstd_rand dice(7);
  for (int round = 0; round < 150; ++round) {
    const std::size_t size = round % 10 == 0 ? 2 * kMaxObject : 1 + dice() % 200'000;
    std::vector<std::unique_ptr<Got>> all;
    std::vector<Plan> plans;
    std::atomic<bool> fed{false};
    std::atomic<std::uint64_t> given{0};
    const auto fill = lead();
    for (unsigned i = 0; i < 1 + dice() % 8; ++i) {
      Plan plan;
      if (dice() % 2) plan.leave_after = dice() % size;
      plan.satisfied = dice() % 4 == 0;
      ask_at(dice() % 2 ? a_ : b_, fill, *all.emplace_back(std::make_unique<Got>()), plan);
      plans.push_back(plan);
      if (i == 0) a_.spawn([&] { return feed(fill, size, 1 + dice() % 150'000, given, fed); });
    }
    ASSERT_TRUE(until([&] {
      return fed && std::ranges::all_of(all, [](const auto& got) { return got->done.load(); });
    })) << round;
    const std::string body = body_of(size);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i]->start != Reader::Start::kServe) continue;
      ASSERT_TRUE(body.starts_with(all[i]->bytes)) << round;
      if (plans[i].leave_after == UINT64_MAX) ASSERT_EQ(all[i]->bytes.size(), size) << round;
    }
    ASSERT_TRUE(until([&] { return fills_.under_way() == 0 && fills_.buffered() == 0; })) << round;
  }
}

TEST_F(FillTest, RemembersForAWhileWhatWasPassed) {
  const KeyView key("k");
  const base::Mono now = base::mono_now();
  EXPECT_FALSE(fills_.passed_lately(key, now));
  fills_.remember_passed(key, now);
  EXPECT_TRUE(fills_.passed_lately(key, now + base::Seconds(29)));
  EXPECT_FALSE(fills_.passed_lately(key, now + base::Seconds(31)));
  fills_.forget_passed();
  EXPECT_FALSE(fills_.passed_lately(key, now));
}

}  // namespace
}  // namespace cache
