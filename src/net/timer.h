// Coarse timers: a hashed wheel of 32 ms ticks, for deadlines that almost never fire.
//
// The problem: every request sets two or three deadlines (head, write, idle) and nearly all are replaced
// before they are due. So setting one must cost a store, not a heap operation. A Timer that is already
// linked in some slot and is moved to a *later* tick stays where it is; when its slot comes round it is
// found to be early and is linked again where it belongs. Only an *earlier* tick relinks at once.
//
// Owner:    a Timer is a member of what it guards; it unlinks itself when that dies.
// Thread:   the worker's own.
// Units:    32 ms ticks; a timer fires at the first tick that begins after it is due, never early.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace net {

class Wheel;

class Timer {
 public:
  using Fire = void (*)(Timer&);
  explicit Timer(Fire fire) : fire_(fire) {}
  Timer() : Timer(nullptr) { prev_ = next_ = this; }  // the head of a list
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { unlink(); }

  void clear() { due_ = kNever; }  // stays linked, fires nothing

 protected:
  void unlink() {
    if (!linked()) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  friend class Wheel;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  bool linked() const { return next_ != nullptr; }

  Timer* prev_ = nullptr;
  Timer* next_ = nullptr;
  std::uint64_t due_ = kNever;   // tick at which to fire
  std::uint64_t linked_at_ = 0;  // tick of the slot it stands in
  Fire fire_;
};

class Wheel {
 public:
  static constexpr base::Nanos kTick = base::Millis(32);

  explicit Wheel(base::Mono start) : tick_(tick_of(start)) {}

  void set(Timer& timer, base::Mono when) {
    timer.due_ = tick_of(when) + 1;
    if (timer.due_ <= tick_) timer.due_ = tick_ + 1;
    if (timer.linked() && timer.linked_at_ <= timer.due_) return;
    link(timer);
  }

  // Fires what is due. Timers may set, cancel or destroy any timer, themselves included.
  void advance(base::Mono now);

  // Milliseconds until advance() has something to look at; -1 when there is nothing.
  int wait_ms(base::Mono now);

 private:
  static constexpr std::size_t kSlots = 1024;
  static std::uint64_t tick_of(base::Mono t) {
    return static_cast<std::uint64_t>(t.time_since_epoch() / kTick);
  }
  void link(Timer& timer);

  std::uint64_t tick_;                          // the last one processed
  std::uint64_t earliest_ = ~std::uint64_t{0};  // no slot before this one holds a timer
  std::array<Timer, kSlots> slots_;
};

}  // namespace net
