#include <benchmark/benchmark.h>

#include <memory>

#include "telemetry/access_log.h"
#include "telemetry/audit_log.h"
#include "telemetry/exposition.h"
#include "telemetry/metrics.h"

namespace telemetry {
namespace {

AccessRecord typical() {
  return {.time = base::wall_now(),
          .request_id = "0123456789abcdef0123456789abcdef",
          .client = "192.0.2.7",
          .principal = "ana@example.com",
          .issuer = "https://id.example.com",
          .method = "GET",
          .host = "cdn.example.com",
          .path = "/photos/2026/11/a.jpg?width=200",
          .route = "/photos/",
          .user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
          .cache = "hit",
          .status = 200,
          .bytes_sent = 1234,
          .bytes_received = 410,
          .duration = base::Nanos(34'567)};
}

void BM_AccessLine(benchmark::State& state) {
  auto out = std::make_unique<char[]>(kMaxAccessLine);
  AccessLineFormatter formatter;
  AccessRecord record = typical();
  for (auto _ : state) {
    benchmark::DoNotOptimize(record);
    benchmark::DoNotOptimize(formatter.format(record, out.get()));
  }
}
BENCHMARK(BM_AccessLine);

void BM_AccessLogAppendToDevNull(benchmark::State& state) {
  AccessLog log("/dev/null");
  AccessLogBuffer buffer(&log);
  AccessRecord record = typical();
  for (auto _ : state) {
    benchmark::DoNotOptimize(record);
    buffer.append(record);
  }
  state.counters["dropped"] = static_cast<double>(log.dropped_queue());
}
BENCHMARK(BM_AccessLogAppendToDevNull);

void BM_AuditLogAppendToDevNull(benchmark::State& state) {
  AuditLog log({.output = "/dev/null"});
  AuditBuffer buffer(&log);
  AuditRecord record{.time = base::wall_now(),
                     .request_id = "0123456789abcdef0123456789abcdef",
                     .client = "192.0.2.7",
                     .issuer = "https://id.example.com",
                     .subject = "ana@example.com",
                     .method = "GET",
                     .path = "/photos/2026/11/a.jpg?width=200",
                     .route = "/photos/",
                     .status = 200,
                     .duration = base::Nanos(34'567),
                     .bytes_sent = 1234,
                     .bytes_received = 410,
                     .bytes = true,
                     .cache = "hit"};
  for (auto _ : state) {
    benchmark::DoNotOptimize(record);
    buffer.append(record);
  }
  state.counters["dropped"] = static_cast<double>(log.dropped_queue());
}
BENCHMARK(BM_AuditLogAppendToDevNull);

void BM_HistogramRecord(benchmark::State& state) {
  Histogram h;
  std::int64_t ns = 1;
  for (auto _ : state) {
    h.record(base::Nanos(ns));
    ns = (ns * 5 + 1) & 0xffffffff;
  }
}
BENCHMARK(BM_HistogramRecord);

void BM_CountRequest(benchmark::State& state) {
  auto metrics = std::make_unique<WorkerMetrics>();
  const LabelId route = routes().intern("/photos/");
  for (auto _ : state) {
    metrics->routes[route].request(200, Outcome::kServed);
    metrics->routes[route].cache[CacheResult::kHit].add();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_CountRequest);

void BM_Render(benchmark::State& state) {
  auto metrics = std::make_unique<WorkerMetrics>();
  for (LabelId id = 0; id < 100; ++id) metrics->routes[id].request(200, Outcome::kServed);
  const WorkerMetrics* const workers[] = {metrics.get()};
  for (auto _ : state) {
    Page page;
    expose(page, workers);
    benchmark::DoNotOptimize(page.take());
  }
}
BENCHMARK(BM_Render);

}  // namespace
}  // namespace telemetry
