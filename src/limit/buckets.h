// Token buckets by GCRA in a table of fixed size: one number a bucket, and a bound on memory whoever calls.
//
// A bucket is the time at which it will be full again ("theoretical arrival time"). A request moves that time
// one interval ahead, and is refused where that would be more than a whole window (burst × interval) from
// now. So nothing has to run to refill it: a bucket whose time has passed is full, and a full bucket needs no
// memory.
//
// Owner:    limit::Rates and limit::Failures: one table each for the process, surviving reloads.
// Thread:   any. A stripe's spin lock is held for one probe of eight neighbours (two cache lines); resize()
//           holds each stripe once for as long as its entries take to move (measured: limit_bench).
// Units:    nanoseconds of base::Mono; bytes.
// Failure:  the constructor throws std::bad_alloc; resize() says false and nothing has changed. Nothing else
//           fails, nothing else allocates.
//
// What is exact: a bucket that is in the table admits at most burst + rate × T in any T, however many threads
// ask, and never refuses a caller that stays below its rate. (The interval is rounded up to whole
// nanoseconds: nothing beyond 10^9/s can be told apart, and a limit of n/s lets through up to n/10^9 of
// itself less.)
//
// What is not, under a flood: a key is one of eight places in its set. A new key takes, in this order, a free
// place, one whose bucket is full (nothing is lost), else that of the bucket which would be full soonest.
// Whoever owned that gets a full bucket next time: at most that bucket's remaining wait is given away, and it
// was the smallest in the set. Hence, with m bytes, which are m/16 places:
//   - of m/64 buckets that are less than full at one time about one in 7,000 is lost (of principals, see
//     below,
//     three in 1,000), of m/128 hardly any;
//   - beyond that the most exhausted survive: a stranger's bucket with one token gone goes before that of a
//     caller at its limit, which goes only where all eight of its set are at theirs.
// Two classes: keys that only a verified token can make (kVerified) are never displaced by others while they
// are less than full, and may hold six of the eight places. So a flood of addresses takes nothing from a
// principal.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/spin.h"
#include "config/model.h"

namespace limit {

// A rate as buckets count it.
struct Quota {
  static constexpr std::int64_t kLongest = std::int64_t{1} << 61;  // 73 years: a window is no longer

  std::int64_t interval = 1;  // ns until a token comes back; at least 1
  std::int64_t window = 0;    // ns until an empty bucket is full: burst × interval; 0: refuses everything

  static Quota of(const config::Rate& rate, std::uint64_t burst);

  std::uint64_t burst() const { return static_cast<std::uint64_t>(window / interval); }
  // Of a bucket that is full after `debt`: ns until it has a token.
  std::int64_t until_token(std::int64_t debt) const {
    return std::max<std::int64_t>(debt + interval - window, 0);
  }
};

// How a bucket stands after it was asked.
struct Level {
  bool granted = false;
  std::int64_t debt = 0;  // ns until it is full: 0 to quota.window
};

// One bucket. What keeps it says how it is locked.
struct Gcra {
  // Workers read the time once a turn, so that one may be behind another's stamp. Only a bucket that is
  // further ahead of its window than this was filled under another rate, and is cut back to the window.
  static constexpr std::int64_t kSkew = 1'000'000'000;

  // Takes nothing, but cuts back what `quota` cannot owe.
  static Level look(std::int64_t& full_at, const Quota& quota, std::int64_t now) {
    if (full_at - now > quota.window + kSkew) full_at = now + quota.window;
    const std::int64_t debt = std::clamp<std::int64_t>(full_at - now, 0, quota.window);
    return {debt + quota.interval <= quota.window, debt};
  }
  static Level take(std::int64_t& full_at, const Quota& quota, std::int64_t now) {
    Level level = look(full_at, quota, now);
    if (level.granted) {
      level.debt += quota.interval;
      full_at = now + level.debt;
    }
    return level;
  }
};

// A bucket that everybody shares: of a policy without address and principal. Never evicted.
class SingleBucket {
 public:
  Level take(const Quota& quota, base::Mono now);
  Level look(const Quota& quota, base::Mono now);  // takes nothing
  void give_back(const Quota& quota);              // what a take() of a moment ago was granted

 private:
  Level apply(Level (*ask)(std::int64_t&, const Quota&, std::int64_t), const Quota& quota, base::Mono now);

  std::atomic<std::int64_t> full_at_{0};
};

struct BucketStats {
  std::uint64_t entries = 0;    // places in use, by buckets that may have become full since
  std::uint64_t capacity = 0;   // places
  std::uint64_t reclaimed = 0;  // full buckets whose place was taken
  std::uint64_t evicted = 0;    // others: each of these may have let a caller begin anew
};

class Buckets {
 public:
  enum class Class : std::uint8_t { kStranger, kVerified };
  struct Key {
    std::uint64_t hash = 0;  // keyed (base::siphash): strangers choose what is hashed
    Class kind = Class::kStranger;
  };

  static constexpr std::size_t kStripes = 256;
  static constexpr std::uint64_t kLeast = kStripes * 4096;  // bytes; less is taken for this much

  explicit Buckets(std::uint64_t memory);
  ~Buckets();
  Buckets(const Buckets&) = delete;
  Buckets& operator=(const Buckets&) = delete;

  Level take(Key key, const Quota& quota, base::Mono now);
  Level look(Key key, const Quota& quota, base::Mono now);
  void give_back(Key key, const Quota& quota);

  // Keeps what fits, the emptiest buckets first. For the one thread that reloads; others go on meanwhile.
  // False: the system has not so much memory.
  bool resize(std::uint64_t memory, base::Mono now);
  BucketStats stats() const;

 private:
  struct Set;
  struct Stripe;

  Stripe& stripe(Key key) const;

  std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace limit
