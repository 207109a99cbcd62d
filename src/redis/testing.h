// For tests only: a real redis-server on a port of its own, and a blocking client of a few lines.
//
// Owner:    a test.  Thread: the test's.
// Failure:  available() is false where redis-server is not installed; a server that does not come up in ten
//           seconds ends the test program.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "net/testing.h"
#include "redis/resp.h"

namespace redis::testing {

class RedisServer {
 public:
  static bool available() { return !program().empty(); }

  explicit RedisServer(std::vector<std::string> options = {}) : options_(std::move(options)) {
    int listener;
    std::tie(listener, port_) = net::testing::listen_on_loopback();
    ::close(listener);
    if (!::mkdtemp(directory_.data())) std::abort();
    start();
  }
  ~RedisServer() {
    end(SIGTERM);
    std::filesystem::remove_all(directory_);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const { return port_; }

  void start() {
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing running
      ::unsetenv("LD_PRELOAD");  // the clock of `make test-year-ahead`, with which it does not start
      std::vector<std::string> words{program(), "--port",       std::to_string(port_),
                                     "--bind",  "127.0.0.1",    "--save",
                                     "",        "--appendonly", "no",
                                     "--dir",   directory_,     "--logfile",
                                     "log"};
      words.insert(words.end(), options_.begin(), options_.end());
      std::vector<char*> arguments;
      arguments.reserve(words.size() + 1);
      for (auto& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    for (int tries = 0; ask({"PING"}).empty(); ++tries) {
      if (tries > 1000 || ::waitpid(pid_, nullptr, WNOHANG) != 0) std::abort();
      ::usleep(10'000);
    }
  }
  void end(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGCONT);
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void pause() { ::kill(pid_, SIGSTOP); }
  void go_on() { ::kill(pid_, SIGCONT); }

  // On a connection of its own; empty where there is none. Errors are replies ("-NOAUTH …").
  Reply ask(std::initializer_list<std::string_view> words) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    net::testing::Peer peer(fd);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
    std::string out;
    append_command(out, words);
    if (!peer.write(out)) return {};
    Parser parser(Bounds{});
    for (;;) {
      const std::string byte = peer.read(1);
      std::string_view input = byte;
      const auto whole = parser.next(input);
      if (byte.empty() || !whole) return {};
      if (*whole) return std::move(parser.reply());
    }
  }

 private:
  static std::string program() {
    for (const char* path : {"/usr/bin/redis-server", "/usr/local/bin/redis-server"})
      if (::access(path, X_OK) == 0) return path;
    return {};
  }

  const std::vector<std::string> options_;
  std::string directory_ = "/tmp/test-redis-XXXXXX";
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace redis::testing
