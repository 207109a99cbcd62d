#include "net/flights.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "net/scope.h"
#include "net/testing.h"

namespace net {
namespace {

using base::Seconds;
using Flights = net::Flights<std::string>;

// A loop on a thread of its own, with the tasks that it was given.
class Worker {
 public:
  ~Worker() {
    loop.post([this] { scope.spawn(end()); });
    thread.join();
  }
  void spawn(std::function<Task<>()> task) {
    loop.post([this, task = std::move(task)] { scope.spawn(task()); });
  }

  Loop loop;
  Scope scope{loop};

 private:
  Task<> end() {
    Event pause(loop);
    while (scope.active() > 1) co_await pause.wait(loop.now() + base::Millis(1));  // this task counts, too
    loop.stop();
  }
  std::thread thread{[this] { loop.run(); }};
};

bool met(const std::function<bool()>& condition) {
  const base::Mono give_up = base::mono_now() + Seconds(10);
  while (!condition() && base::mono_now() < give_up) std::this_thread::yield();
  return condition();
}

// What many askers find out, and what those who lead are told to answer.
struct World {
  Flights flights;
  std::atomic<int> led = 0, seated = 0, heard = 0, failed = 0, missed = 0, cancelled = 0;
  std::atomic<bool> may_land = false;
  std::string answer = "yes";
  base::Error error{};
};

Task<> lead(World& world, Loop& loop, Flights::Lead lead) {
  ++world.led;
  Event pause(loop);
  const CancelLink link(&lead.cancel(), pause);
  while (!world.may_land) {
    if (co_await pause.wait(loop.now() + base::Millis(1)) == Wake::kCancelled) {
      ++world.cancelled;
      lead.land(base::fail(base::Code::kCancelled, "nobody waits"));
      co_return;
    }
  }
  if (world.error.text.empty())
    lead.land(world.answer);
  else
    lead.land(std::unexpected(world.error));
}

Task<> ask(World& world, Worker& worker, std::string key, Cancel* gone = nullptr) {
  Flights::Seat seat(world.flights, key, worker.loop);
  ++world.seated;
  if (auto leads = seat.lead()) worker.scope.spawn(lead(world, worker.loop, std::move(*leads)));
  const auto* result = co_await seat.landed(base::Mono::max(), gone);
  if (!result)
    ++world.missed;
  else if (*result)
    ++(**result == world.answer ? world.heard : world.failed);
  else
    ++world.failed;
}

Task<> give_up(World& world, Worker& worker, std::atomic<int>& failures) {
  Flights::Seat seat(world.flights, "k", worker.loop);
  seat.lead().reset();
  const auto* result = co_await seat.landed(base::Mono::max());
  if (result && !*result && result->error().code == base::Code::kInternal) ++failures;
}

Task<> crowd(World& world, Worker& worker, int size) {
  for (int i = 0; i < size; ++i) {
    worker.scope.spawn(ask(world, worker, std::to_string(i % 7)));
    if (i % 5 == 0) co_await worker.loop.yield();
  }
}

class FlightsTest : public ::testing::Test {
 protected:
  World world;
  Worker a, b;
};

TEST_F(FlightsTest, OneCallAnswersAskersOnEveryLoop) {
  for (int i = 0; i < 50; ++i) {
    a.spawn([&] { return ask(world, a, "k"); });
    b.spawn([&] { return ask(world, b, "k"); });
  }
  ASSERT_TRUE(met([&] { return world.seated == 100; }));
  EXPECT_EQ(world.flights.under_way(), 1);
  world.may_land = true;
  EXPECT_TRUE(met([&] { return world.heard == 100; }));
  EXPECT_EQ(world.led, 1);
  EXPECT_EQ(world.flights.under_way(), 0);
}

TEST_F(FlightsTest, OtherKeysAreOtherCalls) {
  world.may_land = true;
  a.spawn([&] { return ask(world, a, "k"); });
  b.spawn([&] { return ask(world, b, "l"); });
  EXPECT_TRUE(met([&] { return world.heard == 2; }));
  EXPECT_EQ(world.led, 2);
}

TEST_F(FlightsTest, TheLeadersFailureReachesAll) {
  world.error = {base::Code::kCancelled, "no answer"};
  a.spawn([&] { return ask(world, a, "k"); });
  ASSERT_TRUE(met([&] { return world.led == 1; }));
  b.spawn([&] { return ask(world, b, "k"); });
  ASSERT_TRUE(met([&] { return world.seated == 2; }));
  world.may_land = true;
  EXPECT_TRUE(met([&] { return world.failed == 2; }));
  EXPECT_EQ(world.led, 1);
}

TEST_F(FlightsTest, ALeaderThatGivesUpLandsAsAFailure) {
  std::atomic<int> failures = 0;
  a.spawn([&] { return give_up(world, a, failures); });
  EXPECT_TRUE(met([&] { return failures == 1; }));
  EXPECT_EQ(world.flights.under_way(), 0);
}

TEST_F(FlightsTest, AnAskerThatLeavesDoesNotEndTheCall) {
  Cancel gone;
  a.spawn([&] { return ask(world, a, "k", &gone); });
  ASSERT_TRUE(met([&] { return world.led == 1; }));
  b.spawn([&] { return ask(world, b, "k"); });
  ASSERT_TRUE(met([&] { return world.seated == 2; }));
  a.loop.post([&] { gone.request(); });
  ASSERT_TRUE(met([&] { return world.missed == 1; }));
  EXPECT_EQ(world.flights.under_way(), 1);
  world.may_land = true;
  EXPECT_TRUE(met([&] { return world.heard == 1; }));
  EXPECT_EQ(world.cancelled, 0);
}

TEST_F(FlightsTest, TheLastToLeaveEndsTheCallAndTheNextBeginsAnew) {
  Cancel gone_a, gone_b;
  a.spawn([&] { return ask(world, a, "k", &gone_a); });
  ASSERT_TRUE(met([&] { return world.led == 1; }));
  b.spawn([&] { return ask(world, b, "k", &gone_b); });
  ASSERT_TRUE(met([&] { return world.seated == 2; }));
  a.loop.post([&] { gone_a.request(); });
  b.loop.post([&] { gone_b.request(); });
  ASSERT_TRUE(met([&] { return world.cancelled == 1; }));
  // The cancel is posted before the last seat's loop takes the flight out of the table.
  EXPECT_TRUE(met([&] { return world.flights.under_way() == 0; }));
  world.may_land = true;
  b.spawn([&] { return ask(world, b, "k"); });
  EXPECT_TRUE(met([&] { return world.heard == 1; }));
  EXPECT_EQ(world.led, 2);
}

TEST_F(FlightsTest, HoldsWhenEverybodyComesAndGoesAtOnce) {
  world.may_land = true;
  constexpr int kEach = 500;
  a.spawn([&] { return crowd(world, a, kEach); });
  b.spawn([&] { return crowd(world, b, kEach); });
  EXPECT_TRUE(met([&] { return world.heard + world.failed == 2 * kEach; }));
  EXPECT_EQ(world.failed, 0);
  EXPECT_TRUE(met([&] { return world.flights.under_way() == 0; }));
}

TEST(WakerTest, MayRingWhenNobodyAndNoLoopIsThereAnyMore) {
  base::Ref<Waker> waker;
  {
    net::testing::TestLoop test;
    Waiting waiting(test.loop);
    waker = waiting.waker();
    waker->wake();
    waker->wake();
    EXPECT_EQ(test.await(waiting.until(base::mono_now() + Seconds(10))), Wake::kReady);
  }
  waker->wake();
}

}  // namespace
}  // namespace net
