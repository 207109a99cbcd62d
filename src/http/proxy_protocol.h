// Reads the header that a proxy puts before a connection's first byte: PROXY protocol, version 2.
//
// Owner:    the connection, before its first request.  Thread: its worker.
// Lifetime: nothing is kept of the buffer.  Units: bytes.
// Standard: HAProxy's "The PROXY protocol", section 2.2 (binary header) with 2.2.3 (CRC32C).
//
// Usage:   ProxyHeader header;
//          auto used = parse_proxy_header(buffer, header);   // its bytes, 0: read on, or the refusal
//
// Failures: kBadRequest, at the first byte that cannot begin a header. Refused: version 1 (text: it has no
// length, and nobody needs both), unknown commands, UDP, an address block or TLVs that do not fit into the
// length, a checksum that is wrong, headers beyond kProxyHeaderMax.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace http {

// All of it, the fixed part included. HAProxy's own with every TLV stay below 2 KiB.
inline constexpr std::size_t kProxyHeaderMax = 4096;

struct ProxyHeader {
  enum class Source : std::uint8_t {
    kAddress,  // TCP over IPv4 or IPv6: `address` and `port` are the client's
    kOwn,      // LOCAL: the proxy speaks for itself, a health check for example
    kUnnamed   // relayed for somebody whom no address is given for (UNSPEC, UNIX)
  } source = Source::kOwn;
  std::array<std::uint8_t, 16> address{};  // IPv4 as ::ffff:a.b.c.d
  std::uint16_t port = 0;
  friend bool operator==(const ProxyHeader&, const ProxyHeader&) = default;
};

base::Result<std::size_t> parse_proxy_header(std::string_view buffer, ProxyHeader& out);

}  // namespace http
