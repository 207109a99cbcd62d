#include "client/address_filter.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace client {

namespace {

using Bytes = std::array<std::uint8_t, 16>;

// A prefix in the form of Endpoint::bytes(), where IPv4 is ::ffff:a.b.c.d.
struct Prefix {
  Bytes bytes{};
  unsigned bits = 0;
};

constexpr Prefix v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, unsigned bits) {
  Prefix out;
  out.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, 0};
  out.bits = 96 + bits;
  return out;
}

constexpr Prefix v6(std::uint16_t first, std::uint16_t second, unsigned bits) {
  Prefix out;
  out.bytes[0] = static_cast<std::uint8_t>(first >> 8);
  out.bytes[1] = static_cast<std::uint8_t>(first);
  out.bytes[2] = static_cast<std::uint8_t>(second >> 8);
  out.bytes[3] = static_cast<std::uint8_t>(second);
  out.bits = bits;
  return out;
}

constexpr Prefix kMapped = v4(0, 0, 0, 0);
constexpr Prefix kGlobal =
    v6(0x2000, 0, 3);  // all of IPv6 that is given out; the rest is special or nobody's

constexpr std::array kSpecial = {
    v4(0, 0, 0, 8),          // this network
    v4(10, 0, 0, 8),         // private
    v4(100, 64, 0, 10),      // shared with a carrier
    v4(127, 0, 0, 8),        // loopback
    v4(169, 254, 0, 16),     // link-local, where clouds keep their instances' credentials
    v4(172, 16, 0, 12),      // private
    v4(192, 0, 0, 24),       // protocol assignments
    v4(192, 0, 2, 24),       // documentation
    v4(192, 88, 99, 24),     // 6to4 relays
    v4(192, 168, 0, 16),     // private
    v4(198, 18, 0, 15),      // benchmarks
    v4(198, 51, 100, 24),    // documentation
    v4(203, 0, 113, 24),     // documentation
    v4(224, 0, 0, 4),        // multicast
    v4(240, 0, 0, 4),        // reserved, broadcast
    v6(0x2001, 0, 23),       // protocol assignments, Teredo
    v6(0x2001, 0x0db8, 32),  // documentation
    v6(0x2002, 0, 16),       // 6to4: an IPv4 address in disguise
    v6(0x3fff, 0, 20),       // documentation
};

bool within(const Bytes& address, const Prefix& prefix) {
  const std::size_t whole = prefix.bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                  prefix.bytes.begin()))
    return false;
  const unsigned rest = prefix.bits % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xffU << (8 - rest) & 0xffU;
  return ((address[whole] ^ prefix.bytes[whole]) & mask) == 0;
}

struct PublicAddresses final : AddressFilter {
  bool passes(const net::Endpoint& address) const override {
    if (address.family() != AF_INET && address.family() != AF_INET6) return false;
    const Bytes bytes = address.bytes();
    if (!within(bytes, kMapped) && !within(bytes, kGlobal)) return false;
    return std::ranges::none_of(kSpecial, [&](const Prefix& prefix) { return within(bytes, prefix); });
  }
};

}  // namespace

const AddressFilter& public_addresses() {
  static const PublicAddresses filter;
  return filter;
}

}  // namespace client
