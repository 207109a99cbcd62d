// The few socket calls that the bench's own programs share. A bench that cannot listen or connect has nothing
// to say, so every failure here ends the process with one line.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace bench {

[[noreturn]] inline void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

inline void must(bool ok, const char* what) {
  if (!ok) die(what);
}

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline void no_delay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

inline int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  must(fd >= 0, "socket");
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = loopback(port);
  must(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  must(listen(fd, 4096) == 0, "listen");
  return fd;
}

inline int connect_to(int port) {  // blocking
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(fd >= 0, "socket");
  sockaddr_in address = loopback(port);
  must(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
  no_delay(fd);
  return fd;
}

inline void watch(int epoll, int op, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  must(epoll_ctl(epoll, op, fd, &event) == 0, "epoll_ctl");
}

// A slot for each descriptor, made on first use.
template <typename T>
T& slot(std::vector<T>& table, int fd) {
  auto index = static_cast<std::size_t>(fd);
  if (index >= table.size()) table.resize(index + 1);
  return table[index];
}

inline std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  must(file.good(), path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace bench
