#include "base/sabotage.h"

#ifdef SEKISHO_SABOTAGE

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace sabotage {

namespace {

constexpr const char* kVariable = "SEKISHO_SABOTAGE";

std::array<std::atomic<std::uint64_t>, kRows.size()> asked{};
std::array<std::atomic<base::Nanos::rep>, kRows.size()> last{};

// Spreads a counter over 64 bits (SplitMix64), so that one in n does not fall in step with a client's
// pattern.
std::uint64_t spread(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

void arm_one(std::string_view name) {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].mark.substr(kMark.size()) != name) continue;
    armed[i] = true;
    return;
  }
  throw std::runtime_error(std::string(kVariable) + ": there is no sabotage '" + std::string(name) + "'");
}

}  // namespace

std::string arm() {
  const char* const set = std::getenv(kVariable);
  for (std::string_view left = set ? set : ""; !left.empty();) {
    const std::size_t comma = left.find(',');
    arm_one(left.substr(0, comma));
    left = comma == std::string_view::npos ? std::string_view{} : left.substr(comma + 1);
  }
  std::string line = "this binary is sabotaged; serve nobody with it. Switched on:";
  std::size_t count = 0;
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (armed[i]) line.append(count++ == 0 ? " " : ", ").append(kRows[i].mark);
  return count == 0 ? line + " nothing" : line;
}

bool one_in(Hook hook, unsigned n) {
  return on(hook) && spread(asked[hook.index].fetch_add(1, std::memory_order_relaxed)) % n == 0;
}

bool every(Hook hook, base::Millis period) {
  if (!on(hook)) return false;
  const base::Nanos::rep now = base::mono_now().time_since_epoch().count();
  base::Nanos::rep before = last[hook.index].load(std::memory_order_relaxed);
  return now - before >= base::Nanos(period).count() && last[hook.index].compare_exchange_strong(before, now);
}

bool after_first(Hook hook) {
  return on(hook) && asked[hook.index].fetch_add(1, std::memory_order_relaxed) > 0;
}

void leak_memory(std::size_t bytes) {
  static std::atomic<void*> newest{nullptr};  // so that no compiler sees that nobody uses it
  void* const block = std::malloc(bytes);
  std::memset(block, 1, bytes);  // resident
  newest.store(block, std::memory_order_relaxed);
}

void leak_descriptor() {
  [[maybe_unused]] const int forgotten = ::dup(STDERR_FILENO);
}

void burn(base::Nanos time) {
  const base::Mono until = base::mono_now() + time;
  while (base::mono_now() < until) {
  }
}

void sleep(base::Millis time) {
  const timespec wait{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
  ::nanosleep(&wait, nullptr);
}

}  // namespace sabotage

#endif
