// An address as buckets are kept by it: IPv4 whole, of IPv6 the first `limits.ipv6_prefix` bits, since a
// single customer is given that much.
//
// Thread: any.  Failure: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace limit {

// IPv4 comes and goes as ::ffff:a.b.c.d.
inline std::array<std::uint8_t, 16> masked(std::array<std::uint8_t, 16> address, unsigned ipv6_prefix) {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(address.data(), kMapped, sizeof kMapped) == 0) return address;
  for (std::size_t i = ipv6_prefix / 8; i < address.size(); ++i) {
    const unsigned kept = i == ipv6_prefix / 8 ? ipv6_prefix % 8 : 0;
    address[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
  }
  return address;
}

}  // namespace limit
