// What being limited costs: a bucket, a whole check, the reply's fields, a gate.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "base/siphash.h"
#include "limit/failures.h"
#include "limit/fields.h"
#include "limit/gate.h"
#include "limit/rates.h"

namespace limit {
namespace {

using config::RateKey;

constexpr std::string_view kIssuer = "https://id.example.com",
                           kSubject = "4f5e6d7c-8b9a-4001-a2b3-c4d5e6f70819";
const base::Mono kStart{base::Seconds(1)};

Buckets::Key key(std::uint64_t n) {
  return {base::siphash({reinterpret_cast<const char*>(&n), sizeof n}), Buckets::Class::kStranger};
}
std::array<std::uint8_t, 16> address(std::uint32_t n) {
  std::array<std::uint8_t, 16> out{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::memcpy(&out[12], &n, sizeof n);
  return out;
}

struct World {
  std::shared_ptr<const Policies> route(const std::vector<std::vector<RateKey>>& limits) {
    config::Route route;
    route.path = "/";
    for (const auto& per : limits) {
      config::RateLimit limit;
      limit.name = "limit-" + std::to_string(route.rates.size());
      limit.rate = {1'000'000, base::Seconds(1)};
      limit.burst = 1'000'000;
      limit.per = per;
      config.rates[limit.name] = limit;
      route.rates.push_back(limit.name);
    }
    return rates.compile(config, route);
  }

  config::Config config;
  Rates rates{config.limits};
};

// The time goes on, so that nobody is refused.
void check(benchmark::State& state, const std::vector<std::vector<RateKey>>& limits,
           bool with_fields = false) {
  World world;
  const auto policies = world.route(limits);
  const Caller caller{.address = address(1), .issuer = kIssuer, .subject = kSubject};
  base::Mono now = kStart;
  std::string out;
  for (auto _ : state) {
    now += base::Nanos(2'000);
    const Standing standing = world.rates.check(*policies, caller, now);
    if (standing.outcome != Standing::Outcome::kGranted) return state.SkipWithError("refused");
    if (with_fields) {
      out.clear();
      append_rate_fields(standing, config::RateFields::kBoth, out);
    }
    benchmark::DoNotOptimize(standing);
    benchmark::DoNotOptimize(out.data());
  }
}

void bucket_take(benchmark::State& state) {
  Buckets buckets(32 << 20);
  const Quota quota = Quota::of({1'000'000, base::Seconds(1)}, 1'000'000);
  base::Mono now = kStart;
  const Buckets::Key one = key(1);
  for (auto _ : state) {
    now += base::Nanos(2'000);
    benchmark::DoNotOptimize(buckets.take(one, quota, now));
  }
}

// Beyond the processor's caches.
void bucket_take_among_1000000(benchmark::State& state) {
  Buckets buckets(32 << 20);
  const Quota quota = Quota::of({1, base::Seconds(1)}, 1'000'000);
  std::uint64_t n = 0;
  for (auto _ : state) benchmark::DoNotOptimize(buckets.take(key(n++ % 1'000'000), quota, kStart));
}

// Every request from an address never seen: each takes another's place.
void bucket_take_flood(benchmark::State& state) {
  Buckets buckets(32 << 20);
  const Quota quota = Quota::of({1, base::Seconds(60)}, 10);
  std::uint64_t n = 0;
  while (n < 4'000'000) buckets.take(key(n++), quota, kStart);
  for (auto _ : state) benchmark::DoNotOptimize(buckets.take(key(n++), quota, kStart));
}

void check_global(benchmark::State& state) {
  check(state, {{}});
}
void check_address(benchmark::State& state) {
  check(state, {{RateKey::kAddress}});
}
void check_principal(benchmark::State& state) {
  check(state, {{RateKey::kPrincipal}});
}
void check_three(benchmark::State& state) {
  check(state, {{}, {RateKey::kAddress}, {RateKey::kPrincipal}});
}
void check_address_with_fields(benchmark::State& state) {
  check(state, {{RateKey::kAddress}}, true);
}
void check_three_with_fields(benchmark::State& state) {
  check(state, {{}, {RateKey::kAddress}, {RateKey::kPrincipal}}, true);
}

void failures_exhausted(benchmark::State& state) {
  const config::Limits limits;
  Failures failures(limits);
  for (int i = 0; i < 10; ++i) failures.charge(address(1), kStart);
  for (auto _ : state) benchmark::DoNotOptimize(failures.exhausted(address(1), kStart));
}

void gate_enter_and_leave(benchmark::State& state) {
  const auto gate = Gate::make({.max = 100, .queue = 0, .wait = base::Seconds(1)});
  for (auto _ : state) benchmark::DoNotOptimize(gate->try_enter());
}

// How long a reload that changes limits.memory takes with a full table; nobody waits for longer than one set
// of it.
void resize_full(benchmark::State& state) {
  const Quota quota = Quota::of({1, base::Seconds(60)}, 10);
  for (auto _ : state) {
    state.PauseTiming();
    Buckets buckets(32 << 20);
    for (std::uint64_t n = 0; n < 4'000'000; ++n) buckets.take(key(n), quota, kStart);
    state.ResumeTiming();
    buckets.resize(64 << 20, kStart);
  }
}

BENCHMARK(bucket_take);
BENCHMARK(bucket_take_among_1000000);
BENCHMARK(bucket_take_flood);
BENCHMARK(check_global);
BENCHMARK(check_address);
BENCHMARK(check_principal);
BENCHMARK(check_three);
BENCHMARK(check_address_with_fields);
BENCHMARK(check_three_with_fields);
BENCHMARK(failures_exhausted);
BENCHMARK(gate_enter_and_leave);
BENCHMARK(resize_full)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace limit
