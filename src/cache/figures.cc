#include "cache/figures.h"

namespace cache {

void expose(telemetry::Page& page, const Memory& memory, const Fills& fills) {
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
}

}  // namespace cache
