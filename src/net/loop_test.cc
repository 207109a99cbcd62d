#include "net/loop.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "net/testing.h"

namespace net {
namespace {

using base::Millis;
using testing::TestLoop;

Task<Wake> wait_for(Event& event, Loop& loop, base::Nanos limit) {
  co_return co_await event.wait(loop.now() + limit);
}
Task<Wake> wait_linked(Event& event, Cancel* cancel) {
  const CancelLink link(cancel, event);
  co_return co_await event.wait();
}
Task<> set_later(Loop& loop, Event& event) {
  Event pause(loop);
  co_await pause.wait(loop.now() + Millis(5));
  event.set();
}
Task<> request_later(Loop& loop, Cancel& cancel) {
  Event pause(loop);
  co_await pause.wait(loop.now() + Millis(5));
  cancel.request();
}

TEST(EventTest, KeepsASetThatCameBeforeTheWait) {
  TestLoop test;
  Event event(test.loop);
  event.set();
  EXPECT_EQ(test.await(wait_for(event, test.loop, base::Seconds(5))), Wake::kReady);
  EXPECT_EQ(test.await(wait_for(event, test.loop, Millis(1))), Wake::kTimeout);  // once only
}

TEST(EventTest, WakesOnSetAndNeverBeforeItsDeadline) {
  TestLoop test;
  Event event(test.loop);
  test.scope.spawn(set_later(test.loop, event));
  EXPECT_EQ(test.await(wait_for(event, test.loop, base::Seconds(5))), Wake::kReady);
  const base::Mono before = base::mono_now();
  EXPECT_EQ(test.await(wait_for(event, test.loop, Millis(40))), Wake::kTimeout);
  EXPECT_GE(base::mono_now() - before, Millis(40) - Millis(5));  // counted from the loop's own time
}

TEST(CancelTest, EndsAWaitAndStaysRequested) {
  TestLoop test;
  Cancel cancel;
  Event event(test.loop), next(test.loop);
  test.scope.spawn(request_later(test.loop, cancel));
  EXPECT_EQ(test.await(wait_linked(event, &cancel)), Wake::kCancelled);
  EXPECT_EQ(test.await(wait_linked(next, &cancel)), Wake::kCancelled);
}

TEST(CancelTest, TellsAllThatAreLinkedAndNobodyElse) {
  TestLoop test;
  Cancel cancel;
  Event outer(test.loop), inner(test.loop), before(test.loop), beside(test.loop);
  const CancelLink outside(&cancel, outer);
  {
    const CancelLink left(&cancel, before);
  }
  auto first = std::make_unique<CancelLink>(&cancel, beside);
  const CancelLink inside(&cancel, inner);
  first.reset();  // in another order than they came
  cancel.request();
  for (Event* told : {&outer, &inner})
    EXPECT_EQ(test.await(wait_for(*told, test.loop, base::Seconds(5))), Wake::kCancelled);
  for (Event* other : {&before, &beside})
    EXPECT_EQ(test.await(wait_for(*other, test.loop, Millis(1))), Wake::kTimeout);
}

// As an upload that waits for its client and for its origin at once.
TEST(CancelTest, EndsEveryWaitThatIsUnderWay) {
  TestLoop test;
  Cancel cancel;
  Event client(test.loop), origin(test.loop);
  Scope scope(test.loop);
  int ended = 0;
  struct Local {
    static Task<> wait(Event& event, Cancel* wish, int& count) {
      if (co_await wait_linked(event, wish) == Wake::kCancelled) ++count;
    }
  };
  scope.spawn(Local::wait(client, &cancel, ended));
  scope.spawn(Local::wait(origin, &cancel, ended));
  test.scope.spawn(request_later(test.loop, cancel));
  test.await(scope.drained());
  EXPECT_EQ(ended, 2);
  cancel.reset();
  Event next(test.loop);
  next.set();
  EXPECT_EQ(test.await(wait_linked(next, &cancel)), Wake::kReady);
}

TEST(LoopTest, RunsWhatOtherThreadsPostInTheirOrder) {
  TestLoop test;
  constexpr int kThreads = 4, kEach = 1000;
  std::vector<int> last(kThreads, -1);
  int seen = 0;
  bool ordered = true;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        test.loop.post([&, t, i] {
          ordered = ordered && last[static_cast<std::size_t>(t)] == i - 1;
          last[static_cast<std::size_t>(t)] = i;
          ++seen;
        });
    });
  EXPECT_TRUE(test.until([&] { return seen == kThreads * kEach; }));
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(ordered);
}

TEST(LoopTest, RunsWhatWasPostedBeforeStop) {
  Loop loop;
  int ran = 0;
  loop.post([&] { ++ran; });
  loop.stop();
  loop.post([&] { ++ran; });
  loop.run();
  EXPECT_EQ(ran, 2);
}

TEST(LoopTest, CallsTheTurnAndComesBackWhenItWantsTo) {
  TestLoop test;
  int turns = 0;
  test.loop.on_turn(
      [](void* n) {
        ++*static_cast<int*>(n);
        return base::Nanos(Millis(1));
      },
      &turns);
  Event never(test.loop);
  test.await(wait_for(never, test.loop, Millis(60)));
  EXPECT_GE(turns, 10);
}

TEST(LoopTest, ComesBackBetweenMilliseconds) {
  TestLoop test;
  struct Times {
    base::Mono last = base::mono_now();
    base::Nanos shortest = Millis(1000);
  } times;
  test.loop.on_turn(
      [](void* context) {
        auto& seen = *static_cast<Times*>(context);
        const base::Mono now = base::mono_now();
        seen.shortest = std::min(seen.shortest, now - std::exchange(seen.last, now));
        return base::Nanos(300'500);
      },
      &times);
  Event never(test.loop);
  test.await(wait_for(never, test.loop, Millis(60)));
  EXPECT_LT(times.shortest, Millis(1));
}

TEST(ScopeTest, IsDrainedWhenItsLastTaskIsDone) {
  TestLoop test;
  Scope scope(test.loop);
  Event event(test.loop), pause(test.loop);
  struct Local {
    static Task<> hold(Event& e) { co_await e.wait(); }
  };
  scope.spawn(Local::hold(event));
  EXPECT_EQ(scope.active(), 1u);
  test.scope.spawn(set_later(test.loop, event));
  test.await(scope.drained());
  EXPECT_EQ(scope.active(), 0u);
}

}  // namespace
}  // namespace net
