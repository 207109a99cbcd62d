// The origin behind every server of the bench. One thread, one epoll, HTTP/1.1 with keep-alive, GET only.
//
//   bench_origin PORT
//
//   /count     how many other requests have come: a cache that served from memory leaves it alone
//   /bytes/N   N bytes of the pattern, by sendfile, not to be stored
//   any other  1 KiB that may be cached for a day
#include <sys/mman.h>
#include <sys/sendfile.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <string_view>

#include "pattern.h"
#include "socket.h"

namespace {

using namespace bench;

struct Connection {
  std::string in;            // a head that is not whole yet
  std::string out;           // what goes before the pattern: a head, or a whole small reply
  std::size_t sent = 0;      // of out
  std::uint64_t body = 0;    // bytes of pattern still to send
  std::uint64_t offset = 0;  // into the endless pattern
};

class Origin {
 public:
  explicit Origin(int port) : listener_(listen_on(port)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    pattern_ = memfd_create("pattern", MFD_CLOEXEC);
    const std::string bytes = make_pattern();
    must(pattern_ >= 0 && write(pattern_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
         "memfd");
    watch(epoll_, EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_) {
          accept_all();
        } else if (!step(event.data.fd, event.events)) {
          close(event.data.fd);
        }
      }
    }
  }

 private:
  static constexpr std::uint64_t kTurn = 4 << 20;  // bytes sent before another connection has its turn

  void accept_all() {
    int client;
    while ((client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      no_delay(client);
      slot(connections_, client) = {};
      watch(epoll_, EPOLL_CTL_ADD, client, EPOLLIN);
    }
  }

  bool step(int fd, std::uint32_t events) {
    Connection& connection = slot(connections_, fd);
    if (events & EPOLLOUT) return write_some(fd, connection);
    std::array<char, 16384> buffer;
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    connection.in.append(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t end = connection.in.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    answer(std::string_view(connection.in).substr(0, end), connection);
    connection.in.erase(0, end + 4);
    watch(epoll_, EPOLL_CTL_MOD, fd, EPOLLOUT);
    return write_some(fd, connection);
  }

  void answer(std::string_view head, Connection& connection) {
    const std::size_t from = head.find(' ') + 1;
    const std::string path(head.substr(from, head.find(' ', from) - from));
    const std::string ok = "HTTP/1.1 200 OK\r\nDate: " + date() + "\r\n";
    connection.sent = 0;
    connection.offset = 0;
    if (path.ends_with("/count")) {
      const std::string body = std::to_string(count_);
      connection.out = ok + "Cache-Control: no-store\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n\r\n" + body;
      return;
    }
    ++count_;
    if (const std::size_t at = path.find("/bytes/"); at != std::string::npos) {
      connection.body = std::strtoull(path.c_str() + at + 7, nullptr, 10);
      connection.out =
          ok + "Cache-Control: no-store\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
          std::to_string(connection.body) + "\r\n\r\n";
      return;
    }
    connection.out = ok +
                     "Cache-Control: public, max-age=86400\r\nContent-Type: application/octet-stream\r\n"
                     "ETag: \"5ek15h0\"\r\nLast-Modified: Fri, 20 Nov 2026 00:00:00 GMT\r\n"
                     "Content-Length: 1024\r\n\r\n" +
                     std::string(1024, 'k');
  }

  // The second that it is, as a real origin says it: caches count an entry's age from here.
  const std::string& date() {
    if (const std::time_t now = std::time(nullptr); now != date_at_) {
      std::tm parts{};
      std::array<char, 32> text;
      gmtime_r(&now, &parts);
      date_.assign(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
      date_at_ = now;
    }
    return date_;
  }

  // Sends what the socket takes, within the connection's turn; false: the client has gone.
  bool write_some(int fd, Connection& connection) {
    while (connection.sent < connection.out.size()) {
      const ssize_t sent =
          send(fd, connection.out.data() + connection.sent, connection.out.size() - connection.sent,
               MSG_NOSIGNAL | (connection.body ? MSG_MORE : 0));
      if (sent < 0) return errno == EAGAIN;
      connection.sent += static_cast<std::size_t>(sent);
    }
    for (std::uint64_t turn = kTurn; connection.body > 0 && turn > 0;) {
      auto at = static_cast<off_t>(connection.offset % kPatternSize);
      const std::uint64_t wanted =
          std::min({connection.body, turn, kPatternSize - static_cast<std::uint64_t>(at)});
      const ssize_t sent = sendfile(fd, pattern_, &at, wanted);
      if (sent <= 0) return sent < 0 && errno == EAGAIN;
      connection.body -= static_cast<std::uint64_t>(sent);
      connection.offset += static_cast<std::uint64_t>(sent);
      turn -= static_cast<std::uint64_t>(sent);
    }
    if (connection.body == 0) watch(epoll_, EPOLL_CTL_MOD, fd, EPOLLIN);
    return true;
  }

  int listener_;
  int epoll_;
  int pattern_ = -1;
  std::uint64_t count_ = 0;
  std::time_t date_at_ = -1;
  std::string date_;                     // of that second
  std::vector<Connection> connections_;  // by descriptor
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_origin PORT\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  Origin(std::atoi(argv[1])).run();
}
