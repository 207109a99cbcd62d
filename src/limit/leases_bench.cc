// What a request of a shared limit costs where it need not ask Redis.
#include <benchmark/benchmark.h>

#include "limit/leases.h"

namespace limit {
namespace {

constexpr Quota kQuota{.interval = 1'000, .window = 1'000'000'000};

void BM_LeaseGranted(benchmark::State& state) {
  Leases leases(4 << 20);
  base::Mono now{base::Seconds(1)};
  for (auto _ : state) {
    now += base::Nanos(2'000);
    const auto taken = leases.take(1, kQuota, now, {});
    if (taken.refill > 0) leases.put(1, kQuota, taken.refill, taken.refill, 0, 0, now);
    benchmark::DoNotOptimize(taken);
  }
}
BENCHMARK(BM_LeaseGranted);

void BM_LeaseRefused(benchmark::State& state) {
  Leases leases(4 << 20);
  const base::Mono now{base::Seconds(1)};
  leases.put(1, kQuota, 1, 0, kQuota.window, 0, now);
  for (auto _ : state) benchmark::DoNotOptimize(leases.take(1, kQuota, now, {}));
}
BENCHMARK(BM_LeaseRefused);

// Of very many callers, of whom most are new: the worst of it.
void BM_LeaseOfStrangers(benchmark::State& state) {
  Leases leases(4 << 20);
  const base::Mono now{base::Seconds(1)};
  std::uint64_t key = 0;
  for (auto _ : state) benchmark::DoNotOptimize(leases.take(key += 0x9e3779b97f4a7c15, kQuota, now, {}));
}
BENCHMARK(BM_LeaseOfStrangers);

}  // namespace
}  // namespace limit
