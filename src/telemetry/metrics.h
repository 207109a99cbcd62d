// What a worker counts of connections, requests, origins and its loop.
//
// Owner:    the worker; cli::Workers, which outlives it, for scrapes.
// Thread:   one writer, its worker; the scrape reads it from another thread (counter.h).
// Lifetime: that of the process: a scrape may come at any time.
// Failures: none; labels out of range cannot be written, since they are enums and interned ids.
//
// Nothing here is looked up by name: a counter is reached by index. The families stand in exposition.cc;
// others than the walk keep counters and families of their own (page.h).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error_table.h"
#include "telemetry/counter.h"
#include "telemetry/histogram.h"
#include "telemetry/labels.h"

namespace telemetry {

template <class Enum>
inline constexpr std::size_t kSize = static_cast<std::size_t>(Enum::kCount);

// An array that is indexed by an enum, which is why it cannot be indexed wrongly.
template <class Enum, class T>
class PerEnum {
 public:
  T& operator[](Enum e) { return items_[static_cast<std::size_t>(e)]; }
  const T& operator[](Enum e) const { return items_[static_cast<std::size_t>(e)]; }

 private:
  std::array<T, kSize<Enum>> items_{};
};

using base::OriginOutcome;
using base::Outcome;
enum class Phase : std::uint8_t { kIdentity, kLimit, kCache, kBody, kOrigin, kRespond, kCount };
enum class CacheResult : std::uint8_t {
  kHit,
  kMiss,       // fetched, whether or not it was stored
  kCollapsed,  // waited for another request's fetch
  kBypass,     // the cache was not asked
  kCount
};
enum class OriginConnection : std::uint8_t { kOpened, kReused, kRetried, kCount };
enum class Verification : std::uint8_t { kVerified, kRemembered, kFailed, kCount };
enum class Refusal : std::uint8_t {  // of a connection
  kLimit,
  kAddress,      // too many of one address
  kDescriptors,  // none is left for one more
  kError,
  kUntrustedProxy,  // a stranger at a listener with proxy_protocol
  kProxyHeader,     // a proxy whose header could not be read, or did not come
  kCount
};

std::string_view label(Outcome);
std::string_view label(Phase);
std::string_view label(CacheResult);  // also the access log's and Cache-Status' word
std::string_view label(OriginOutcome);
std::string_view label(OriginConnection);
std::string_view label(Verification);
std::string_view label(Refusal);
std::string_view label(base::Code);  // "unauthorized": the reason of a denial, in metrics and access log

// Status codes that have a series of their own; others share that of their class ("4xx").
std::size_t status_slot(std::uint16_t status);
std::string_view status_label(std::size_t slot);
inline constexpr std::size_t kStatusSlots = 38;

struct RouteMetrics {
  std::array<PerEnum<Outcome, Counter>, kStatusSlots> requests;
  PerEnum<CacheResult, Counter> cache;

  void request(std::uint16_t status, Outcome outcome) { requests[status_slot(status)][outcome].add(); }
};

struct OriginMetrics {
  PerEnum<OriginOutcome, Counter> requests;
  PerEnum<OriginConnection, Counter> connections;
  Histogram duration;  // from asking to the head of the reply
};

// A block per label, made when its worker first counts under it: a thousand routes on sixty workers would
// otherwise cost megabytes that nobody uses.
template <class Block, std::size_t kBound>
class PerLabel {
 public:
  PerLabel() = default;
  PerLabel(const PerLabel&) = delete;
  PerLabel& operator=(const PerLabel&) = delete;
  ~PerLabel() {
    for (auto& block : blocks_) delete block.load(std::memory_order_relaxed);
  }

  Block& operator[](LabelId id) {  // the writer's
    std::atomic<Block*>& place = blocks_[id < kBound ? id : LabelRegistry::kOther];
    if (Block* block = place.load(std::memory_order_relaxed)) [[likely]]
      return *block;
    auto made = std::make_unique<Block>();
    place.store(made.get(), std::memory_order_release);
    return *made.release();
  }
  const Block* find(std::size_t id) const { return blocks_[id].load(std::memory_order_acquire); }

 private:
  std::array<std::atomic<Block*>, kBound> blocks_{};
};

struct alignas(kCacheLine) WorkerMetrics {
  // connections
  Gauge connections_active;
  Counter connections_accepted;
  PerEnum<Refusal, Counter> connections_refused;
  Counter connections_evicted;  // idle ones, for the sake of others
  Counter bytes_received;       // from clients, heads included
  Counter bytes_sent;           // to clients, heads included

  // requests
  PerLabel<RouteMetrics, kMaxRoutes> routes;
  PerEnum<base::Code, Counter> denials;
  Histogram request_duration;  // first byte of the head to the last byte of the reply
  Histogram gateway_duration;  // that, less the waits for the origin and for the client
  PerEnum<Phase, Histogram> phases;
  PerEnum<Verification, Counter> verifications;

  // origins
  PerLabel<OriginMetrics, kMaxOrigins> origins;

  // the loop
  Histogram loop_lag;   // from events being ready to their turn: how long one turn of the loop takes
  Gauge loop_lag_last;  // nanoseconds
};

}  // namespace telemetry
