#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "telemetry/line_sink.h"
#include "text/json_line.h"

namespace telemetry {

namespace {

constexpr int kPollMillis = 100;
constexpr int kPriority = 13 * 8 + 5;               // RFC 5424 §6.2.1: log audit, notice
constexpr std::string_view kTime = R"({"time":")";  // what every line of ours begins with

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "-";
  for (char& c : name)
    if (c != '\0' && (c <= ' ' || c > '~')) c = '?';  // PRINTUSASCII, §6
  return name.data();
}

class SyslogSink final : public LineSink {
 public:
  explicit SyslogSink(const std::string& address)
      : LineSink(address),
        middle_(" " + host_name() + " sekisho " + std::to_string(::getpid()) + " audit - ") {}
  ~SyslogSink() override { disconnect(); }

  int put(std::string_view lines, std::size_t& done, const GiveUp& give_up) override {
    while (done < lines.size()) {
      const std::size_t end = lines.find('\n', done);
      if (const int error = send(lines.substr(done, end - done), give_up)) return error;
      done = end + 1;
    }
    return 0;
  }

 private:
  int send(std::string_view line, const GiveUp& give_up) {
    if (fd_ < 0)
      if (const int error = connect()) return error;
    message_.assign("<").append(std::to_string(kPriority)).append(">1 ");
    if (line.starts_with(kTime))
      message_.append(line.substr(kTime.size(), text::LineTime::kSize));
    else
      message_.append("-");
    message_.append(middle_).append(line);
    for (;;) {
      if (::send(fd_, message_.data(), message_.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 0;
      const int error = errno;
      if (error == EINTR) continue;
      if (error == EMSGSIZE) return error;
      if (error != EAGAIN &&
          error != ENOBUFS) {  // whoever listened has gone, and may be another one next time
        disconnect();
        return error;
      }
      if (give_up.now()) return ETIMEDOUT;
      pollfd watch{.fd = fd_, .events = POLLOUT, .revents = 0};
      ::poll(&watch, 1, kPollMillis);
    }
  }

  int connect() { return output().starts_with('/') ? connect_unix() : connect_udp(); }

  int connect_unix() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (output().size() >= sizeof address.sun_path) return ENAMETOOLONG;
    std::memcpy(address.sun_path, output().c_str(), output().size());
    return connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }

  // Asks for the name each time, since another address may have taken over; the writer may wait for that.
  int connect_udp() {
    const std::size_t colon = output().rfind(':');
    if (colon == std::string::npos) return EINVAL;
    std::string host = output().substr(0, colon);
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), output().c_str() + colon + 1, &hints, &found) != 0) return EHOSTUNREACH;
    int error = EHOSTUNREACH;
    for (const addrinfo* each = found; each && error != 0; each = each->ai_next)
      error = connect_to(each->ai_family, each->ai_addr, each->ai_addrlen);
    ::freeaddrinfo(found);
    return error;
  }

  int connect_to(int family, const sockaddr* address, socklen_t length) {
    const int fd = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    if (::connect(fd, address, length) != 0) {
      const int error = errno;
      ::close(fd);
      return error;
    }
    fd_ = fd;
    return 0;
  }

  void disconnect() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  const std::string middle_;  // from the host's name to the structured data
  int fd_ = -1;
  std::string message_;
};

}  // namespace

std::unique_ptr<LineSink> make_syslog_sink(const std::string& address) {
  return std::make_unique<SyslogSink>(address);
}

}  // namespace telemetry
