// What rate limits a route has, compiled: and how a caller stands with them.
//
// Owner:    Policies: gateway::Snapshot, one for each route. Standing: the exchange.
// Thread:   Policies are immutable; counters in them are shared by all threads. A Standing is its exchange's.
// Lifetime: a Standing points into the Policies it was checked against: no longer than the snapshot.
// Units:    nanoseconds; tokens are requests.
//
// A limit keeps its buckets over a reload by its name and what it counts by; a changed rate holds for them at
// once.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "limit/buckets.h"
#include "telemetry/counter.h"

namespace limit {

inline constexpr std::size_t kMaxPolicies = 4;  // of one route, those of `limits.rates` included

// Of one policy name, over all routes and reloads. In slots, so that workers do not share a cache line.
class Tally {
 public:
  void allowed() { slot().allowed.add(); }
  void refused() { slot().refused.add(); }
  std::uint64_t read_allowed() const;
  std::uint64_t read_refused() const;

 private:
  struct alignas(telemetry::kCacheLine) Slot {
    telemetry::SharedCounter allowed, refused;
  };
  static constexpr std::size_t kSlots = 16;
  Slot& slot();

  std::array<Slot, kSlots> slots_;
};

struct Policy {
  std::string name;
  std::uint64_t id =
      0;  // of name, `per` and, with `route` in it, the route's path; the same in every process
  Quota quota;
  bool by_address = false;
  bool by_principal = false;  // a caller without one is counted by its address
  bool shared = false;        // asked of SharedBuckets

  std::shared_ptr<SingleBucket> single;  // when it counts neither by address nor by principal
  std::shared_ptr<Tally> tally;
  std::string item;  // `"name"`, as a structured field's string (RFC 9651 §3.3.3)
};

struct Policies {
  std::vector<Policy> list;  // at most kMaxPolicies; those that are not shared come first
  std::uint8_t ipv6_prefix = 64;
  std::string policy_field;  // `RateLimit-Policy: "name";q=100;w=60\r\n`, of all

  bool empty() const { return list.empty(); }
};

// Who is limited. Views need to live for the call only.
struct Caller {
  std::array<std::uint8_t, 16> address{};  // IPv4 as ::ffff:a.b.c.d; as trusted proxies tell it
  std::string_view issuer, subject;        // both empty: no principal
};

struct Standing {
  enum class Outcome : std::uint8_t {
    kGranted,  // one token of every policy is taken
    kRefused,  // none is
    kWait,     // none is; await Rates::wait() and check again
  };

  struct Item {
    const Policy* policy = nullptr;
    Buckets::Key key;       // of the caller's bucket, where it has one of its own
    std::int64_t debt = 0;  // ns until the bucket is full; what the methods below are made of
    bool refused = false;
    bool taken = false;  // a token of it, that a refusal by another gives back
    bool drawn = false;  // from Redis, not from the local bucket

    std::uint64_t remaining() const;  // tokens
    base::Nanos retry_after() const;  // until there is a token
    // For how long `remaining` must last: until the bucket is full again, but no shorter than spending it at
    // the limit's own rate takes; with none left, until the next. (draft §4.1.2, §8.5)
    base::Nanos reset() const;
  };

  const Policies* policies = nullptr;  // null: nothing was checked
  Outcome outcome = Outcome::kGranted;
  std::uint8_t count = 0;
  std::uint8_t at = 0;      // kRefused: the item with the longest retry_after; kWait: the one to wait for
  base::Mono wait_until{};  // of a request that waited, or has to: when its patience ends
  std::array<Item, kMaxPolicies> items;

  std::span<const Item> all() const { return {items.data(), count}; }
  const Item& decisive() const { return items[at]; }
  base::Nanos retry_after() const {
    return outcome == Outcome::kRefused ? decisive().retry_after() : base::Nanos(0);
  }
};

}  // namespace limit
