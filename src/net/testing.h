// For tests only: a loop that is run until one task is done, and a server of a few lines to talk to.
//
// Owner:    a test. Thread: TestLoop belongs to the test's thread; a TestServer has a thread of its own and
//           serves one connection after the other with blocking calls, as a script says.
// Failure:  a script that waits for what never comes gives up after ten seconds.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "net/dns.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/scope.h"
#include "net/task.h"

namespace net::testing {

class TestLoop {
 public:
  TestLoop() : resolver(loop, look_ups), scope(loop) {}

  template <class T>
  T await(Task<T> task) {
    std::optional<T> out;
    scope.spawn(store(loop, std::move(task), out));
    loop.run();
    return std::move(*out);
  }
  void await(Task<> task) {
    scope.spawn(stop_after(loop, std::move(task)));
    loop.run();
  }
  // One turn, so that the loop learns the time.
  void turn() {
    loop.post([this] { loop.stop(); });
    loop.run();
  }
  // Lets the loop run until `done` says so; false after ten seconds.
  bool until(const std::function<bool()>& done) {
    Event pause(loop);
    bool met = false;
    await(poll_until(loop, pause, done, met));
    return met;
  }

  Loop loop;
  Dns look_ups;
  Resolver resolver;
  Scope scope;

 private:
  template <class T>
  static Task<> store(Loop& loop, Task<T> task, std::optional<T>& out) {
    out.emplace(co_await task);
    loop.stop();
  }
  static Task<> stop_after(Loop& loop, Task<> task) {
    co_await task;
    loop.stop();
  }
  static Task<> poll_until(Loop& loop, Event& pause, const std::function<bool()>& done, bool& met) {
    const base::Mono give_up = loop.now() + base::Seconds(10);
    while (!(met = done()) && loop.now() < give_up) co_await pause.wait(loop.now() + base::Millis(1));
  }
};

// Says what names mean as a function does, which may take its time: on one thread, one after the other.
class TestLookUps final : public LookUps {
 public:
  using Says = Answer (*)(const std::string& host);

  explicit TestLookUps(Says says) : LookUps({}), thread_([this, says] { work(says); }) {}
  ~TestLookUps() override {
    {
      const std::lock_guard guard(lock_);
      closing_ = true;
    }
    more_.notify_one();
    thread_.join();
  }
  void ask(Wish wish, Told told) override {
    {
      const std::lock_guard guard(lock_);
      asked_.emplace_back(std::move(wish), std::move(told));
    }
    more_.notify_one();
  }

 private:
  void work(Says says) {
    for (std::unique_lock guard(lock_);;) {
      more_.wait(guard, [this] { return closing_ || !asked_.empty(); });
      if (closing_) return;
      auto [wish, told] = std::move(asked_.front());
      asked_.pop_front();
      guard.unlock();
      told(says(wish.host));
      guard.lock();
    }
  }

  std::mutex lock_;
  std::condition_variable more_;
  std::deque<std::pair<Wish, Told>> asked_;
  bool closing_ = false;
  std::thread thread_;
};

// One accepted connection, as a script sees it.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Up to and with the empty line; "" when the other side has ended.
  std::string read_head() {
    std::size_t end;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return "";
    std::string head = pending_.substr(0, end + 4);
    pending_.erase(0, end + 4);
    return head;
  }
  std::string read(std::size_t n) {
    while (pending_.size() < n && more()) {
    }
    std::string out = pending_.substr(0, n);
    pending_.erase(0, out.size());
    return out;
  }
  bool ended() { return pending_.empty() && !more(); }
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int fd() const { return fd_; }

 private:
  bool more() {
    char buffer[16 << 10];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    pending_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  int fd_;
  std::string pending_;
};

// A listening socket on a port of the system's choice. A test that cannot have one ends here.
inline std::pair<int, std::uint16_t> listen_on_loopback(int backlog = 64) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::bind(fd, raw, size) != 0 || ::listen(fd, backlog) != 0 ||
      ::getsockname(fd, raw, &size) != 0)
    std::abort();
  return {fd, ntohs(address.sin_port)};
}

class TestServer {
 public:
  using Script = std::function<void(Peer&, int connection)>;  // connections count from 0

  explicit TestServer(Script script) : script_(std::move(script)) {
    std::tie(listener_, port_) = listen_on_loopback();
    thread_ = std::thread([this] { serve(); });
  }
  ~TestServer() {
    closing_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return accepted_; }

 private:
  void serve() {
    while (!closing_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const int number = accepted_++;
      Peer peer(fd);
      script_(peer, number);
    }
  }

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> closing_{false};
  std::atomic<int> accepted_{0};
  std::thread thread_;
};

}  // namespace net::testing
