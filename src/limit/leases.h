// Tokens drawn from Redis ahead of need, for all workers: the table that lets most requests be decided
// without asking Redis. Pure: no sockets, and the time is given.
//
// Owner:    SharedBuckets, one for the process.
// Thread:   any. A shard's spin lock is held for one probe of four neighbours.
// Lifetime: surviving reloads: leases are found by policy and caller.
// Units:    nanoseconds of base::Mono; tokens are requests; bytes.
// Failure:  the constructor throws std::bad_alloc; nothing else fails, nothing else allocates.
//
// Redis alone decides, but for what is borrowed: every other request that is granted here has had its token
// taken there. So however many instances share a limit, together they never admit more than it. What they may
// admit less is what leases lose:
//   - a lease unused for kUnused is void, so that an idle instance does not hold back what others could use,
//     nor spend it much later;
//   - a lease whose place another key took under a flood.
// Both are bounded by the size of a lease: what this caller uses in 20 ms and two round trips to Redis,
// judged by its pace; at most so much of the rate, and 1/32 of the burst, or, with a Redis that is far away,
// up to a quarter. A caller that comes rarely (less than 50 times a second here), or whose burst is below 32,
// gets its tokens one at a time, each a round trip: nothing is drawn ahead that might be lost.
//
// Who cannot wait for Redis any longer borrows: the bucket there is judged by its last answer and by what was
// spent since, and the next draw pays. So a slow Redis admits what a fast one does, except for what several
// instances borrow within the same round trip, and for what is owed by a lease whose place another key took:
// such a place goes last, when all four of its set owe something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "limit/buckets.h"

namespace limit {

class Leases {
 public:
  static constexpr base::Nanos kUnused = base::Millis(100);
  static constexpr base::Nanos kAhead = base::Millis(20);
  static constexpr std::uint64_t kBurstShare = 32;  // of a burst, at most so small a part is drawn ahead
  static constexpr std::uint64_t kLargestBurstShare = 4;  // … from a Redis that is far away

  enum class Outcome : std::uint8_t { kGranted, kRefused, kEmpty };
  struct Taken {
    Outcome outcome = Outcome::kEmpty;
    std::int64_t debt = 0;     // ns until the bucket is full, as far as known here; see limit::Level
    std::uint64_t refill = 0;  // tokens that should be drawn now; kEmpty: at least 1
  };

  explicit Leases(std::uint64_t memory);
  ~Leases();
  Leases(const Leases&) = delete;
  Leases& operator=(const Leases&) = delete;

  struct Asker {
    base::Nanos round_trip{0};  // to Redis, as seen lately
    bool again = false;         // was counted before, and has waited for a draw: its tokens are kept for such
    bool waits = true;          // false: borrows, so that a draw by another worker is as good as its own
  };
  Taken take(std::uint64_t key, const Quota& quota, base::Mono now, const Asker& asker);
  // After kEmpty, instead of waiting; granted or refused.
  Taken borrow(std::uint64_t key, const Quota& quota, base::Mono now);
  void give_back(std::uint64_t key, const Quota& quota);

  // Redis' answer to a draw: `granted` of `asked` tokens, and its bucket's debt after that; `waiting`
  // requests wait for it here.
  void put(std::uint64_t key, const Quota& quota, std::uint64_t asked, std::uint64_t granted,
           std::int64_t debt, std::uint64_t waiting, base::Mono now);

  // The most that is drawn ahead of a limit; 0: nothing.
  static std::uint64_t largest(const Quota& quota, base::Nanos round_trip = {});

 private:
  struct Lease;
  struct Shard;
  Shard& shard(std::uint64_t key) const;

  std::unique_ptr<Shard[]> shards_;
};

}  // namespace limit
