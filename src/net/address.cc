#include "net/address.h"

#include <arpa/inet.h>

#include <cstring>

namespace net {

namespace {
const sockaddr_in& v4(const Endpoint& e) {
  return reinterpret_cast<const sockaddr_in&>(e.storage);
}
const sockaddr_in6& v6(const Endpoint& e) {
  return reinterpret_cast<const sockaddr_in6&>(e.storage);
}
bool mapped(const Endpoint& e) {
  return e.family() == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6(e).sin6_addr);
}
}  // namespace

std::uint16_t Endpoint::port() const {
  return ntohs(family() == AF_INET6 ? v6(*this).sin6_port : v4(*this).sin_port);
}

std::optional<Endpoint> Endpoint::parse(std::string_view host, std::uint16_t port) {
  const std::string text(host);
  Endpoint out;
  auto& four = reinterpret_cast<sockaddr_in&>(out.storage);
  auto& six = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    out.length = sizeof four;
    return out;
  }
  if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    out.length = sizeof six;
    return out;
  }
  return std::nullopt;
}

Endpoint Endpoint::of(const std::array<std::uint8_t, 16>& bytes, std::uint16_t port) {
  Endpoint out;
  auto& four = reinterpret_cast<sockaddr_in&>(out.storage);
  auto& six = reinterpret_cast<sockaddr_in6&>(out.storage);
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  std::memcpy(&six.sin6_addr, bytes.data(), bytes.size());
  out.length = sizeof six;
  if (!mapped(out)) return out;
  out = {};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  std::memcpy(&four.sin_addr, bytes.data() + 12, 4);
  out.length = sizeof four;
  return out;
}

std::array<std::uint8_t, 16> Endpoint::bytes() const {
  std::array<std::uint8_t, 16> out{};
  if (family() == AF_INET6) {
    std::memcpy(out.data(), &v6(*this).sin6_addr, 16);
  } else {
    out[10] = out[11] = 0xff;
    std::memcpy(out.data() + 12, &v4(*this).sin_addr, 4);
  }
  return out;
}

std::string Endpoint::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (mapped(*this))
    ::inet_ntop(AF_INET, v6(*this).sin6_addr.s6_addr + 12, text, sizeof text);
  else if (family() == AF_INET6)
    ::inet_ntop(AF_INET6, &v6(*this).sin6_addr, text, sizeof text);
  else
    ::inet_ntop(AF_INET, &v4(*this).sin_addr, text, sizeof text);
  return text;
}

std::array<std::uint8_t, 16> peer_of(int fd) {
  Endpoint peer;
  peer.length = sizeof peer.storage;
  if (::getpeername(fd, peer.raw(), &peer.length) != 0) return {};
  return peer.bytes();
}

std::string Endpoint::text() const {
  const std::string h = host();
  const std::string p = std::to_string(port());
  return h.find(':') == std::string::npos ? h + ":" + p : "[" + h + "]:" + p;
}

}  // namespace net
