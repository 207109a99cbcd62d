// Socket addresses: of listeners, of clients, of origins.
//
// Thread: values, any.  Failure: parse() gives nothing where the text is not a literal address, peer_of()
// "::" where nobody is connected any more.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace net {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  std::uint16_t port() const;

  static std::optional<Endpoint> parse(std::string_view host, std::uint16_t port);    // host without brackets
  static Endpoint of(const std::array<std::uint8_t, 16>& bytes, std::uint16_t port);  // bytes() turned back

  std::array<std::uint8_t, 16> bytes() const;  // IPv4 as ::ffff:a.b.c.d
  std::string host() const;                    // "127.0.0.1", "::1"; an IPv4-mapped address as IPv4
  std::string text() const;                    // "127.0.0.1:80", "[::1]:80"
};

std::array<std::uint8_t, 16> peer_of(int fd);  // Endpoint::bytes() of whom this socket is connected to

}  // namespace net
