// A sender that chooses its own address, its pace and its tokens, for the measurement of a flood of forged
// ones.
//
//   bench_sender PORT SOURCE CONNECTIONS RATE SECONDS REQUEST [OTHERS EVERY]
//
//   SOURCE       a loopback address to send from: 127.0.0.2
//   RATE         requests a second over all connections; 0: each connection asks as soon as it was answered
//   REQUEST      a file with a request's head
//   SECONDS      the most; the end of stdin ends it before
//   OTHERS       a file of heads, each sent once and in place of every EVERYth REQUEST, until all have been
//                sent
//
// A connection that its server closes is opened anew, for the next request: whoever floods does so, too.
// Prints one line of JSON: how long it took, replies by status, connections opened, how many of OTHERS were
// sent.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <string_view>

#include "socket.h"

namespace {

using namespace bench;
using Clock = std::chrono::steady_clock;

struct Lane {
  int fd = -1;
  std::string reply;
};

class Sender {
 public:
  Sender(int port, const char* source, std::size_t connections, std::string request)
      : port_(port), request_(std::move(request)), lanes_(connections) {
    source_.sin_family = AF_INET;
    must(inet_pton(AF_INET, source, &source_.sin_addr) == 1, source);
    for (std::size_t i = 0; i < connections; ++i) idle_.push_back(i);
  }

  void take_others(const std::string& heads, std::uint64_t every) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    for (std::size_t from = 0, end; (end = heads.find(kEnd, from)) != std::string::npos;
         from = end + kEnd.size())
      others_.push_back(heads.substr(from, end + kEnd.size() - from));
    every_ = every;
  }

  void run(double rate, Clock::duration length) {
    watch(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN);
    const auto start = Clock::now();
    for (auto now = start; !stopped_ && now - start < length; now = Clock::now()) {
      const auto due =
          rate == 0 ? sent_ + idle_.size()
                    : static_cast<std::uint64_t>(std::chrono::duration<double>(now - start).count() * rate);
      while (sent_ < due && !idle_.empty()) send_one();
      std::array<epoll_event, 256> events;
      const int n = epoll_wait(epoll_, events.data(), events.size(), 1);
      must(n >= 0 || errno == EINTR, "epoll_wait");
      for (int i = 0; i < n; ++i) {
        const std::uint64_t which = events[static_cast<std::size_t>(i)].data.u64;
        if (which < kFirst)
          stopped_ = true;
        else
          take(which - kFirst);
      }
    }
    seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
  }

  void print() const {
    std::printf(R"({"seconds": %.6f, "sent": %llu, "connects": %llu, "others": %zu, "statuses": {)", seconds_,
                static_cast<unsigned long long>(sent_), static_cast<unsigned long long>(connects_),
                next_other_);
    const char* comma = "";
    for (const auto& [status, count] : statuses_) {
      std::printf("%s\"%d\": %llu", comma, status, static_cast<unsigned long long>(count));
      comma = ", ";
    }
    std::puts("}}");
  }

 private:
  void open(std::size_t index) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0, "socket");
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    must(bind(fd, reinterpret_cast<const sockaddr*>(&source_), sizeof source_) == 0, "bind");
    const sockaddr_in to = loopback(port_);
    must(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "connect");
    no_delay(fd);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kFirst + index;
    must(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    lanes_[index].fd = fd;
    ++connects_;
  }

  void send_one() {
    const std::size_t index = idle_.front();
    idle_.pop_front();
    if (lanes_[index].fd < 0) open(index);
    const bool other = every_ > 0 && sent_ % every_ == 0 && next_other_ < others_.size();
    const std::string& head = other ? others_[next_other_++] : request_;
    must(send(lanes_[index].fd, head.data(), head.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(head.size()),
         "send");
    ++sent_;
  }

  void take(std::size_t index) {
    Lane& lane = lanes_[index];
    std::array<char, 16 << 10> bytes;
    const ssize_t got = recv(lane.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    must(got > 0, "a reply");
    lane.reply.append(bytes.data(), static_cast<std::size_t>(got));
    const std::size_t end = lane.reply.find("\r\n\r\n");
    if (end == std::string::npos) return;
    std::string head = lane.reply.substr(0, end + 2);
    std::ranges::transform(head, head.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::string_view kLength = "\r\ncontent-length:";
    const std::size_t at = head.find(kLength);
    const std::size_t length =
        at == std::string::npos ? 0 : std::strtoull(head.c_str() + at + kLength.size(), nullptr, 10);
    if (lane.reply.size() < end + 4 + length) return;
    ++statuses_[std::atoi(head.c_str() + sizeof "http/1.1")];
    lane.reply.clear();
    if (head.find("\r\nconnection: close\r\n") != std::string::npos) {
      ::close(lane.fd);
      lane.fd = -1;
    }
    idle_.push_back(index);
  }

  static constexpr std::uint64_t kFirst = 1;  // in epoll: the first connection, behind stdin
  static_assert(STDIN_FILENO < kFirst);

  const int port_;
  const std::string request_;
  sockaddr_in source_{};
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Lane> lanes_;
  std::deque<std::size_t> idle_;
  std::vector<std::string> others_;
  std::size_t next_other_ = 0;
  std::uint64_t every_ = 0, sent_ = 0, connects_ = 0;
  std::map<int, std::uint64_t> statuses_;
  double seconds_ = 0;
  bool stopped_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7 && argc != 9) {
    std::fprintf(stderr, "usage: bench_sender PORT SOURCE CONNECTIONS RATE SECONDS REQUEST [OTHERS EVERY]\n");
    return 2;
  }
  Sender sender(std::atoi(argv[1]), argv[2], std::strtoull(argv[3], nullptr, 10), read_file(argv[6]));
  if (argc == 9) sender.take_others(read_file(argv[7]), std::strtoull(argv[8], nullptr, 10));
  const double seconds = std::atof(argv[5]);
  alarm(static_cast<unsigned>(seconds) + 20);
  sender.run(std::atof(argv[4]),
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
  sender.print();
  return 0;
}
