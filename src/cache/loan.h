// Loans: what replies under way keep in memory though the cache would let it go, and how it comes back.
//
// The problem: a client that reads a byte a second keeps the whole object that it is being sent, long after
// the cache has let go of it. A few hundred of them, each with another object, hold more than the cache. So
// where memory is wanted and there is none (base::Account), the slowest readers are cut.
//
// An object that several replies keep is as quick as the quickest of them, and comes back only when all have
// let go. What the cache still holds is not worth a reader: it would stay. Nobody is cut who has been sent to
// for less than kGrace.
//
// Owner:    Loans: the process. A Loan: the coroutine that sends a reply.
// Thread:   Loans: any; its lock is taken where a reply has to wait for its client, and where memory is
//           short. A Loan belongs to its loop's thread; that is where it is told to end.
// Failure:  none. Units: bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "base/clock.h"
#include "base/ref.h"
#include "cache/entry.h"
#include "cache/fill.h"
#include "net/loop.h"

namespace cache {

class Memory;
class Loans;

class Loan {
 public:
  // What is kept: an entry, what a fill leaves, or neither and some bytes of its own.
  struct Object {
    base::Ref<const Entry> entry{};
    base::Ref<Fill> fill{};
    std::uint64_t bytes = 0;
  };
  // Who keeps it. `taken`: what its client took so far. `cut`: ends the reply; it resumes nobody.
  struct Keeper {
    net::Loop& loop;
    const std::atomic<std::uint64_t>& taken;
    void (*cut)(void* context);
    void* context;
  };
  Loan(Loans& loans, Object object, Keeper keeper);
  ~Loan();
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

 private:
  friend class Loans;
  enum class State : std::uint8_t { kLent, kRecalled, kReturned };

  Loans& loans_;
  const Object object_;
  const Keeper keeper_;
  const base::Mono began_;
  const std::uint64_t taken_before_;
  State state_ = State::kLent;  // this and the list: under the lock of loans_
  Loan* before_ = nullptr;
  Loan* after_ = nullptr;
};

class Loans {
 public:
  static constexpr base::Nanos kGrace = base::Seconds(5);

  explicit Loans(Memory& memory) : memory_(memory) {}
  ~Loans();
  Loans(const Loans&) = delete;
  Loans& operator=(const Loans&) = delete;

  // Cuts the slowest readers that keep so much together, or fewer. They end soon, not within the call.
  void recall(std::uint64_t bytes);

  std::uint64_t recalled() const { return recalled_.load(std::memory_order_relaxed); }  // readers, so far

 private:
  friend class Loan;
  struct Candidate;

  // Whoever looks, looks at all; so nobody does more often, and what is wanted meanwhile adds up.
  static constexpr base::Nanos kEvery = base::Millis(50);

  bool candidate(const Loan& loan, base::Mono now, Candidate& out) const;
  void deliver();  // in the loop whose loans were recalled

  Memory& memory_;
  std::mutex lock_;
  Loan* first_ = nullptr;
  base::Mono next_{};  // under the lock, as is what follows
  std::uint64_t wanted_ = 0;
  std::atomic<std::uint64_t> recalled_{0};
};

}  // namespace cache
