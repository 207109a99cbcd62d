// Seeded random numbers: the same campaign and seed give the same choices on every machine.
//
// Owner: one generator or one user of the load.  Thread: one.
// SplitMix64: a counter put through a mixing function, one multiplication chain a number; good enough for
// picking keys and gaps, and never for secrets.
#pragma once

#include <cmath>
#include <cstdint>

namespace prove {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)
  std::uint64_t below(std::uint64_t n) {                                   // [0, n); n > 0
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }
  double exponential() { return -std::log1p(-unit()); }  // mean 1: the gaps of a Poisson process

 private:
  std::uint64_t state_;
};

}  // namespace prove
