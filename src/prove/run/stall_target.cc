#include "prove/run/stall_target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "prove/engine/cpu_clock.h"

namespace prove {
namespace {

constexpr std::string_view kReply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr auto kNotYet = std::numeric_limits<base::Nanos::rep>::max();
constexpr base::Millis kLook{100};  // how often it asks what it has waited for a CPU
constexpr int kTick = 5;            // ms: how soon an idle target notices that it shall stall or end

}  // namespace

StallTarget::StallTarget() : stall_from_(kNotYet) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener_}};
  if (listener_ < 0 || epoll_ < 0 || ::bind(listener_, raw, size) != 0 || ::listen(listener_, 1024) != 0 ||
      ::getsockname(listener_, raw, &size) != 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0)
    throw std::runtime_error("the built-in target cannot listen on loopback");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

StallTarget::~StallTarget() {
  closing_ = true;
  thread_.join();
  for (const int fd : clients_) ::close(fd);
  ::close(epoll_);
  ::close(listener_);
}

void StallTarget::stall(base::Mono from, base::Nanos time) {
  stall_time_ = time.count();
  stall_from_ = from.time_since_epoch().count();
}

void StallTarget::serve() {
  std::array<epoll_event, 64> events;
  base::Mono looked{};
  while (!closing_) {
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kTick);
    if (base::mono_now() - looked > kLook) {
      waited_ = wait_of_thread().count();
      looked = base::mono_now();
    }
    if (base::mono_now().time_since_epoch().count() >= stall_from_) {
      // To an absolute time: the stretch is as long as was asked for, however late it was noticed.
      const base::Nanos::rep until = stall_from_.exchange(kNotYet) + stall_time_;
      const timespec at{.tv_sec = until / 1'000'000'000, .tv_nsec = until % 1'000'000'000};
      while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
      }
    }
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd != listener_) {
        answer(fd);
        continue;
      }
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (client < 0) continue;
      const int one = 1;
      ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      epoll_event event{.events = EPOLLIN, .data = {.fd = client}};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client, &event);
      clients_.push_back(client);
    }
  }
}

// The harness sends one small request at a time over a connection, so one read holds it whole.
void StallTarget::answer(int fd) {
  std::array<char, 4096> request;
  const ssize_t n = ::recv(fd, request.data(), request.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const bool whole =
      n > 0 && std::string_view(request.data(), static_cast<std::size_t>(n)).ends_with("\r\n\r\n");
  if (whole && ::send(fd, kReply.data(), kReply.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kReply.size()))
    return;
  ::close(fd);
  std::erase(clients_, fd);
}

}  // namespace prove
