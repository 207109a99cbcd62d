// A few threads for what blocks and cannot be made not to: name look-ups, slow hashes, key files.
//
// Owner:    the process (cli), shared by its loops; it outlives them.
// Thread:   run() from any loop's thread; the function runs on a thread of the pool and must touch nothing of
//           the loop; the coroutine goes on in its own loop.
// Failure:  none of its own. The queue is not bounded here: callers bound what they ask (one look-up a name).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "net/loop.h"

namespace net {

class Offload {
 public:
  explicit Offload(unsigned threads);
  ~Offload();  // finishes what is queued
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;

  // co_await offload.run(loop, [..] { … });
  template <class F>
  auto run(Loop& loop, F fn) {
    struct Awaiter {
      Offload& pool;
      Loop& loop;
      F fn;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> h) {
        pool.push([this, h] {
          fn();
          loop.post([h] { h.resume(); });
        });
      }
      void await_resume() const {}
    };
    return Awaiter{*this, loop, std::move(fn)};
  }

 private:
  using Job = std::move_only_function<void()>;
  void push(Job job);
  void work();

  std::mutex lock_;
  std::condition_variable more_;
  std::deque<Job> jobs_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace net
