#include "cache/figures.h"

#include <algorithm>

namespace cache {

void expose(telemetry::Page& page, const Memory& memory, const Fills& fills, const Loans& loans,
            const base::Account& account) {
  const MemoryStats stats = memory.stats();
  page.single("sekisho_cache_entries", "gauge", "Objects in memory.", stats.entries);
  page.single("sekisho_cache_bytes", "gauge", "Bytes in memory: keys, heads and bodies.", stats.bytes);
  page.single("sekisho_cache_capacity_bytes", "gauge", "Bytes that the cache may hold.", stats.capacity);
  page.single("sekisho_cache_evictions_total", "counter", "Objects that gave way to others.",
              stats.evictions);
  page.single("sekisho_cache_invalidations_total", "counter", "Objects that a write made old.",
              stats.invalidations);
  page.single("sekisho_cache_fills_active", "gauge", "Fetches into the cache under way.", fills.under_way());
  page.single("sekisho_cache_fill_bytes", "gauge", "Bytes buffered by fills under way.", fills.buffered());

  // What neither the cache nor a fetch counts of the objects is kept by replies alone.
  using Kind = base::Account::Kind;
  const std::uint64_t objects = account.held(Kind::kObjects);
  const std::uint64_t counted = std::min(objects, stats.bytes + fills.buffered());
  page.family("sekisho_memory_held_bytes", "gauge",
              "Bytes held for clients, by who holds them; replies: objects that only they still keep.");
  page.sample({{"by", "cache"}}, std::min(objects, stats.bytes));
  page.sample({{"by", "fetches"}}, counted - std::min(objects, stats.bytes));
  page.sample({{"by", "replies"}}, objects - counted);
  page.sample({{"by", "bodies"}}, account.held(Kind::kBodies));
  page.sample({{"by", "buffers"}}, account.held(Kind::kBuffers));
  page.single("sekisho_memory_limit_bytes", "gauge", "Bytes that may be held for clients.", account.limit());
  page.single("sekisho_slow_readers_cut_total", "counter", "Replies that were cut to get their memory back.",
              loans.recalled());
}

}  // namespace cache
