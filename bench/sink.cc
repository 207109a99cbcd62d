// The client of the relay and idle measurements. It takes bodies without copying them (MSG_TRUNC), so that it
// leaves its core to the origin beside it.
//
//   bench_sink get PORT PATH COUNT SECONDS [verify]   COUNT transfers at once; one line of JSON, exit 0 if
//                                                     all came whole (and, with verify, byte for byte)
//   bench_sink hold PORT PATH COUNT SECONDS           COUNT connections, one request each, then held open
//                                                     until stdin ends; prints "ready" when all have been
//                                                     answered
//
// SECONDS bounds the whole run.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <string_view>

#include "pattern.h"
#include "socket.h"

namespace {

using namespace bench;

struct Transfer {
  int fd = -1;
  std::string head;
  bool in_body = false;
  std::uint64_t left = 0;
  std::uint64_t taken = 0;
};

enum class Step { kMore, kDone, kFailed };

class Sink {
 public:
  explicit Sink(bool verify) : verify_(verify), buffer_(verify ? 1 << 20 : 16 << 10, '\0') {
    if (verify) pattern_ = make_pattern();
  }

  // Reads until the socket has no more, or for one turn.
  Step step(Transfer& transfer) {
    for (int reads = 0; reads < 64; ++reads) {
      if (transfer.in_body && transfer.left == 0) return Step::kDone;
      ssize_t got;
      if (transfer.in_body && !verify_) {
        got = recv(transfer.fd, nullptr, std::min<std::uint64_t>(transfer.left, kTake),
                   MSG_TRUNC | MSG_DONTWAIT);
      } else {
        got = recv(transfer.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      }
      if (got < 0 && errno == EAGAIN) return Step::kMore;
      if (got <= 0) return Step::kFailed;
      if (!take(transfer,
                std::string_view(buffer_).substr(
                    0, std::min<std::size_t>(static_cast<std::size_t>(got), buffer_.size())),
                static_cast<std::uint64_t>(got)))
        return Step::kFailed;
    }
    return Step::kMore;
  }

 private:
  static constexpr std::uint64_t kTake = 8 << 20;

  bool take(Transfer& transfer, std::string_view bytes, std::uint64_t got) {
    if (!transfer.in_body) {
      transfer.head += bytes;
      const std::size_t end = transfer.head.find("\r\n\r\n");
      if (end == std::string::npos) return transfer.head.size() < buffer_.size();
      if (!read_head(transfer, end)) return false;
      const std::string body = transfer.head.substr(end + 4);
      return body.size() <= transfer.left && take(transfer, body, body.size());
    }
    if (got > transfer.left || (verify_ && !matches(transfer.taken, bytes))) return false;
    transfer.left -= got;
    transfer.taken += got;
    return true;
  }

  static bool read_head(Transfer& transfer, std::size_t end) {
    if (!transfer.head.starts_with("HTTP/1.1 200 ")) return false;
    std::string lower = transfer.head.substr(0, end);
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::string_view kName = "\r\ncontent-length:";
    const std::size_t at = lower.find(kName);
    if (at == std::string::npos) return false;
    transfer.left = std::strtoull(lower.c_str() + at + kName.size(), nullptr, 10);
    transfer.in_body = true;
    return true;
  }

  bool matches(std::uint64_t offset, std::string_view bytes) const {
    while (!bytes.empty()) {
      const std::size_t at = offset % kPatternSize;
      const std::size_t size = std::min(bytes.size(), kPatternSize - at);
      if (std::memcmp(bytes.data(), pattern_.data() + at, size) != 0) return false;
      bytes.remove_prefix(size);
      offset += size;
    }
    return true;
  }

  bool verify_;
  std::string buffer_;
  std::string pattern_;
};

void ask(int fd, const std::string& path) {
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: bench.test\r\n\r\n";
  must(send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()),
       "send");
}

int get(int port, const std::string& path, std::size_t count, bool verify) {
  const auto start = std::chrono::steady_clock::now();
  Sink sink(verify);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Transfer> transfers(count);
  for (std::size_t i = 0; i < count; ++i) {
    transfers[i].fd = connect_to(port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, transfers[i].fd, &event) == 0, "epoll_ctl");
  }
  for (Transfer& transfer : transfers) ask(transfer.fd, path);

  std::size_t whole = 0, failed = 0;
  std::array<epoll_event, 256> events;
  while (whole + failed < count) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      Transfer& transfer = transfers[events[static_cast<std::size_t>(i)].data.u64];
      const Step step = sink.step(transfer);
      if (step == Step::kMore) continue;
      ++(step == Step::kDone ? whole : failed);
      close(transfer.fd);
    }
  }
  std::uint64_t bytes = 0;
  for (const Transfer& transfer : transfers) bytes += transfer.taken;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("{\"whole\": %zu, \"failed\": %zu, \"bytes\": %llu, \"seconds\": %.4f}\n", whole, failed,
              static_cast<unsigned long long>(bytes), seconds.count());
  return failed == 0 ? 0 : 1;
}

int hold(int port, const std::string& path, std::size_t count) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  Sink sink(false);
  for (std::size_t i = 0; i < count; ++i) {
    Transfer transfer;
    transfer.fd = connect_to(port);  // never closed: that is the point
    ask(transfer.fd, path);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, transfer.fd, EPOLLIN);
    Step step = Step::kMore;
    while (step == Step::kMore) {
      epoll_event event;
      must(epoll_wait(epoll, &event, 1, -1) == 1, "epoll_wait");
      step = sink.step(transfer);
    }
    close(epoll);
    if (step == Step::kFailed) {
      std::fprintf(stderr, "bench_sink: connection %zu of %zu was not answered\n", i + 1, count);
      return 1;
    }
  }
  std::puts("ready");
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6 || (std::strcmp(argv[1], "get") != 0 && std::strcmp(argv[1], "hold") != 0)) {
    std::fprintf(stderr, "usage: bench_sink get|hold PORT PATH COUNT SECONDS [verify]\n");
    return 2;
  }
  alarm(static_cast<unsigned>(std::atoi(argv[5])));
  const auto count = static_cast<std::size_t>(std::atoi(argv[4]));
  if (std::strcmp(argv[1], "hold") == 0) return hold(std::atoi(argv[2]), argv[3], count);
  return get(std::atoi(argv[2]), argv[3], count, argc > 6);
}
