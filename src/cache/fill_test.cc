#include "cache/fill.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "net/scope.h"

namespace cache {
namespace {

using base::Code;

constexpr std::uint64_t kMaxObject = 4 << 20;
constexpr std::uint64_t kBudget = 16 << 20;

// Bytes that tell where they stand.
std::string body_of(std::size_t size, std::size_t from = 0) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>((from + i) * 2654435761U >> 13);
  return out;
}

// A loop in a thread of its own, as a worker has.
class Worker {
 public:
  Worker() : scope_(loop_), pause_(loop_), thread_([this] { loop_.run(); }) {}
  ~Worker() {
    call([this] { end_.emplace(loop_).spawn(stop()); });
    thread_.join();
  }

  net::Loop& loop() { return loop_; }

  // Runs in the loop; returns when it has.
  void call(std::function<void()> fn) {
    std::promise<void> done;
    loop_.post([&] {
      fn();
      done.set_value();
    });
    done.get_future().wait();
  }
  void spawn(std::function<net::Task<>()> task) {
    call([&] { scope_.spawn(task()); });
  }

 private:
  net::Task<> stop() {
    co_await scope_.drained();
    loop_.stop();
  }

  net::Loop loop_;
  net::Scope scope_;
  net::Event pause_;
  std::optional<net::Scope> end_;
  std::thread thread_;
};

// What one asker got. Written in its loop, read by the test once `done`.
struct Got {
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> size{0};
  std::string bytes;
  std::optional<Reader::Start> start;
  std::optional<Code> error;
  base::Ref<const Entry> entry;
};

struct Plan {
  std::uint64_t leave_after = UINT64_MAX;  // bytes, by going away
  bool satisfied = false;                  // and with a good conscience
  std::atomic<bool>* hold = nullptr;       // reads nothing (more) while this is set
  std::uint64_t hold_after = 0;
  std::uint64_t seek = 0;
  net::Cancel* cancel = nullptr;
};

net::Task<> ask(base::Ref<Fill> fill, net::Loop& loop, Got& got, Plan plan) {
  {
    Reader reader(std::move(fill), loop);
    got.start = co_await reader.start(plan.cancel);
    if (*got.start == Reader::Start::kFailed) got.error = reader.error().code;
    if (plan.seek > 0) reader.seek(plan.seek);
    while (*got.start == Reader::Start::kServe && got.bytes.size() < plan.leave_after) {
      net::Event pause(loop);
      while (plan.hold && *plan.hold && got.bytes.size() >= plan.hold_after)
        co_await pause.wait(loop.now() + base::Millis(1));
      const auto piece = co_await reader.next(plan.cancel);
      if (!piece) got.error = piece.error().code;
      if (!piece || piece->empty()) break;
      got.bytes.append(*piece);
      got.size = got.bytes.size();
    }
    if (plan.satisfied) reader.satisfied();
    got.entry = reader.entry();
  }
  got.done = true;
}

bool until(const std::function<bool()>& done) {
  for (int i = 0; i < 10'000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

class FillTest : public testing::Test {
 protected:
  static void keep(void* self, base::Ref<const Entry> entry) {
    auto& stored = *static_cast<FillTest*>(self);
    const std::lock_guard lock(stored.lock_);
    stored.stored_.push_back(std::move(entry));
  }
  std::size_t stored() {
    const std::lock_guard lock(lock_);
    return stored_.size();
  }
  std::string stored_body() {
    const std::lock_guard lock(lock_);
    std::string out;
    BodyCursor cursor(*stored_.back());
    for (std::string_view piece; !(piece = cursor.next()).empty();) out.append(piece);
    return out;
  }

  base::Ref<Fill> lead(std::string_view key = "k") {
    auto [fill, leader] = fills_.join(KeyView(key), a_.loop());
    EXPECT_TRUE(leader);
    return fill;
  }
  base::Ref<Fill> follow(net::Loop& loop, std::string_view key = "k") {
    auto [fill, leader] = fills_.join(KeyView(key), loop);
    EXPECT_FALSE(leader);
    return fill;
  }
  void ask_at(Worker& worker, const base::Ref<Fill>& fill, Got& got, Plan plan = {}) {
    worker.spawn([&, fill] { return ask(fill, worker.loop(), got, plan); });
  }
  // The feeder's calls, in its loop.
  bool begin(Fill& fill, std::optional<std::uint64_t> length = {}) {
    bool more = false;
    a_.call([&] {
      FillHead head;
      head.length = length;
      head.freshness = base::Seconds(60);
      more = fill.begin(std::move(head));
    });
    return more;
  }
  bool give(Fill& fill, std::string_view bytes) {
    bool more = true;
    a_.call([&] {
      for (; more && !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), base::Chunk::kMaxCapacity))) {
        const auto chunk = base::Chunk::copy_of(bytes.substr(0, base::Chunk::kMaxCapacity));
        more = fill.publish(chunk, chunk->used());
      }
    });
    return more;
  }
  void complete(Fill& fill) {
    a_.call([&] { fill.complete(); });
  }
  void fail(Fill& fill, Code code = Code::kOriginBadReply) {
    a_.call([&] { fill.fail({code, "cut"}); });
  }
  bool cancelled(Fill& fill) {
    bool is = false;
    a_.call([&] { is = fill.cancel().requested(); });
    return is;
  }

  // Feeds `size` bytes in pieces, at the pace that the fill allows, then completes it.
  static net::Task<> feed(base::Ref<Fill> fill, std::size_t size, std::size_t piece,
                          std::atomic<std::uint64_t>& given, std::atomic<bool>& done) {
    FillHead head;
    head.freshness = base::Seconds(60);
    bool more = fill->begin(std::move(head));
    for (std::size_t at = 0; more && at < size; at += piece) {
      const auto chunk = base::Chunk::copy_of(body_of(std::min(piece, size - at), at));
      more = fill->publish(chunk, chunk->used());
      given += chunk->used();
      more = more && co_await fill->room();
    }
    if (more)
      fill->complete();
    else
      fill->fail({Code::kCancelled, "nobody waits any more"});
    done = true;
  }

  std::mutex lock_;
  std::vector<base::Ref<const Entry>> stored_;
  Fills fills_{kMaxObject, kBudget, &FillTest::keep, this};
  Worker a_, b_;
};

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
  std::atomic<bool> hold{true}, fed{false};
  std::atomic<std::uint64_t> given{0};
  const auto fill = lead();
  ask_at(a_, fill, quick);
  ask_at(b_, fill, slow, {.hold = &hold, .hold_after = kMaxObject + 1});
  a_.spawn([&] { return feed(fill, kSize, 100'000, given, fed); });
  ASSERT_TRUE(until([&] { return slow.size > kMaxObject && quick.size == given; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
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
  EXPECT_EQ(stuck.error, Code::kClientGone);  // cut, never as if it were whole
  EXPECT_EQ(stuck.bytes, body_of(stuck.bytes.size()));
}

// A stall of the origin is not the reader's fault, however long.
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
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
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

// What no single test names: askers that come and go at any moment, over and over, on both loops.
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
