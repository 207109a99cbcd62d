// What differs from run to run, fixed: random bytes and the clocks. Defined in the program itself, they come
// before those of libcrypto and of glibc.
//
// Thread:   any.
//
// Hash keys and request ids are drawn from RAND_bytes (base/siphash.h), so with these tables are laid out the
// same each time. The clock goes on by one microsecond each time it is read: durations then have always the
// same number of digits, and no date or log chunk becomes due by how fast the machine is.
#include <openssl/rand.h>
#include <time.h>

#include <atomic>
#include <cstdint>

namespace {
constexpr std::int64_t kWallSeconds = 1'900'000'000;  // 2030-03-17, the `kNow` of the tokens
constexpr std::int64_t kMonoSeconds = 100'000;
constexpr std::int64_t kStep = 1000;  // ns

std::atomic<std::int64_t> passed{0};  // ns
std::uint64_t state = 0x5e6b15e0;
}  // namespace

extern "C" {

// SplitMix64 (Steele, Lea, Flood 2014).
int RAND_bytes(unsigned char* out, int size) {
  for (int i = 0; i < size; ++i) {
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    out[i] = static_cast<unsigned char>(z ^ (z >> 31));
  }
  return 1;
}

int clock_gettime(clockid_t id, timespec* out) noexcept {
  const std::int64_t now = passed.fetch_add(kStep, std::memory_order_relaxed);
  const bool wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
  out->tv_sec = (wall ? kWallSeconds : kMonoSeconds) + now / 1'000'000'000;
  out->tv_nsec = now % 1'000'000'000;
  return 0;
}

}  // extern "C"
