#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "cache/memory.h"

namespace cache {
namespace {

constexpr std::size_t kObjects = 10'000;
const std::string kBody(1024, 'b');

std::string path_of(std::size_t i) {
  return "/images/2026/11/object-" + std::to_string(i) + ".json";
}

base::Ref<const Entry> entry_of(const KeyView& key) {
  return Entry::make({.key = key,
                      .fields = "Content-Type: application/json\r\nETag: \"0123456789abcdef\"\r\n",
                      .etag = "\"0123456789abcdef\"",
                      .body = {base::Chunk::copy_of(kBody)},
                      .stored_at = base::mono_now(),
                      .freshness = std::chrono::hours(1)});
}

KeyView key_of(std::string_view path, std::span<char> scratch) {
  return *make_key({.origin = OriginId{1}, .path = path}, scratch);
}

// One cache for all threads, and the paths that are asked for: the first half of them is there.
struct Stage {
  Memory memory{256 << 20};
  std::vector<std::string> paths;

  Stage() {
    std::array<char, 256> scratch;
    for (std::size_t i = 0; i < 2 * kObjects; ++i) paths.push_back(path_of(i));
    for (std::size_t i = 0; i < kObjects; ++i) memory.put(entry_of(key_of(paths[i], scratch)));
  }
  static Stage& get() {
    static Stage stage;
    return stage;
  }
};

// What the walk does for a hit: the key from its parts, its hash, the entry, and letting go of it.
void BM_Get(benchmark::State& state) {
  Stage& stage = Stage::get();
  const base::Mono now = base::mono_now();
  std::array<char, 256> scratch;
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 37;
  for (auto _ : state) {
    i = (i + 7919) % kObjects;
    benchmark::DoNotOptimize(stage.memory.find(key_of(stage.paths[i], scratch), now));
  }
}
BENCHMARK(BM_Get)->ThreadRange(1, 2)->UseRealTime();

void BM_GetOneHotObject(benchmark::State& state) {
  Stage& stage = Stage::get();
  const base::Mono now = base::mono_now();
  std::array<char, 256> scratch;
  for (auto _ : state) benchmark::DoNotOptimize(stage.memory.find(key_of(stage.paths[42], scratch), now));
}
BENCHMARK(BM_GetOneHotObject)->ThreadRange(1, 2)->UseRealTime();

void BM_Miss(benchmark::State& state) {
  Stage& stage = Stage::get();
  const base::Mono now = base::mono_now();
  std::array<char, 256> scratch;
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 37;
  for (auto _ : state) {
    i = (i + 7919) % kObjects;
    benchmark::DoNotOptimize(stage.memory.find(key_of(stage.paths[kObjects + i], scratch), now));
  }
}
BENCHMARK(BM_Miss)->ThreadRange(1, 2)->UseRealTime();

// A full cache: each new entry evicts one. The entry's own allocation and copy are in it.
void BM_SetAndEvict(benchmark::State& state) {
  static Memory memory(8 << 20);
  std::array<char, 256> scratch;
  std::size_t i = static_cast<std::size_t>(state.thread_index()) << 32;
  for (auto _ : state) memory.put(entry_of(key_of(path_of(i++), scratch)));
}
BENCHMARK(BM_SetAndEvict)->ThreadRange(1, 2)->UseRealTime();

void BM_Key(benchmark::State& state) {
  std::array<char, 256> scratch;
  const std::string path = path_of(1234);
  for (auto _ : state) benchmark::DoNotOptimize(key_of(path, scratch));
}
BENCHMARK(BM_Key);

}  // namespace
}  // namespace cache
