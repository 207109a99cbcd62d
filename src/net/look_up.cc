#include "net/look_up.h"

#include <netdb.h>

#include <cstring>

namespace net {

Endpoint endpoint_of(const sockaddr* address, socklen_t size, std::uint16_t port) {
  Endpoint out;
  std::memcpy(&out.storage, address, size);
  out.length = size;
  if (out.family() == AF_INET6)
    reinterpret_cast<sockaddr_in6&>(out.storage).sin6_port = htons(port);
  else
    reinterpret_cast<sockaddr_in&>(out.storage).sin_port = htons(port);
  return out;
}

std::vector<Endpoint> ask_system(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  std::vector<Endpoint> out;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) return out;
  for (const addrinfo* a = list; a; a = a->ai_next)
    out.push_back(endpoint_of(a->ai_addr, a->ai_addrlen, port));
  ::freeaddrinfo(list);
  return out;
}

}  // namespace net
