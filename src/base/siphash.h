// A keyed hash for tables whose keys strangers choose: SipHash-1-3 with a key drawn at process start.
//
// Thread:  any; the key is written once before main.
// Failure: none; a process that cannot draw random bytes does not start.
//
// Nobody outside can predict a bucket, so nobody can flood one. It is not a MAC: whoever finds an entry by
// it still compares the whole key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace base {

struct SipKey {
  std::uint64_t k0, k1;
};

std::uint64_t siphash(std::string_view bytes, SipKey key);

// With the key of this process.
std::uint64_t siphash(std::string_view bytes);

// Bytes from the system's generator (OpenSSL's), for keys, request ids and tokens. Aborts when there are
// none.
void random_bytes(void* out, std::size_t n);

}  // namespace base
