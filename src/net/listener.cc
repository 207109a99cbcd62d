#include "net/listener.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace net {

namespace {
constexpr unsigned kInARow = 32;

int open_reserve() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
}  // namespace

Listener::Listener(Loop& loop, const Endpoint& wanted, bool reuse_port, Ipv4 ipv4)
    : loop_(loop), pause_(loop) {
  const Endpoint address = Endpoint::of(wanted.bytes(), wanted.port());  // ::ffff:192.0.2.1 is 192.0.2.1
  const auto refuse = [&](int fd) {
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    throw std::runtime_error("cannot listen on " + address.text() + ": " + why);
  };
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) refuse(fd);
  const int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address.family() == AF_INET6) {
    const int six_only = ipv4 == Ipv4::kNot;
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &six_only, sizeof six_only);
  }
  if (reuse_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // accepted sockets inherit it
  if (::bind(fd, address.raw(), address.length) != 0 || ::listen(fd, 4096) != 0) refuse(fd);
  bound_.length = sizeof bound_.storage;
  ::getsockname(fd, bound_.raw(), &bound_.length);
  stream_ = Stream(loop, fd);
  if (!stream_.open()) throw std::runtime_error("cannot watch the listener " + address.text());
  fd_ = fd;
  reserve_ = open_reserve();
}

Listener::~Listener() {
  if (reserve_ >= 0) ::close(reserve_);
}

int Listener::accept_one(Endpoint& peer) const {
  peer.length = sizeof peer.storage;
  return ::accept4(fd_, peer.raw(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

Task<> Listener::run(Accept accept, TurnAway turn_away) {
  unsigned in_a_row = 0;
  for (;;) {
    Endpoint peer;
    int fd = accept_one(peer);
    const bool none_left = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (none_left && reserve_ >= 0) {
      ::close(reserve_);
      fd = accept_one(peer);
      const int why = errno;
      if (fd >= 0) {
        turn_away(fd);
        ::close(fd);
      }
      reserve_ = open_reserve();  // none: another thread was faster; then there is a pause, below
      errno = why;
    }
    if (fd >= 0) {
      if (!none_left) accept(fd, peer);
      // Who comes must not keep the loop from those who are here.
      if (++in_a_row % kInARow == 0) co_await loop_.yield();
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (stopping_) break;
      stream_.watch().readable = false;
      co_await stream_.readable();
      continue;
    }
    // Out of memory, or of descriptors and of the reserve: connections wait in the queue for a moment.
    if (stopping_) break;
    co_await pause_.wait(loop_.now() + base::Millis(100));
    if (reserve_ < 0) reserve_ = open_reserve();
  }
  stream_.close();
}

void Listener::stop() {
  stopping_ = true;
  if (!stream_.open()) return;
  stream_.cancel();
  pause_.set();
}

}  // namespace net
