// Concurrency limits: so many requests at a time, a bounded queue for the others, a deadline for those.
//
// Owner:    Gates: the process. Gate: shared by the snapshots that name it and by every Slot and waiter, so
//           it outlives a reload that drops it.
// Thread:   any. A spin lock is held for a few dozen instructions: counts and a list; never across a wait, an
//           allocation or another loop's mailbox.
// Lifetime: a loop with a waiter lives until no thread uses the gate any more.
// Failure:  Code::kConcurrency (the queue is full, or the deadline passed), kClientGone (cancelled). Units:
//           requests; a deadline fires up to two ticks of the wheel late.
//
// First come, first served: nobody overtakes who waits. A slot that comes free goes to the first waiter while
// it is still counted as in use, so that no newcomer can snatch it; the waiter's own loop is told by post().
// A waiter whose deadline passes in that very instant has the slot and uses it; one whose client has left
// hands it on.
//
// Usage:    std::optional<Slot> slot = gate->try_enter();
//           if (!slot) {
//             auto waited = co_await gate->enter(loop, &x.gone);
//             if (!waited) return x.stop(waited.error());
//             slot = std::move(*waited);
//           }
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/ref.h"
#include "base/spin.h"
#include "config/model.h"
#include "net/loop.h"
#include "net/task.h"

namespace limit {

class Gate;

// A place in a gate, given back when it dies, on whichever thread.
class Slot {
 public:
  Slot() = default;
  Slot(Slot&& other) noexcept : gate_(std::move(other.gate_)) {}
  Slot& operator=(Slot&& other) noexcept {
    if (this != &other) {
      leave();
      gate_ = std::move(other.gate_);
    }
    return *this;
  }
  ~Slot() { leave(); }

  explicit operator bool() const { return gate_ != nullptr; }
  void leave() {  // inline: every request asks, and most have no place to give back
    if (gate_) give_back();
  }

 private:
  friend class Gate;
  void give_back();
  explicit Slot(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}

  std::shared_ptr<Gate> gate_;
};

struct GateStats {
  std::uint64_t max = 0, in_use = 0, queued = 0;  // now
  std::uint64_t entered = 0;                      // slots given
  std::uint64_t waited = 0;                       // of these, after a wait
  std::uint64_t refused = 0;                      // at once: the queue was full
  std::uint64_t timed_out = 0;                    // in the queue
  std::uint64_t left = 0;                         // the client left while in the queue
};

class Gate : public std::enable_shared_from_this<Gate> {
 public:
  static std::shared_ptr<Gate> make(const config::Concurrency& rules);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Nothing when all are in use or somebody waits already.
  std::optional<Slot> try_enter();
  // Waits for its turn. `loop` is the caller's own.
  net::Task<base::Result<Slot>> enter(net::Loop& loop, net::Cancel* cancel);

  // A reload's values, when the new snapshot serves. A lower max takes nothing from who is in; those who wait
  // keep their place and their deadline.
  void configure(const config::Concurrency& rules);
  GateStats stats() const;

 private:
  friend class Slot;
  struct Waiter;
  explicit Gate(const config::Concurrency& rules);

  enum class Joined : std::uint8_t { kEntered, kQueued, kFull };
  Joined join(Waiter& waiter, base::Mono& deadline);
  bool granted(Waiter& waiter, bool gone);
  void leave();
  // With lock_ held: the first waiter, granted, when there is room; else null.
  base::Ref<Waiter> admit_next();
  void unlink(Waiter& waiter);  // with lock_ held

  mutable base::SpinLock lock_;
  config::Concurrency rules_;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  GateStats stats_;
};

// All gates, found again by name when a snapshot is built.
class Gates {
 public:
  enum class Of : std::uint8_t { kRoute, kOrigin };

  // The gate that an earlier snapshot which still lives has under this name, with the values it has; or a new
  // one with `rules`. Gate::configure() makes the new values hold.
  std::shared_ptr<Gate> get(Of of, std::string_view name, const config::Concurrency& rules);

  struct Named {
    Of of;
    std::string name;
    GateStats stats;
  };
  std::vector<Named> stats() const;  // of those in use by a snapshot or a request

 private:
  mutable std::mutex lock_;
  std::map<std::pair<Of, std::string>, std::weak_ptr<Gate>> gates_;
};

}  // namespace limit
