// The event loop of one worker: edge-triggered epoll, coroutines that wait on it, coarse timers, a mailbox.
//
// Owner:    a worker thread (gateway::Worker) or a test; everything registered with it dies before it.
// Thread:   all of it belongs to the thread in run(), except post() and stop().
// Lifetime: coroutines are resumed, never destroyed while they wait; a loop that stops has been drained by
//           its Scopes first.
// Failure:  the constructor throws std::system_error when the system has no epoll or eventfd to give.
//
// Why not Asio: docs/adr/0002-own-event-loop.md.
#pragma once

#include <atomic>
#include <cassert>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/timer.h"

namespace net {

enum class Wake : std::uint8_t { kReady, kTimeout, kCancelled };

// Something that waits and can be told to stop waiting. `fire` makes the waiter ready; it resumes nobody
// itself.
class Cancellable {
 public:
  using Fire = void (*)(Cancellable&);
  explicit Cancellable(Fire fire) : fire_(fire) {}
  void cancel() { fire_(*this); }

 protected:
  ~Cancellable() = default;

 private:
  Fire fire_;
};

class CancelLink;

// One party's wish to stop: the client has left, the last reader of a fill has gone. Sticky. Whoever is
// linked when it comes is told, and whoever links later is told at once.
class Cancel {
 public:
  Cancel() = default;
  ~Cancel() { assert(!first_); }
  Cancel(const Cancel&) = delete;
  Cancel& operator=(const Cancel&) = delete;

  inline void request();
  bool requested() const { return requested_; }
  // For the next request of the same owner; nobody is linked then.
  void reset() {
    assert(!first_);
    requested_ = false;
  }

 private:
  friend class CancelLink;
  bool requested_ = false;
  CancelLink* first_ = nullptr;
};

// For the span of a wait: what `cancel` is to wake, beside all others that are linked to it. May die in any
// order.
class CancelLink {
 public:
  CancelLink(Cancel* cancel, Cancellable& target) : target_(target) {
    if (!cancel) return;
    next_ = cancel->first_;
    if (next_) next_->link_ = &next_;
    link_ = &cancel->first_;
    cancel->first_ = this;
    if (cancel->requested_) target.cancel();
  }
  ~CancelLink() {
    if (!link_) return;
    *link_ = next_;
    if (next_) next_->link_ = link_;
  }
  CancelLink(const CancelLink&) = delete;
  CancelLink& operator=(const CancelLink&) = delete;

 private:
  friend class Cancel;
  Cancellable& target_;
  CancelLink* next_ = nullptr;
  CancelLink** link_ = nullptr;  // what points here; null: linked to nothing
};

// Nobody is resumed within it (Cancellable), so the list stands still meanwhile.
void Cancel::request() {
  requested_ = true;
  for (CancelLink* link = first_; link; link = link->next_) link->target_.cancel();
}

class Loop;

// What epoll points at for one descriptor. Outlives its Socket until the current batch of events is done, so
// that an event already fetched for a descriptor closed a moment ago finds something to look at.
struct Watch final : Timer, Cancellable {
  explicit Watch(Loop& l);
  static void on_deadline(Timer& timer);
  static void on_cancel(Cancellable& target);
  void wake_all();

  Loop& loop;
  int fd = -1;
  bool readable = true;  // cleared by whoever has read the socket empty
  bool writable = true;  // cleared by whoever was told EAGAIN
  bool hangup = false;   // the peer has closed its side, or the connection is gone
  bool expired = false;
  bool cancelled = false;
  std::coroutine_handle<> reader;
  std::coroutine_handle<> writer;
  Cancel* on_hangup = nullptr;  // told when the peer leaves while nobody reads
  Cancel* on_input = nullptr;   // told when the peer says something while nobody reads
};

class Loop {
 public:
  using Posted = std::move_only_function<void()>;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();
  void stop();             // any thread
  void post(Posted fn);    // any thread; runs in this loop, in order
  static Loop* current();  // of the calling thread, or null

  base::Mono now() const { return now_; }  // as of the last wake-up: good for deadlines, not for durations
  void set(Timer& timer, base::Mono when) { wheel_.set(timer, when); }

  // Resumes the coroutine before the loop waits again. For wake-ups between coroutines of one loop.
  void ready(std::coroutine_handle<> h) { ready_.push_back(h); }

  // co_await loop.yield(): everybody else who can go on does so first. For whoever may have work for long
  // without ever having to wait for it.
  auto yield() {
    struct Awaiter {
      Loop& loop;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> h) const { loop.ready(h); }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }

  // Called once per turn, before waiting; must be cheap. For flushing what a worker has gathered, and for a
  // schedule that is finer than the wheel. Returns how long the loop may wait at most, to the nanosecond;
  // what is not a whole millisecond needs Linux 5.11.
  static constexpr base::Nanos kForever = base::Nanos::max();
  using Turn = base::Nanos (*)(void*);
  void on_turn(Turn turn, void* context) { turn_ = turn, turn_context_ = context; }

  // How late the loop was for its own mailbox or timers, the last time it looked; read by any thread.
  base::Nanos busy() const { return base::Nanos(busy_.load(std::memory_order_relaxed)); }

  Watch* watch(int fd);        // registers for reading and writing, edge-triggered
  void unwatch(Watch* watch);  // closes the descriptor

 private:
  void dispatch(Watch& watch, std::uint32_t events);
  void run_ready();
  void run_posted();

  int epoll_ = -1;
  int wakeup_ = -1;
  base::Mono now_;
  Wheel wheel_;
  std::vector<std::coroutine_handle<>> ready_, running_;
  std::vector<std::unique_ptr<Watch>> retired_;
  Turn turn_ = nullptr;
  void* turn_context_ = nullptr;
  std::atomic<base::Nanos::rep> busy_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mailbox_lock_;
  std::vector<Posted> mailbox_;
};

// Waits until `when`, or until set() or cancel(). One waiter. Auto-reset: a set() with nobody waiting is kept
// for the next wait.
class Event final : Timer, public Cancellable {
 public:
  explicit Event(Loop& loop) : Timer(&Event::on_deadline), Cancellable(&Event::on_cancel), loop_(loop) {}

  void set() {
    set_ = true;
    wake();
  }

  // Leaves the loop's wheel, for an Event whose owner may die on another thread.
  void disarm() { unlink(); }

  auto wait(base::Mono until = base::Mono::max()) {
    struct Awaiter {
      Event& event;
      base::Mono until;
      bool await_ready() const { return event.set_ || event.cancelled_; }
      void await_suspend(std::coroutine_handle<> h) {
        event.waiter_ = h;
        event.expired_ = false;
        if (until != base::Mono::max()) event.loop_.set(event, until);
      }
      Wake await_resume() {
        event.Timer::clear();
        if (std::exchange(event.set_, false)) return Wake::kReady;
        return event.cancelled_ ? Wake::kCancelled : Wake::kTimeout;
      }
    };
    return Awaiter{*this, until};
  }

 private:
  static void on_deadline(Timer& timer) {
    auto& event = static_cast<Event&>(timer);
    event.expired_ = true;
    event.wake();
  }
  static void on_cancel(Cancellable& target) {
    auto& event = static_cast<Event&>(target);
    event.cancelled_ = true;
    event.wake();
  }
  void wake() {
    if (waiter_) loop_.ready(std::exchange(waiter_, nullptr));
  }

  Loop& loop_;
  std::coroutine_handle<> waiter_;
  bool set_ = false;
  bool expired_ = false;
  bool cancelled_ = false;
};

}  // namespace net
