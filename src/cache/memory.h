// The memory tier: complete replies, bounded in bytes, kept by S3-FIFO.
//
// Owner:    the process; one for all workers, surviving reloads.
// Thread:   any. find() takes one shard's lock for the few dozen nanoseconds of a probe; whoever inserts or
//           evicts takes the queue lock, and shard locks one at a time inside it. So eviction never holds up
//           a reader for longer than one index operation, and memory is freed after the locks are dropped.
// Lifetime: an entry found stays valid for as long as its Ref, evicted or not.
// Failure:  put() says false for what it will not keep. Nothing else fails. Units: bytes of Entry::cost().
//
// S3-FIFO (Yang et al., SOSP '23: "FIFO queues are all you need for cache eviction") keeps three queues:
//
//   new ──► small (10 % of the bytes) ──used──► main ──unused──► out
//             │                                 ▲  ▲ │
//             └──unused──► ghost (hashes only) ─┘  └─┘ used: once more around, one use less
//                                     asked again
//
// Most objects of a scan are asked for once. They leave through the small queue without touching what main
// holds; the ghost remembers them, so that one that comes back goes straight to main. A hit only counts up a
// two-bit counter: no list moves, so readers share nothing but the counter.
//
// The bound is one for the whole process, not a share a shard: an object of 16 MiB fits a cache of 64 MiB
// whatever shard its hash falls into, and the order of eviction is that of one cache.
//
// Usage:    Memory memory(256 << 20);
//           if (auto entry = memory.find(key, base::mono_now())) return reply(*entry);
//           … memory.put(Entry::make(parts));
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/ref.h"
#include "cache/entry.h"
#include "cache/key.h"
#include "cache/writes.h"

namespace cache {

struct MemoryStats {
  std::uint64_t entries = 0, bytes = 0, capacity = 0;
  std::uint64_t hits = 0, misses = 0;           // a stale entry is a miss
  std::uint64_t insertions = 0, evictions = 0;  // replaced and erased entries are no evictions
  std::uint64_t invalidations = 0;              // entries that a write made old
};

class Memory {
 public:
  explicit Memory(std::uint64_t capacity);  // 0: keeps nothing
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // The fresh entry of this key, or none. Does not allocate.
  base::Ref<const Entry> find(const KeyView& key, base::Mono now);

  // Keeps the entry, in the place of the one with the same key if there is one. False when it is larger than
  // the cache, or so large that it would push everything else off probation and is asked for the first time,
  // or when its resource was written after it was asked for.
  bool put(base::Ref<const Entry> entry);

  bool holds(const Entry& entry) const;  // this very one
  bool erase(const KeyView& key);
  // The resource was written: all its entries go, and what was asked for before now does not come in any
  // more.
  void invalidate(Resource resource);
  const Writes& writes() const { return writes_; }
  void clear();
  void resize(std::uint64_t capacity);  // evicts what no longer fits
  MemoryStats stats() const;

 private:
  struct Shard;
  struct Queues;

  void trim();

  std::unique_ptr<Shard[]> shards_;
  std::unique_ptr<Queues> queues_;
  Writes writes_;
};

}  // namespace cache
