#include "limit/buckets.h"

#include <sys/mman.h>

#include <mutex>
#include <new>
#include <utility>

#include "telemetry/counter.h"

namespace limit {

namespace {
constexpr std::size_t kWays = 8;      // places in a set
constexpr std::size_t kVerified = 6;  // of them for keys of verified tokens, at most
constexpr std::uint64_t kPage = 4096;

std::int64_t ns(base::Mono t) {
  return t.time_since_epoch().count();
}
}  // namespace

Quota Quota::of(const config::Rate& rate, std::uint64_t burst) {
  if (rate.count == 0 || rate.per.count() <= 0) return {kLongest, 0};
  const auto per = static_cast<std::uint64_t>(rate.per.count());
  const std::uint64_t interval =
      std::min<std::uint64_t>(per / rate.count + (per % rate.count != 0), kLongest);
  std::uint64_t window = 0;
  if (__builtin_mul_overflow(interval, burst, &window) || window > kLongest) window = kLongest;
  return {static_cast<std::int64_t>(interval), static_cast<std::int64_t>(window)};
}

Level SingleBucket::take(const Quota& quota, base::Mono now) {
  return apply(Gcra::take, quota, now);
}

Level SingleBucket::look(const Quota& quota, base::Mono now) {
  return apply(Gcra::look, quota, now);
}

Level SingleBucket::apply(Level (*ask)(std::int64_t&, const Quota&, std::int64_t), const Quota& quota,
                          base::Mono now) {
  std::int64_t seen = full_at_.load(std::memory_order_relaxed);
  while (true) {
    std::int64_t full_at = seen;
    const Level level = ask(full_at, quota, ns(now));
    if (full_at == seen || full_at_.compare_exchange_weak(seen, full_at, std::memory_order_relaxed))
      return level;
  }
}

void SingleBucket::give_back(const Quota& quota) {
  full_at_.fetch_sub(quota.interval, std::memory_order_relaxed);
}

// ---- the table

// The hash of a key is used from its top: 8 bits for the stripe, 32 for the set, and all but the lowest are
// kept.
struct alignas(128) Buckets::Set {
  std::uint64_t keys[kWays];  // 0: free; the lowest bit tells the class
  std::int64_t full_at[kWays];

  static std::uint64_t stored(Key key) {
    const std::uint64_t kept = key.hash & ~std::uint64_t{1};
    return (kept ? kept : 2) | (key.kind == Class::kVerified);
  }
  static bool verified(std::uint64_t stored) { return stored & 1; }

  std::int64_t* find(std::uint64_t key) {
    for (std::size_t i = 0; i < kWays; ++i)
      if (keys[i] == key) return &full_at[i];
    return nullptr;
  }

  // Where a new key goes; see the header for who makes way.
  std::size_t victim(std::uint64_t key, std::int64_t now) const {
    std::size_t vacant = kWays, stranger = kWays, known = kWays, known_count = 0;
    for (std::size_t i = 0; i < kWays; ++i) {
      if (keys[i] == 0 || full_at[i] <= now) {
        if (vacant == kWays || (keys[i] == 0 && keys[vacant] != 0)) vacant = i;
        continue;
      }
      std::size_t& soonest = verified(keys[i]) ? known : stranger;
      known_count += verified(keys[i]);
      if (soonest == kWays || full_at[i] < full_at[soonest]) soonest = i;
    }
    if (verified(key) && known_count >= kVerified) return known;
    if (vacant != kWays) return vacant;
    // Verified keys hold six places; seen by a clock that is behind they may hold all.
    return stranger != kWays ? stranger : known;
  }
};

// A piece of the table with a lock of its own. While it is resized, keys below `moved` live in `next`
// already.
struct alignas(telemetry::kCacheLine) Buckets::Stripe {
  struct Region {
    Set* sets = nullptr;
    std::uint64_t count = 0;

    static Region map(std::uint64_t memory) {
      const std::uint64_t bytes = std::max(memory / kStripes / kPage, std::uint64_t{1}) * kPage;
      // Fresh from the system, so that it is zero and costs no memory before it is used.
      void* const p = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (p == MAP_FAILED) throw std::bad_alloc();
      return {static_cast<Set*>(p), bytes / sizeof(Set)};
    }
    void unmap() {
      if (sets) ::munmap(sets, count * sizeof(Set));
      sets = nullptr;
    }
    Set& of(std::uint64_t position) const { return sets[position * count >> 32]; }
  };

  static std::uint64_t position(std::uint64_t hash) { return (hash >> 24) & 0xffff'ffff; }
  Set& set(std::uint64_t hash) const {
    const std::uint64_t at = position(hash);
    return (at < moved ? next : current).of(at);
  }

  // Puts the key in; what it takes the place of is counted.
  void put(Set& set, std::size_t way, std::uint64_t key, std::int64_t full_at, std::int64_t now) {
    if (set.keys[way] == 0)
      ++entries;
    else
      ++(set.full_at[way] <= now ? reclaimed : evicted);
    set.keys[way] = key;
    set.full_at[way] = full_at;
  }

  void move_set(Set& from, std::int64_t now);

  mutable base::SpinLock lock;
  Region current, next;
  std::uint64_t moved = 0;  // position; 0 when nothing is being resized
  std::uint64_t entries = 0, reclaimed = 0, evicted = 0;
};

// One of the old region, with the lock held. Where the new set is full the emptier bucket stays.
void Buckets::Stripe::move_set(Set& from, std::int64_t now) {
  for (std::size_t i = 0; i < kWays; ++i) {
    const std::uint64_t key = from.keys[i];
    if (key == 0) continue;
    --entries;
    if (from.full_at[i] <= now) continue;
    Set& to = next.of(position(key));
    const std::size_t way = to.victim(key, now);
    if (to.keys[way] != 0 && to.full_at[way] > from.full_at[i])
      ++evicted;
    else
      put(to, way, key, from.full_at[i], now);
  }
}

Buckets::Buckets(std::uint64_t memory) : stripes_(std::make_unique<Stripe[]>(kStripes)) {
  for (std::size_t i = 0; i < kStripes; ++i) stripes_[i].current = Stripe::Region::map(memory);
}

Buckets::~Buckets() {
  for (std::size_t i = 0; i < kStripes; ++i) stripes_[i].current.unmap();
}

Buckets::Stripe& Buckets::stripe(Key key) const {
  return stripes_[key.hash >> 56];
}

Level Buckets::take(Key key, const Quota& quota, base::Mono now) {
  Stripe& in = stripe(key);
  const std::uint64_t stored = Set::stored(key);
  const std::lock_guard lock(in.lock);
  Set& set = in.set(key.hash);
  if (std::int64_t* full_at = set.find(stored)) return Gcra::take(*full_at, quota, ns(now));
  std::int64_t full_at = ns(now);
  const Level level = Gcra::take(full_at, quota, ns(now));
  if (level.granted) in.put(set, set.victim(stored, ns(now)), stored, full_at, ns(now));
  return level;
}

Level Buckets::look(Key key, const Quota& quota, base::Mono now) {
  Stripe& in = stripe(key);
  const std::lock_guard lock(in.lock);
  std::int64_t full = ns(now);
  std::int64_t* const full_at = in.set(key.hash).find(Set::stored(key));
  return Gcra::look(full_at ? *full_at : full, quota, ns(now));
}

void Buckets::give_back(Key key, const Quota& quota) {
  Stripe& in = stripe(key);
  const std::lock_guard lock(in.lock);
  if (std::int64_t* full_at = in.set(key.hash).find(Set::stored(key))) *full_at -= quota.interval;
}

bool Buckets::resize(std::uint64_t memory, base::Mono now) {
  // All of it is asked for before anything is changed; it is address space until the entries come.
  std::array<Stripe::Region, kStripes> next;
  try {
    for (auto& region : next) region = Stripe::Region::map(memory);
  } catch (const std::bad_alloc&) {
    for (auto& region : next) region.unmap();
    return false;
  }
  for (std::size_t i = 0; i < kStripes; ++i) {
    Stripe& in = stripes_[i];
    if (next[i].count == in.current.count) {
      next[i].unmap();
      continue;
    }
    {
      const std::lock_guard lock(in.lock);
      in.next = next[i];
    }
    for (std::uint64_t s = 0; s < in.current.count; ++s) {  // a set at a time, so that nobody waits for long
      const std::lock_guard lock(in.lock);
      in.move_set(in.current.sets[s], ns(now));
      // The first position whose set is a later one.
      in.moved = (((s + 1) << 32) + in.current.count - 1) / in.current.count;
    }
    Stripe::Region old;
    {
      const std::lock_guard lock(in.lock);
      old = std::exchange(in.current, std::exchange(in.next, {}));
      in.moved = 0;
    }
    old.unmap();
  }
  return true;
}

BucketStats Buckets::stats() const {
  BucketStats out;
  for (std::size_t i = 0; i < kStripes; ++i) {
    const Stripe& in = stripes_[i];
    const std::lock_guard lock(in.lock);
    out.entries += in.entries;
    out.capacity += in.current.count * kWays;
    out.reclaimed += in.reclaimed;
    out.evicted += in.evicted;
  }
  return out;
}

}  // namespace limit
