// What the tests of fills stand on: loops in threads of their own, bodies that tell where they stand, a
// feeder.
//
// For tests only. Thread: each test's.  Failure: through gtest.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "cache/fill.h"
#include "net/scope.h"

namespace cache {

using base::Code;

constexpr std::uint64_t kMaxObject = 4 << 20;
constexpr std::uint64_t kBudget = 16 << 20;

// Bytes that tell where they stand.
inline std::string body_of(std::size_t size, std::size_t from = 0) {
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

inline net::Task<> ask(base::Ref<Fill> fill, net::Loop& loop, Got& got, Plan plan) {
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

inline bool until(const std::function<bool()>& done) {
  for (int i = 0; i < 10'000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

class FillTest : public testing::Test {
 protected:
  static bool keep(void* self, base::Ref<const Entry> entry) {
    auto& stored = *static_cast<FillTest*>(self);
    const std::lock_guard lock(stored.lock_);
    stored.stored_.push_back(std::move(entry));
    return true;
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
  // Until the feeder's loop has done all that it can do now.
  void settle_feeder() {
    a_.call([] {});
  }
  bool cancelled(Fill& fill) {
    bool is = false;
    a_.call([&] { is = fill.cancel().requested(); });
    return is;
  }

  // Feeds `size` bytes in pieces, at the pace that the fill allows, then completes it. `waits`: for room.
  static net::Task<> feed(base::Ref<Fill> fill, std::size_t size, std::size_t piece,
                          std::atomic<std::uint64_t>& given, std::atomic<bool>& done,
                          std::atomic<bool>* waits = nullptr) {
    FillHead head;
    head.freshness = base::Seconds(60);
    bool more = fill->begin(std::move(head));
    for (std::size_t at = 0; more && at < size; at += piece) {
      const auto chunk = base::Chunk::copy_of(body_of(std::min(piece, size - at), at));
      more = fill->publish(chunk, chunk->used());
      given += chunk->used();
      if (waits) *waits = true;
      more = more && co_await fill->room();
      if (waits) *waits = false;
    }
    if (more)
      fill->complete();
    else
      fill->fail({Code::kCancelled, "nobody waits any more"});
    done = true;
  }

  std::mutex lock_;
  std::vector<base::Ref<const Entry>> stored_;
  Writes writes_;
  base::Account account_{1ULL << 40};
  Fills fills_{kMaxObject, kBudget, account_, &FillTest::keep, this, writes_};
  Worker a_, b_;
};

}  // namespace cache
