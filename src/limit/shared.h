// Rate limits that instances share through Redis.
//
// Owner:    SharedBuckets: the process, surviving reloads. SharedLink: a worker, beside its
//           redis::Connection.
// Thread:   SharedBuckets any; a SharedLink its worker's own.
// Lifetime: a link's connection outlives it; the link dies when nobody waits on it and its connection was
//           stopped.
// Failure:  kLost, and never an error: Redis is down, answers errors, or our pipeline to it is full. Whoever
//           asks then takes the local bucket of the same policy, so that with N instances N times the limit
//           may pass until Redis is back. Counted (fallbacks), logged once each time.
// Units:    nanoseconds; tokens are requests.
//
// draw() is plain and normally decides at once, from a lease (leases.h). When the lease runs low it sends for
// more in the background, one draw under way for each caller and worker, early and large enough for the round
// trip that is seen. kWait: the lease is empty and a draw is under way; a round trip decides, for those who
// wait in the order in which they came. When Redis has said "empty until t", refusals are immediate until
// then.
//
// A request waits for kPatience in all, and not at all for a Redis that is farther away, or that owes an
// answer for longer: then it borrows (leases.h; counted as a fallback as well).
//
// In Redis: one number for each bucket, the time at which it is full (GCRA by Redis' own clock), under
// `<prefix>rate:<policy id>:<SHA-256 of the caller, cut>`, which expires when the bucket is full. Redis never
// sees an address or a principal. A Redis that loses its data (restart, eviction) gives everybody a full
// bucket.
//
//   redis_options.greeting.prelude = limit::SharedLink::prelude();
//   limit::SharedLink link(shared, connection, "sekisho:", metrics);   // in the worker
//
//   const auto answer = link->draw(policy, key, parts, now, until);  // until: not set the first time
//   switch (answer.draw) {
//     case Draw::kGranted: go on
//     case Draw::kRefused: 429; answer.debt tells for how long
//     case Draw::kWait:    until = until or now + link->patience();
//                          co_await link->wait_for_lease(policy, key, until, &x.gone); then draw again
//     case Draw::kLost:    buckets.take(key, policy.quota, now)
//   }
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "limit/buckets.h"
#include "limit/leases.h"
#include "limit/policy.h"
#include "net/loop.h"
#include "net/task.h"
#include "redis/connection.h"
#include "telemetry/counter.h"

namespace limit {

enum class Draw : std::uint8_t { kGranted, kRefused, kWait, kLost };

// What one worker's link counts; one writer, its worker.
struct SharedMetrics {
  telemetry::Counter leases;     // draws from Redis that were answered
  telemetry::Counter waits;      // requests that waited for one
  telemetry::Counter fallbacks;  // decisions made here, since Redis did not answer, or not in time
};

class SharedBuckets {
 public:
  explicit SharedBuckets(std::uint64_t memory) : leases_(memory) {}  // bytes of leases
  Leases& leases() { return leases_; }

 private:
  Leases leases_;
};

class SharedLink {
 public:
  static constexpr base::Nanos kPatience = base::Millis(40);
  static constexpr base::Nanos kDistrust = base::Seconds(1);  // after an error that Redis answered

  struct Answer {
    Draw draw = Draw::kLost;
    std::int64_t debt = 0;  // of kGranted and kRefused: ns until the bucket is full, see limit::Level
  };

  SharedLink(SharedBuckets& shared, redis::Connection& redis, std::string prefix, SharedMetrics& metrics,
             base::Nanos patience = kPatience);
  ~SharedLink();
  SharedLink(const SharedLink&) = delete;
  SharedLink& operator=(const SharedLink&) = delete;

  // For redis::Greeting: loads the script.
  static std::vector<std::vector<std::string>> prelude();

  // `key`: of the caller and the policy together, in this process. `parts`: what the caller's bucket is known
  // by, the same in every instance, in the same order; read only when Redis has to be asked. None: the one
  // bucket of the policy. `until`: of a request that has waited, when its patience ends.
  Answer draw(const Policy& policy, Buckets::Key key, std::span<const std::string_view> parts, base::Mono now,
              base::Mono until = {});
  // What a draw() of a moment ago granted.
  void give_back(const Policy& policy, Buckets::Key key);
  // After kWait: until there is an answer, the time is over, or the request is cancelled. Then draw again.
  net::Task<> wait_for_lease(const Policy& policy, Buckets::Key key, base::Mono until, net::Cancel* cancel);
  base::Nanos patience() const { return patience_; }

 private:
  struct Refill;
  struct Waiter;
  class Digest;

  bool slow(base::Mono now) const;
  Answer lost();
  Answer borrow(const Policy& policy, Buckets::Key key, base::Mono now);
  Refill* find(std::uint64_t key) const;
  bool refill(const Policy& policy, std::uint64_t key, std::span<const std::string_view> parts,
              std::uint64_t tokens, base::Mono now);
  base::Result<> send(Refill& refill, bool whole_script);
  void answered(Refill& refill, redis::Reply* reply);
  void distrust(std::string_view error);
  void enqueue(Refill& refill);
  void retire(Refill& refill);

  static constexpr std::size_t kHeads = 256;

  SharedBuckets& shared_;
  redis::Connection& redis_;
  const std::string prefix_;
  SharedMetrics& metrics_;
  const base::Nanos patience_;
  std::unique_ptr<Digest> digest_;
  std::vector<std::unique_ptr<Refill>> refills_;  // all there have ever been at one time
  Refill* spare_ = nullptr;
  std::array<Refill*, kHeads> by_key_{};          // those under way
  Refill *oldest_ = nullptr, *newest_ = nullptr;  // the same, as sent
  base::Mono distrust_until_{};
  bool lost_ = false;  // and said so
};

}  // namespace limit
