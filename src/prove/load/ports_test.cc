#include "prove/load/ports.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <set>

namespace prove {
namespace {

bool can_bind(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool good = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return good;
}

TEST(FreePorts, AreDifferentAndHeldBackUntilTheEnd) {
  std::set<std::uint16_t> seen;
  {
    FreePorts ports;
    for (int i = 0; i < 20; ++i) seen.insert(ports.next());
    for (const std::uint16_t port : seen) EXPECT_FALSE(can_bind(port)) << port;
  }
  EXPECT_EQ(seen.size(), 20u);
  EXPECT_TRUE(can_bind(*seen.begin()));
}

// One of those could be the near end of a connection when the process that listens there starts again.
TEST(FreePorts, LieOutsideTheEphemeralRange) {
  unsigned first = 0, last = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first >> last;
  if (first <= 10'100) GTEST_SKIP() << "nearly every port is ephemeral here";
  FreePorts ports;
  for (int i = 0; i < 50; ++i) EXPECT_LT(ports.next(), first);
}

}  // namespace
}  // namespace prove
