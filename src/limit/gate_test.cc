#include "limit/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "net/testing.h"

namespace limit {
namespace {

using base::Code;
using base::Millis;
using base::Seconds;
using net::testing::TestLoop;

std::shared_ptr<Gate> gate(std::uint64_t max, std::uint64_t queue, Millis wait = Seconds(10)) {
  return Gate::make({.max = max, .queue = queue, .wait = wait});
}

// Enters, and says when it is in.
net::Task<> enter(Gate& gate, net::Loop& loop, net::Cancel* cancel, std::optional<base::Result<Slot>>& out,
                  std::vector<int>* order = nullptr, int number = 0) {
  out.emplace(co_await gate.enter(loop, cancel));
  if (order) order->push_back(number);
}

// Some at once, on one loop.
struct Crowd {
  Crowd(TestLoop& t, std::shared_ptr<Gate> g, std::size_t n) : test(t), gate(std::move(g)), results(n) {
    for (std::size_t i = 0; i < n; ++i)
      test.scope.spawn(enter(*gate, test.loop, &cancels[i], results[i], &order, static_cast<int>(i)));
  }
  bool until_done(std::size_t n) {
    return test.until([&] { return order.size() == n; });
  }

  TestLoop& test;
  std::shared_ptr<Gate> gate;
  std::array<net::Cancel, 8> cancels;
  std::vector<std::optional<base::Result<Slot>>> results;
  std::vector<int> order;
};

TEST(GateTest, LetsInSoManyAndNoMore) {
  const auto g = gate(2, 0);
  auto first = g->try_enter();
  auto second = g->try_enter();
  EXPECT_TRUE(first && *first && second);
  EXPECT_FALSE(g->try_enter());
  first.reset();
  EXPECT_TRUE(g->try_enter());
  EXPECT_EQ(g->stats().entered, 3);
}

TEST(GateTest, ASlotMovesAndIsGivenBackOnce) {
  const auto g = gate(1, 0);
  Slot slot = *g->try_enter();
  Slot other = std::move(slot);
  slot.leave();  // NOLINT(bugprone-use-after-move): what was moved from holds nothing
  EXPECT_EQ(g->stats().in_use, 1);
  other = Slot();
  EXPECT_EQ(g->stats().in_use, 0);
  other.leave();
  EXPECT_EQ(g->stats().in_use, 0);
}

TEST(GateTest, AFullQueueRefusesAtOnce) {
  TestLoop test;
  const auto g = gate(1, 1);
  auto slot = g->try_enter();
  Crowd crowd(test, g, 2);
  ASSERT_EQ(crowd.order, std::vector<int>{1});
  EXPECT_EQ((*crowd.results[1]).error().code, Code::kConcurrency);
  EXPECT_EQ(g->stats().refused, 1);
  EXPECT_EQ(g->stats().queued, 1);
  slot.reset();
  EXPECT_TRUE(crowd.until_done(2));
  EXPECT_TRUE(crowd.results[0]->has_value());
}

TEST(GateTest, ServesThoseWhoWaitInTheOrderTheyCame) {
  TestLoop test;
  const auto g = gate(1, 4);
  auto slot = g->try_enter();
  Crowd crowd(test, g, 4);
  slot.reset();
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(crowd.until_done(i + 1));
    EXPECT_FALSE(g->try_enter()) << "overtook who waits";
    EXPECT_EQ(g->stats().in_use, 1);
    crowd.results[i].reset();
  }
  EXPECT_EQ(crowd.order, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(g->stats().waited, 4);
  EXPECT_TRUE(g->try_enter());
}

TEST(GateTest, GivesUpAtTheDeadlineAndNotBefore) {
  TestLoop test;
  const auto g = gate(1, 1, Millis(40));
  const auto slot = g->try_enter();
  const base::Mono before = base::mono_now();
  Crowd crowd(test, g, 1);
  ASSERT_TRUE(crowd.until_done(1));
  EXPECT_EQ((*crowd.results[0]).error().code, Code::kConcurrency);
  EXPECT_GE(base::mono_now() - before, Millis(40) - Millis(5));  // counted from the loop's own time
  EXPECT_EQ(g->stats().timed_out, 1);
  EXPECT_EQ(g->stats().queued, 0);
}

TEST(GateTest, WhoseClientLeavesMakesWay) {
  TestLoop test;
  const auto g = gate(1, 3);
  auto slot = g->try_enter();
  Crowd crowd(test, g, 3);
  crowd.cancels[1].request();
  ASSERT_TRUE(crowd.until_done(1));
  EXPECT_EQ((*crowd.results[1]).error().code, Code::kClientGone);
  slot.reset();
  ASSERT_TRUE(crowd.until_done(2));
  crowd.results[0].reset();
  ASSERT_TRUE(crowd.until_done(3));
  EXPECT_EQ(crowd.order, (std::vector<int>{1, 0, 2}));
  EXPECT_EQ(g->stats().left, 1);
}

// The slot was granted in the instant in which the wait ended for another reason.
TEST(GateTest, ASlotGrantedToAClientThatHasJustLeftIsHandedOn) {
  TestLoop test;
  const auto g = gate(1, 2);
  auto slot = g->try_enter();
  Crowd crowd(test, g, 2);
  crowd.cancels[0].request();
  slot.reset();  // granted to it before it has seen that
  ASSERT_TRUE(crowd.until_done(2));
  EXPECT_EQ((*crowd.results[0]).error().code, Code::kClientGone);
  EXPECT_TRUE(crowd.results[1]->has_value());
  crowd.results.clear();
  EXPECT_EQ(g->stats().in_use, 0);
  EXPECT_EQ(g->stats().queued, 0);
}

TEST(GateTest, ARaisedMaximumLetsInThoseWhoWait) {
  TestLoop test;
  const auto g = gate(1, 3);
  const auto slot = g->try_enter();
  Crowd crowd(test, g, 3);
  g->configure({.max = 3, .queue = 3, .wait = Seconds(10)});
  ASSERT_TRUE(crowd.until_done(2));
  EXPECT_EQ(g->stats().in_use, 3);
  EXPECT_EQ(g->stats().queued, 1);
  crowd.results[0].reset();
  EXPECT_TRUE(crowd.until_done(3));
}

TEST(GateTest, ALoweredMaximumTakesNothingFromWhoIsIn) {
  const auto g = gate(3, 0);
  std::optional<Slot> slots[3] = {g->try_enter(), g->try_enter(), g->try_enter()};
  g->configure({.max = 1, .queue = 0, .wait = Seconds(1)});
  EXPECT_EQ(g->stats().in_use, 3);
  slots[0].reset();
  slots[1].reset();
  EXPECT_FALSE(g->try_enter());
  slots[2].reset();
  EXPECT_TRUE(g->try_enter());
}

TEST(GatesTest, AGateIsFoundAgainByItsNameWhileSomebodyHasIt) {
  Gates gates;
  const config::Concurrency one{.max = 1, .queue = 0, .wait = Seconds(1)};
  const config::Concurrency two{.max = 2, .queue = 0, .wait = Seconds(1)};
  auto g = gates.get(Gates::Of::kRoute, "/a/", one);
  EXPECT_EQ(gates.get(Gates::Of::kRoute, "/a/", two), g);
  EXPECT_EQ(g->stats().max, 1);  // a reload may still be refused
  EXPECT_NE(gates.get(Gates::Of::kOrigin, "/a/", one), g);
  const auto slot = g->try_enter();
  g.reset();
  const auto named = gates.stats();  // the slot keeps it; nobody has the origin's
  ASSERT_EQ(named.size(), 1);
  EXPECT_EQ(named[0].name, "/a/");
  EXPECT_EQ(named[0].stats.in_use, 1);
}

// ---- several loops at once

struct Load {
  std::shared_ptr<Gate> gate;
  std::uint64_t max = 0;
  std::atomic<std::int64_t> inside{0}, most{0};
  std::atomic<std::uint64_t> entered{0}, failed{0};
};

// One client: enters, holds its slot over a wait, leaves. Some leave the queue, some in the moment they are
// let in.
net::Task<> client(Load& load, net::Loop& loop, unsigned seed) {
  std::mt19937 random(seed);
  net::Event pause(loop);
  for (int i = 0; i < 60; ++i) {
    std::optional<Slot> slot = load.gate->try_enter();
    if (!slot) {
      net::Cancel cancel;
      const bool leaves = random() % 4 == 0;
      if (leaves) loop.post([&cancel] { cancel.request(); });
      auto waited = co_await load.gate->enter(loop, &cancel);
      if (leaves) co_await pause.wait(loop.now());  // the message above has come
      if (waited) slot = std::move(*waited);
    }
    if (!slot) {
      ++load.failed;
      continue;
    }
    ++load.entered;
    const std::int64_t now_inside = ++load.inside;
    std::int64_t most = load.most;
    while (now_inside > most && !load.most.compare_exchange_weak(most, now_inside)) {
    }
    for (unsigned n = random() % 3; n > 0; --n) co_await loop.yield();
    if (random() % 16 == 0) co_await pause.wait(loop.now());
    --load.inside;
  }
}

void stress(Load& load, std::uint64_t queue, Millis wait) {
  load.gate = gate(load.max, queue, wait);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&load, t] {
      TestLoop test;
      net::Scope clients(test.loop);
      for (unsigned c = 0; c < 12; ++c) clients.spawn(client(load, test.loop, t * 100 + c));
      test.await(clients.drained());
    });
  for (auto& thread : threads) thread.join();
  const GateStats stats = load.gate->stats();
  EXPECT_EQ(stats.in_use, 0);
  EXPECT_EQ(stats.queued, 0);
  EXPECT_LE(load.most, static_cast<std::int64_t>(load.max));
  EXPECT_EQ(load.entered + load.failed, 4 * 12 * 60);
  EXPECT_GE(stats.entered, load.entered);
}

TEST(GateStressTest, LosesNoSlotAndGivesNoneTwice) {
  Load load{.gate = {}, .max = 3};
  stress(load, 100, Seconds(30));
  EXPECT_GT(load.gate->stats().waited, 0);
  EXPECT_GT(load.gate->stats().left, 0);
}

TEST(GateStressTest, NeitherWhenMostTimeOut) {
  Load load{.gate = {}, .max = 2};
  stress(load, 30, Millis(1));
  EXPECT_GT(load.gate->stats().refused + load.gate->stats().timed_out, 0);
}

}  // namespace
}  // namespace limit
