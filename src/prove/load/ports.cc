#include "prove/load/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "base/clock.h"

namespace prove {
namespace {

constexpr std::uint16_t kFirst = 10'000;  // below it, services are at home
constexpr int kTries = 200;

}  // namespace

FreePorts::FreePorts()
    : random_(static_cast<std::uint64_t>(::getpid()) << 32 ^
              static_cast<std::uint64_t>(base::mono_now().time_since_epoch().count())) {
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  if (unsigned first = 0; range >> first && first <= 65'535)
    first_ephemeral_ = static_cast<std::uint16_t>(first);
}

FreePorts::~FreePorts() {
  for (const int socket : held_) ::close(socket);
}

std::uint16_t FreePorts::bind(std::uint16_t wanted) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return 0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(wanted);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    ::close(socket);
    return 0;
  }
  held_.push_back(socket);
  return ntohs(address.sin_port);
}

std::uint16_t FreePorts::next() {
  if (first_ephemeral_ > kFirst)
    for (int i = 0; i < kTries; ++i)
      if (const std::uint16_t port =
              bind(static_cast<std::uint16_t>(kFirst + random_.below(first_ephemeral_ - kFirst))))
        return port;
  if (const std::uint16_t port = bind(0)) return port;
  throw std::runtime_error("there is no free port on 127.0.0.1");
}

}  // namespace prove
