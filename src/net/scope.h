// Where tasks run that nobody awaits in place: connections, fills, background loops. Nothing is detached.
//
// Owner:    the last member of whoever starts the tasks, so that it is destroyed first.
// Thread:   the loop's own.
// Lifetime: a Scope must be empty when it dies; close it by telling its tasks to stop (Cancel, Event) and
//           awaiting drained().
#pragma once

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <exception>

#include "net/loop.h"
#include "net/task.h"

namespace net {

class Scope {
 public:
  explicit Scope(Loop& loop) : empty_(loop) {}
  ~Scope() { assert(active_ == 0); }

  // Starts the task now; it runs until its first wait before spawn() returns.
  void spawn(Task<> task) {
    ++active_;
    run(*this, std::move(task));
  }

  std::size_t active() const { return active_; }

  Task<> drained() {
    while (active_ > 0) co_await empty_.wait();
  }

 private:
  struct Driver {
    struct promise_type {
      Driver get_return_object() noexcept { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() noexcept {}
      [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
    };
  };
  static Driver run(Scope& scope, Task<> task) {
    {
      Task<> owned = std::move(task);
      co_await owned;
    }
    if (--scope.active_ == 0) scope.empty_.set();
  }

  std::size_t active_ = 0;
  Event empty_;
};

}  // namespace net
