// A coroutine that waits in one loop, and what wakes it from any thread: late, twice, never, or when it has
// long left.
//
// Owner:    Waiting: the coroutine that waits. Waker: shared by it and by whoever may wake it.
// Thread:   Waiting belongs to its loop's; wake() any.
// Lifetime: a Waker may outlive the coroutine and its loop; it does nothing then.
// Failure:  none.
//
// Usage:    net::Waiting waiting(loop);
//           source.on_change([waker = waiting.waker()] { waker->wake(); });     // calls whenever it likes
//           if (co_await waiting.until(deadline, &x.gone) == net::Wake::kReady) …
#pragma once

#include <mutex>

#include "base/clock.h"
#include "base/ref.h"
#include "net/loop.h"
#include "net/task.h"

namespace net {

class Waker final : public base::Shared<Waker> {
 public:
  void wake() {
    const std::lock_guard guard(lock_);  // so that the loop does not go in between
    if (!loop_) return;
    loop_->post([self = base::Ref<Waker>(this)] {
      if (self->event_) self->event_->set();
    });
  }

 private:
  friend class Waiting;
  Waker(Loop& loop, Event& event) : loop_(&loop), event_(&event) {}

  std::mutex lock_;
  Loop* loop_;    // null: nobody waits any more, and the loop may be gone
  Event* event_;  // of the loop's thread
};

class Waiting {
 public:
  explicit Waiting(Loop& loop) : event_(loop), waker_(new Waker(loop, event_)) {}
  ~Waiting() {
    waker_->event_ = nullptr;
    const std::lock_guard guard(waker_->lock_);
    waker_->loop_ = nullptr;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  const base::Ref<Waker>& waker() const { return waker_; }

  Task<Wake> until(base::Mono when, Cancel* cancel = nullptr) {
    const CancelLink link(cancel, event_);
    co_return co_await event_.wait(when);
  }

 private:
  Event event_;
  base::Ref<Waker> waker_;
};

}  // namespace net
