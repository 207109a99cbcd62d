#include "limit/leases.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "base/spin.h"

namespace limit {

namespace {

constexpr std::size_t kShards = 64;
constexpr std::size_t kWays = 4;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

constexpr base::Nanos kFarthest = base::Millis(250);  // round trips that are covered

std::int64_t ns(base::Mono at) {
  return at.time_since_epoch().count();
}

// A draw is sent when half of it is left, and takes a round trip.
std::int64_t horizon(base::Nanos round_trip) {
  return (Leases::kAhead + 2 * std::min(round_trip, kFarthest)).count();
}

}  // namespace

struct Leases::Lease {
  std::uint64_t key = 0;
  std::int64_t full_at = 0;  // Redis' bucket, by our clock; leased and borrowed tokens count as spent there
  std::int64_t refused_until = kNever;  // Redis had no more than it gave
  std::int64_t drawing_until = kNever;  // some worker draws ahead: no other need
  std::int64_t asked_at = 0;            // the last time that a new request asked
  std::int64_t used_at = kNever;        // the last time that anything happened; kNever: the place is free
  std::uint32_t gap = 0;                // ns between requests: a moving average, kUnused at most
  std::uint32_t tokens = 0;
  std::uint32_t reserved = 0;  // of these, for requests that have waited for them
  std::uint32_t owed = 0;      // requests that waited for the last draw and found nothing in it
  std::uint32_t borrowed = 0;  // tokens that Redis has not been asked for yet

  void asked(std::int64_t now) {
    const std::int64_t since = std::clamp<std::int64_t>(now - asked_at, 0, kUnused.count());
    gap = static_cast<std::uint32_t>(gap + (since - gap) / 4);
    asked_at = now;
  }
  // Void what was not used in time; what is owed stays owed until the bucket would be full whoever paid.
  void expire(const Quota& quota, std::int64_t now) {
    if (now - used_at <= kUnused.count()) return;
    tokens = reserved = 0;
    if (now - used_at > quota.window) borrowed = 0;
  }
  // Until the bucket would be full whoever paid.
  bool owes(std::int64_t now) const { return borrowed > 0 && full_at > now; }
  // What this caller will use until the next draw but one is here, if it goes on as it does.
  std::uint64_t ahead(std::uint64_t most, base::Nanos round_trip) const {
    if (gap == 0) return most;
    if (gap > kUnused.count() / 2) return 0;  // it would be void before it is used
    return std::min(most, static_cast<std::uint64_t>(horizon(round_trip)) / gap);
  }
  std::int64_t debt(const Quota& quota, std::int64_t now) const {
    return std::clamp<std::int64_t>(full_at - now - tokens * quota.interval, 0, quota.window);
  }
};
struct alignas(64) Leases::Shard {
  base::SpinLock lock;
  std::vector<Lease> places;

  Lease* set_of(std::uint64_t key) { return &places[(key / kShards) % (places.size() / kWays) * kWays]; }
  Lease* find(std::uint64_t key) {
    Lease* const set = set_of(key);
    for (std::size_t i = 0; i < kWays; ++i)
      if (set[i].key == key && set[i].used_at != kNever) return &set[i];
    return nullptr;
  }
  // In the place of the one that has been idle for longest, where there is no free one; of one that owes
  // Redis what it borrowed only where all four do.
  Lease& find_or_make(std::uint64_t key, std::int64_t now) {
    if (Lease* const found = find(key)) return *found;
    Lease* const set = set_of(key);
    Lease& lease = *std::ranges::min_element(
        set, set + kWays, {}, [now](const Lease& l) { return std::pair(l.owes(now), l.used_at); });
    lease = {};
    lease.key = key;
    lease.asked_at = lease.used_at = now;
    lease.gap = static_cast<std::uint32_t>(kUnused.count());
    return lease;
  }
};

Leases::Leases(std::uint64_t memory) : shards_(std::make_unique<Shard[]>(kShards)) {
  const std::size_t sets = std::max<std::size_t>(1, memory / kShards / (kWays * sizeof(Lease)));
  for (std::size_t i = 0; i < kShards; ++i) shards_[i].places.resize(sets * kWays);
}

Leases::~Leases() = default;

Leases::Shard& Leases::shard(std::uint64_t key) const {
  return shards_[key % kShards];
}

std::uint64_t Leases::largest(const Quota& quota, base::Nanos round_trip) {
  const std::int64_t span = horizon(round_trip);
  const auto by_rate = static_cast<std::uint64_t>(span / quota.interval);
  const double share = std::min(static_cast<double>(span) / static_cast<double>(kAhead.count()) / kBurstShare,
                                1.0 / kLargestBurstShare);
  return std::min(std::max<std::uint64_t>(1, by_rate),
                  static_cast<std::uint64_t>(static_cast<double>(quota.burst()) * share));
}

Leases::Taken Leases::take(std::uint64_t key, const Quota& quota, base::Mono at, const Asker& asker) {
  if (quota.burst() == 0) return {Outcome::kRefused, quota.window, 0};
  const std::int64_t now = ns(at);
  Shard& own = shard(key);
  const std::lock_guard lock(own.lock);
  Lease& lease = own.find_or_make(key, now);

  lease.expire(quota, now);
  lease.used_at = std::max(lease.used_at, now);
  if (!asker.again) lease.asked(now);

  const bool under_way = now < lease.drawing_until;
  const std::uint64_t ahead = under_way ? 0 : lease.ahead(largest(quota, asker.round_trip), asker.round_trip);
  Taken out;
  if (lease.tokens > (asker.again ? 0 : lease.reserved)) {
    --lease.tokens;
    if (asker.again && lease.reserved > 0) --lease.reserved;
    out.outcome = Outcome::kGranted;
    out.debt = lease.debt(quota, now);
    if (lease.tokens <= ahead / 2 && now >= lease.refused_until)
      out.refill = ahead - lease.tokens + lease.borrowed;
  } else if (now < lease.refused_until) {
    out.outcome = Outcome::kRefused;
    // A debt that says as much: when it is a whole interval below the window.
    out.debt = std::min(quota.window, lease.refused_until - now + quota.window - quota.interval);
  } else {
    out.debt = lease.debt(quota, now);
    if (asker.waits || !under_way) {
      out.refill = std::max<std::uint64_t>({1, ahead, lease.owed}) + lease.borrowed;
      lease.owed = 0;
    }
  }
  out.refill = std::min(out.refill, quota.burst());  // more is never there, and would look like exhaustion
  if (out.refill > 0 && (ahead > 0 || !asker.waits)) lease.drawing_until = now + horizon(asker.round_trip);
  return out;
}

Leases::Taken Leases::borrow(std::uint64_t key, const Quota& quota, base::Mono at) {
  const std::int64_t now = ns(at);
  Shard& own = shard(key);
  const std::lock_guard lock(own.lock);
  Lease& lease = own.find_or_make(key, now);
  const std::int64_t full_at = std::max(lease.full_at, now) + quota.interval;
  if (full_at - now > quota.window) return {Outcome::kRefused, full_at - quota.interval - now, 0};
  lease.full_at = full_at;
  ++lease.borrowed;
  return {Outcome::kGranted, lease.debt(quota, now), 0};
}

void Leases::give_back(std::uint64_t key, const Quota& quota) {
  Shard& own = shard(key);
  const std::lock_guard lock(own.lock);
  Lease* const lease = own.find(key);
  if (!lease) return;
  if (lease->borrowed == 0) {
    ++lease->tokens;
  } else {
    --lease->borrowed;
    lease->full_at -= quota.interval;
  }
}

void Leases::put(std::uint64_t key, const Quota& quota, std::uint64_t asked, std::uint64_t granted,
                 std::int64_t debt, std::uint64_t waiting, base::Mono at) {
  const std::int64_t now = ns(at);
  Shard& own = shard(key);
  const std::lock_guard lock(own.lock);
  Lease& lease = own.find_or_make(key, now);
  lease.expire(quota, now);
  const auto paid = static_cast<std::uint32_t>(std::min<std::uint64_t>(granted, lease.borrowed));
  const std::uint64_t left = granted - paid;
  // The rest is owed as far as there is room for it: what was borrowed while the bucket was full has come
  // back.
  const std::int64_t room = std::max<std::int64_t>(quota.window - debt, 0) / quota.interval;
  lease.borrowed = static_cast<std::uint32_t>(std::min<std::int64_t>(lease.borrowed - paid, room));
  lease.tokens += static_cast<std::uint32_t>(left);
  lease.reserved = static_cast<std::uint32_t>(std::min<std::uint64_t>(lease.tokens, waiting));
  lease.owed = static_cast<std::uint32_t>(waiting - lease.reserved);
  lease.full_at = now + debt + lease.borrowed * quota.interval;
  lease.drawing_until = kNever;
  lease.used_at = std::max(lease.used_at, now);
  if (granted >= asked) {
    lease.refused_until = kNever;
    return;
  }
  // Not asked again for each single token of a high rate, but when there is a lease of them.
  const std::int64_t next = std::max<std::int64_t>(debt + quota.interval - quota.window, 0);
  const std::uint64_t more = std::max<std::uint64_t>(largest(quota), 1) - 1;
  lease.refused_until = now + next + static_cast<std::int64_t>(more) * quota.interval;
}

}  // namespace limit
