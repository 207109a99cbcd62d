// Fills: one fetch for an object however many ask for it at once, read by all of them while it grows.
//
// The problem: a popular object that is not in the cache is asked for by a thousand clients on every worker.
// One request goes to the origin; the thousand read the same chunks from the first byte on, each at its own
// pace, and what arrived whole becomes an Entry.
//
//   asker ─join─► Fill (kAsking) ──head──► kFilling ──last byte──► kDone: the Entry, into the memory tier
//                    │                        │
//                    │                        ├─► outgrew max_object or the budget: a window (below)
//                    │                        └─► kFailed: readers are cut, nothing is stored
//                    ├─► kPassed: not storable or too large; the leader takes it, the others ask alone
//                    └─► kFailed: everybody gets the same error
//
// A fill belongs to the cache, not to its first asker: the task that feeds it runs in the leader's worker but
// outlives the leader's connection. It is cancelled when its last reader has left, unless a reader got all it
// wanted (a Range, a 304) and the rest is worth keeping.
//
// A fill that a write overtakes (writes.h) serves those who read it already; nobody joins it any more, and
// nothing of it is stored.
//
// A body of unknown length that outgrows what may be stored turns into a window of kWindow bytes: from then
// on the feeder waits for the slowest reader, and one that takes nothing for kPatience is dropped. So does a
// fill for which no memory is left (base::Account), and its window is then a small piece at a time, for as
// long as none is.
//
// Owner:    base::Ref; the table holds one while new askers may join, the feeder and each Reader another.
// Thread:   any; a Fill's lock is held for a few dozen instructions, never across a wait. A Reader and the
//           Feeder belong to their worker.
// Failure:  as base::Error to the readers. Units: bytes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/account.h"
#include "base/chunk.h"
#include "base/error.h"
#include "base/ref.h"
#include "cache/entry.h"
#include "cache/key.h"
#include "cache/writes.h"
#include "net/flights.h"
#include "net/loop.h"
#include "net/task.h"

namespace cache {

class Fills;

// What the readers need before the first byte.
struct FillHead {
  std::uint16_t status = 200;
  std::string fields;  // as Entry::Parts::fields
  std::string etag, last_modified;
  std::optional<std::uint64_t> length;
  base::Mono stored_at;
  base::Nanos initial_age{0};
  base::Nanos freshness{0};
  Coded coded = Coded::kNo;
};

class Fill final : public base::Shared<Fill> {
 public:
  static constexpr std::uint64_t kWindow = 1 << 20;
  static constexpr base::Nanos kPatience = base::Seconds(5);
  enum class State : std::uint8_t { kAsking, kFilling, kDone, kPassed, kFailed };

  Fill(Fills& table, std::string key_bytes, std::uint64_t hash, net::Loop& feeder_loop);

  KeyView key() const { return {key_, hash_}; }
  std::string_view flight_key() const { return key_; }

  // ---- the feeder's side, in its worker
  net::Cancel& cancel() { return cancel_; }
  bool begin(FillHead head);  // false: nobody reads any more
  // Where the next bytes are read.
  base::Ref<base::Chunk> make_chunk();
  // What could not be had of memory, since the last call.
  std::uint64_t take_wanted() { return std::exchange(wanted_bytes_, 0); }
  // Appends `chunk`'s new bytes up to `used`. False: stop, nobody reads any more.
  bool publish(const base::Ref<base::Chunk>& chunk, std::size_t used);
  // In window mode: waits until the slowest reader has come near. False: nobody reads any more.
  net::Task<bool> room();
  // One of these ends the feeder's part.
  void complete();  // stores what arrived, if it may be
  void pass();
  void fail(base::Error error);

  // ---- any thread
  struct Left {
    bool growing = false;          // it is not complete, and may be stored
    base::Ref<const Entry> entry;  // what it has become
  };
  Left left() const;

 private:
  friend class Fills;
  friend class Reader;

  // One for each Reader; outlives it while a wake-up is on its way between loops.
  struct Waiter : base::Shared<Waiter> {
    explicit Waiter(net::Loop& l) : loop(l), event(l) {}
    net::Loop& loop;
    net::Event event;      // of its loop's thread
    bool waiting = false;  // this and the rest: under the fill's lock
    bool dropped = false;
    std::uint64_t position = 0;
    base::Mono moved;  // last progress, or when it was given something to go on with
  };
  struct Piece {
    base::Ref<const base::Chunk> chunk;
    std::uint64_t at = 0;  // offset of its first byte in the body
    std::size_t used = 0;  // published bytes
  };

  void wake_readers();  // with lock_ held
  void wake_feeder();   // any thread
  void detach(const base::Ref<Waiter>& waiter, bool satisfied);
  void leave_table();
  void give_up_unread();
  void give_up_storing();
  void settle();                  // gives back what it was promised; with lock_ held
  std::uint64_t slowest() const;  // with lock_ held
  // With lock_ held: its start is gone, or it as a whole.
  bool too_late() const { return abandoned_ || (!pieces_.empty() && pieces_.front().at > 0); }

  Fills& table_;
  const std::string key_;
  const std::uint64_t hash_;
  const Resource resource_;
  const base::Mono asked_at_;
  net::Loop& feeder_loop_;
  net::Cancel cancel_;       // of the feeder's thread
  net::Event feeder_event_;  // likewise

  mutable std::mutex lock_;
  State state_ = State::kAsking;
  FillHead head_;
  std::deque<Piece> pieces_;
  std::uint64_t size_ = 0;      // published so far
  std::uint64_t reserved_ = 0;  // of the budget
  std::uint64_t promised_ = 0;  // of the account, for chunks to come; this and the next: the feeder's
  std::uint64_t wanted_bytes_ = 0;
  bool storable_ = true;  // false: window mode
  bool abandoned_ = false;
  bool wanted_ = false;  // somebody was satisfied early; finish without readers
  base::Error error_{};
  base::Ref<const Entry> entry_;
  bool kept_ = false;  // the entry, by the memory tier
  std::vector<base::Ref<Waiter>> waiters_;
};

// One asker's place in a fill. Lives in the asker's coroutine.
class Reader {
 public:
  Reader(base::Ref<Fill> fill, net::Loop& loop);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  enum class Start : std::uint8_t { kServe, kAlone, kFailed };
  // Until the origin's head is known. kServe: head() and next() are good. kAlone: ask the origin yourself.
  net::Task<Start> start(net::Cancel* cancel);
  const base::Ref<Fill>& fill() const { return fill_; }
  const FillHead& head() const { return fill_->head_; }  // constant once start() said kServe
  const base::Error& error() const { return error_; }

  // Whether all of the body will be there at the end; else only a window of it ever is. Known from start() on
  // where the head says a length.
  bool keeps_all() const;
  // When the fill is done: what it left. Null before, or when it was not worth an entry.
  base::Ref<const Entry> entry() const;
  // Whether the memory tier has taken that entry.
  bool kept() const;
  // Waits until the body is there as a whole, but not longer than `until`: what is small and comes at once
  // goes out in one piece.
  net::Task<> whole(base::Mono until, net::Cancel* cancel);

  void seek(std::uint64_t offset);
  // The next published bytes, waiting for some; empty: the body is complete. The bytes stay valid until the
  // next call.
  net::Task<base::Result<std::string_view>> next(net::Cancel* cancel);
  // The reader has what it came for, though the body goes on: the fill goes on without it.
  void satisfied() { satisfied_ = true; }

 private:
  base::Ref<Fill> fill_;
  base::Ref<Fill::Waiter> waiter_;
  base::Ref<const base::Chunk> held_;
  std::uint64_t position_ = 0;
  base::Error error_{};
  bool satisfied_ = false;
};

// The table of fills under way, the budget they share, and what is known not to be worth a fill.
class Fills {
 public:
  // store: takes complete entries (the memory tier), or refuses one. writes: those that the tier heard of.
  using Store = bool (*)(void* context, base::Ref<const Entry> entry);
  Fills(std::uint64_t max_object, std::uint64_t budget, base::Account& account, Store store, void* context,
        const Writes& writes)
      : max_object_(max_object),
        budget_(budget),
        account_(account),
        store_(store),
        context_(context),
        writes_(writes) {}

  using Joined = net::FlightTable<Fill>::Joined;
  // Whoever leads starts the feeder.
  Joined join(KeyView key, net::Loop& loop);

  // At shutdown: what nobody reads is given up, from now on also where it was worth keeping.
  void close();

  std::uint64_t max_object() const { return max_object_.load(std::memory_order_relaxed); }
  void limits(std::uint64_t max_object, std::uint64_t budget) {
    max_object_.store(max_object, std::memory_order_relaxed);
    budget_.store(budget, std::memory_order_relaxed);
  }

  // An object that could not be stored is not worth waiting for another's fetch: for a while its askers go
  // straight to the origin. A small lossy table; a wrong answer costs one uncollapsed request.
  void remember_passed(const KeyView& key, base::Mono now);
  bool passed_lately(const KeyView& key, base::Mono now) const;
  void forget_passed();

  std::uint64_t buffered() const { return buffered_.load(std::memory_order_relaxed); }
  std::size_t under_way() const { return flights_.size(); }

 private:
  friend class Fill;
  friend class Reader;
  bool reserve(std::uint64_t bytes);
  void release(std::uint64_t bytes) { buffered_.fetch_sub(bytes, std::memory_order_relaxed); }

  static constexpr std::size_t kPassedSlots = 8192;
  static constexpr base::Nanos kPassedFor = base::Seconds(30);
  struct Passed {
    std::atomic<std::uint64_t> hash{0};
    std::atomic<base::Nanos::rep> until{0};
  };

  std::atomic<std::uint64_t> max_object_;
  std::atomic<std::uint64_t> budget_;
  std::atomic<std::uint64_t> buffered_{0};
  std::atomic<bool> closing_{false};
  base::Account& account_;
  Store store_;
  void* context_;
  const Writes& writes_;
  std::array<Passed, kPassedSlots> passed_;

  net::FlightTable<Fill> flights_;
};

}  // namespace cache
