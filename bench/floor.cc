// The floor: what one request costs when nothing is done for it. One thread, one epoll; for each request's
// worth of bytes that arrives, the same reply bytes go out. Nothing is parsed, looked up, logged or timed.
//
//   bench_floor PORT REQUEST_FILE REPLY_FILE
//
// The request is known by its length alone, so the load must send exactly the bytes of REQUEST_FILE.
#include <array>

#include "socket.h"

int main(int argc, char** argv) {
  using namespace bench;
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_floor PORT REQUEST_FILE REPLY_FILE\n");
    return 2;
  }
  const int listener = listen_on(std::atoi(argv[1]));
  const std::size_t request = read_file(argv[2]).size();
  const std::string reply = read_file(argv[3]);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);

  std::vector<std::size_t> pending;  // by descriptor: bytes received and not yet answered
  std::array<epoll_event, 256> events;
  std::array<char, 16384> buffer;
  for (;;) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        int client;
        while ((client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
          no_delay(client);
          slot(pending, client) = 0;
          watch(epoll, EPOLL_CTL_ADD, client, EPOLLIN);
        }
        continue;
      }
      const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) {
        close(fd);
        continue;
      }
      std::size_t& bytes = slot(pending, fd);
      for (bytes += static_cast<std::size_t>(got); bytes >= request; bytes -= request) {
        if (send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(reply.size())) {
          close(fd);  // a client that does not read is not one of ours
          break;
        }
      }
    }
  }
}
