#include "base/siphash.h"

#include <openssl/rand.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace base {

namespace {

std::uint64_t load64(const char* p) {
  std::uint64_t v;
  std::memcpy(&v, p, 8);
  return v;  // little endian, as the reference defines; this project builds for little-endian machines only
}
static_assert(std::endian::native == std::endian::little);

struct State {
  std::uint64_t a, b, c, d;

  void round() {
    a += b, b = std::rotl(b, 13), b ^= a, a = std::rotl(a, 32);
    c += d, d = std::rotl(d, 16), d ^= c;
    a += d, d = std::rotl(d, 21), d ^= a;
    c += b, b = std::rotl(b, 17), b ^= c, c = std::rotl(c, 32);
  }
};

SipKey draw_key() {
  SipKey key;
  random_bytes(&key, sizeof key);
  return key;
}

const SipKey process_key = draw_key();

}  // namespace

std::uint64_t siphash(std::string_view bytes, SipKey key) {
  State s{key.k0 ^ 0x736f6d6570736575ULL, key.k1 ^ 0x646f72616e646f6dULL, key.k0 ^ 0x6c7967656e657261ULL,
          key.k1 ^ 0x7465646279746573ULL};
  const char* p = bytes.data();
  const char* const whole = p + (bytes.size() & ~std::size_t{7});
  for (; p != whole; p += 8) {
    const std::uint64_t m = load64(p);
    s.d ^= m;
    s.round();
    s.a ^= m;
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
  const std::size_t rest = bytes.size() & 7;
  if (rest != 0 && bytes.size() > rest)  // the last eight bytes, without those that were taken
    last |= load64(p + rest - 8) >> (64 - 8 * rest);
  else
    for (std::size_t i = 0; i < rest; ++i)
      last |= static_cast<std::uint64_t>(static_cast<unsigned char>(p[i])) << (8 * i);
  s.d ^= last;
  s.round();
  s.a ^= last;
  s.c ^= 0xff;
  s.round();
  s.round();
  s.round();
  return s.a ^ s.b ^ s.c ^ s.d;
}

std::uint64_t siphash(std::string_view bytes) {
  return siphash(bytes, process_key);
}

void random_bytes(void* out, std::size_t n) {
  if (RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(n)) != 1) {
    std::fputs("sekisho: no random bytes to be had from the system\n", stderr);
    std::abort();
  }
}

}  // namespace base
