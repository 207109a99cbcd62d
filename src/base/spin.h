// A lock for a few dozen instructions: one locked instruction to take, a plain store to give back.
//
// Owner:    what it guards.  Thread: any.  Failure: none.
//
// For critical sections so short that a mutex would be most of their cost (measured: docs/performance.md,
// cache get). Nothing under it may wait, allocate in the common case or call out. A holder that the system
// takes off its CPU is waited for by yielding, not by burning a time slice.
#pragma once

#include <sched.h>

#include <atomic>

namespace base {

class SpinLock {
 public:
  void lock() {
    for (unsigned tries = 0; taken_.exchange(true, std::memory_order_acquire); ++tries) {
      while (taken_.load(std::memory_order_relaxed))
        if (++tries % 64 == 0) ::sched_yield();
    }
  }
  void unlock() { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

}  // namespace base
