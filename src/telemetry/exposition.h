// /metrics: the Prometheus text format 0.0.4, added up over workers when asked.
//
// Owner:    nobody; a function of what it is given.
// Thread:   any, while the workers go on counting.
// Failures: none; a process figure that cannot be read is left out.
// Units:    seconds and bytes, as Prometheus asks for.
//
// Serve it as kExpositionType.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/audit_log.h"
#include "telemetry/limit_figures.h"
#include "telemetry/metrics.h"

namespace telemetry {

inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

struct CacheGauges {  // asked of the cache at scrape time
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t capacity_bytes = 0;
  std::uint64_t evictions = 0;
  std::uint64_t fills_active = 0;
  std::uint64_t fill_bytes = 0;  // buffered by fills under way
};

struct IssuerKeys {  // what an identity's issuer publishes, asked of its source at scrape time
  std::string identity;
  std::uint64_t keys = 0;
  std::optional<double> age_seconds{};                                // none: there are no keys
  std::vector<std::pair<std::string_view, std::uint64_t>> fetches{};  // by result, all of them
};

struct Scrape {
  std::span<const WorkerMetrics* const> workers{};
  const ProcessMetrics* process = nullptr;
  CacheGauges cache{};
  std::span<const IssuerKeys> issuers{};
  std::uint64_t access_log_lines_written = 0;
  std::uint64_t access_log_dropped_queue = 0;   // the writer fell behind
  std::uint64_t access_log_dropped_output = 0;  // the disk is full, the pipe is gone
  std::optional<AuditFigures> audit{};          // none: there is no audit log
  LimitFigures limits{};
  bool ready = true;
  std::string_view version{};
  std::string_view commit{};
};

std::string render(const Scrape& scrape);

}  // namespace telemetry
