#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "gateway/router.h"

namespace gateway {
namespace {

std::vector<std::string> prefixes_of(std::size_t n) {
  std::vector<std::string> prefixes = {"/"};
  for (std::size_t i = 1; i < n; ++i)
    prefixes.push_back(i % 2 == 0 ? "/service" + std::to_string(i) + "/"
                                  : "/team" + std::to_string(i % 100) + "/bucket" + std::to_string(i) + "/");
  return prefixes;
}

// Every route in turn, with an object behind it.
void BM_Route(benchmark::State& state) {
  const auto prefixes = prefixes_of(static_cast<std::size_t>(state.range(0)));
  const Router router(prefixes);
  std::vector<std::string> paths;
  paths.reserve(prefixes.size());
  for (const std::string& prefix : prefixes) paths.push_back(prefix + "images/2026/11/object.jpg");
  std::size_t i = 0;
  for (auto _ : state) {
    i += 7919;
    if (i >= paths.size()) i %= paths.size();
    benchmark::DoNotOptimize(router.match(paths[i]));
  }
}
BENCHMARK(BM_Route)->Arg(1)->Arg(10)->Arg(50)->Arg(10'000);

// 8 KiB of segments, of which the first ones exist.
void BM_RouteHostilePath(benchmark::State& state) {
  std::vector<std::string> prefixes = {"/"};
  for (int i = 0; i < 8; ++i) prefixes.push_back((prefixes.back() == "/" ? "" : prefixes.back()) + "/a");
  const Router router(prefixes);
  std::string path;
  while (path.size() < 8192) path += "/a";
  for (auto _ : state) benchmark::DoNotOptimize(router.match(path));
}
BENCHMARK(BM_RouteHostilePath);

}  // namespace
}  // namespace gateway
