// A wire that can be made bad: a TCP proxy on loopback that delays, loses, changes and cuts what passes.
//
//   sekisho_wire_proxy --listen 127.0.0.1:0 --to 127.0.0.1:9000 [--seed N] [--fault FAULT]...
//
// wire_faults.h lists the faults. Prints "listening 127.0.0.1:PORT" when it takes connections, and when
// SIGTERM or SIGINT ends it one line of JSON: connections, bytes up and down, and how often a fault did
// something ("touched"), so that who asked for faults can see that there were some. Exit codes: 0 ended so, 1
// the system refused, 2 the command is wrong.
//
// One thread, one epoll. Bounded: 4,096 connections (more wait in the kernel's queue) and 256 MiB of bytes
// under way (then nothing more is read), 1 MiB for one direction of one connection.
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <memory>
#include <queue>
#include <unordered_map>

#include "socket.h"
#include "wire_lane.h"

namespace {

using namespace bench;
using Time = Clock::time_point;

constexpr std::size_t kConnections = 4096;
constexpr std::size_t kBudget = 256 << 20;
constexpr std::size_t kRead = 64 << 10;

enum Side : std::uint64_t { kClient = 0, kServer = 1 };

// Both connections of one client, and a lane for each direction: lane[kClient] holds what the client sent.
struct Link {
  std::uint64_t id = 0;
  std::array<int, 2> fd{-1, -1};
  std::array<std::uint32_t, 2> watched{0, 0};  // what epoll was told of each
  std::array<Lane, 2> lane;
  std::array<bool, 2> finished{false, false};  // the end of this lane was passed on
  bool connected = false;
  Time armed = Time::max();  // the earliest moment at which it is looked at again

  ~Link() {
    for (const int one : fd)
      if (one >= 0) close(one);
  }
};

int port_of(std::string_view address, std::string_view option) {
  const std::size_t colon = address.rfind(':');
  const std::string_view host = colon == std::string_view::npos ? "" : address.substr(0, colon);
  const std::string_view digits = colon == std::string_view::npos ? address : address.substr(colon + 1);
  int port = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool loopback = host.empty() || host == "127.0.0.1" || host == "localhost";
  if (!loopback || error != std::errc() || end != digits.data() + digits.size() || port < 0 || port > 65535)
    wrong(std::string(option) + " takes 127.0.0.1:PORT", address);
  return port;
}

class Proxy {
 public:
  Proxy(int port, int to, Faults faults, std::uint64_t seed)
      : to_(to), faults_(std::move(faults)), seed_(seed), start_(Clock::now()) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    must(sigprocmask(SIG_BLOCK, &set, nullptr) == 0, "sigprocmask");
    signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    must(signals_ >= 0, "signalfd");
    listener_ = listen_on(port);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    must(epoll_ >= 0, "epoll");
    add(signals_, kSignals, EPOLLIN);
    add(listener_, kListener, EPOLLIN);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    must(getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size) == 0, "getsockname");
    std::printf("listening 127.0.0.1:%d\n", ntohs(bound.sin_port));
    std::fflush(stdout);
  }

  void run() {
    std::array<epoll_event, 256> events;
    for (bool ended = false; !ended;) {
      if (frozen()) return;
      const int ready =
          epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patience(Clock::now()));
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 == kSignals)
          ended = true;
        else if (event.data.u64 == kListener)
          accept_some();
        else
          happened(event.data.u64, event.events);
      }
      for (const Time now = Clock::now(); !alarms_.empty() && alarms_.top().first <= now;) {
        const std::uint64_t id = alarms_.top().second;
        alarms_.pop();
        if (const auto found = links_.find(id); found != links_.end()) {
          found->second->armed = Time::max();
          move(*found->second);
        }
      }
      if (starved_ && waiting_ < kBudget / 2) unstarve();
    }
  }

  void tell() const {
    std::uint64_t touched = touched_, up = up_, down = down_;
    for (const auto& [id, link] : links_) {
      touched += link->lane[kClient].touched + link->lane[kServer].touched;
      up += link->lane[kClient].passed();
      down += link->lane[kServer].passed();
    }
    const auto print = [](const char* name, std::uint64_t value, const char* after) {
      std::printf("\"%s\": %llu%s", name, static_cast<unsigned long long>(value), after);
    };
    std::printf("{");
    print("connections", next_, ", ");
    print("up", up, ", ");
    print("down", down, ", ");
    print("touched", touched, "}\n");
    std::fflush(stdout);
  }

 private:
  static constexpr std::uint64_t kListener = ~std::uint64_t{0}, kSignals = kListener - 1;

  void add(int fd, std::uint64_t tag, std::uint32_t events) { control(EPOLL_CTL_ADD, fd, tag, events); }
  void control(int op, int fd, std::uint64_t tag, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = tag;
    must(epoll_ctl(epoll_, op, fd, &event) == 0, "epoll_ctl");
  }

  // True when a signal came while nothing moved.
  bool frozen() {
    const Time now = Clock::now();
    for (const Freeze& freeze : faults_.freezes) {
      const Time begin = start_ + freeze.at, end = begin + freeze.duration;
      if (now < begin || now >= end) continue;
      ++touched_;
      const int one = epoll_create1(EPOLL_CLOEXEC);
      must(one >= 0, "epoll");
      watch(one, EPOLL_CTL_ADD, signals_, EPOLLIN);
      epoll_event event;
      const int came = epoll_wait(one, &event, 1, milliseconds(end - now));
      close(one);
      if (came > 0) return true;
    }
    return false;
  }

  static int milliseconds(Nanos time) {  // rounded up, so that nothing is looked at too early
    const auto ms = (std::max(time, Nanos(0)) + Nanos(999'999)) / Nanos(1'000'000);
    return static_cast<int>(std::min<Nanos::rep>(ms, INT_MAX));
  }

  int patience(Time now) const {
    Time until = alarms_.empty() ? Time::max() : alarms_.top().first;
    for (const Freeze& freeze : faults_.freezes)
      if (start_ + freeze.at > now) until = std::min(until, start_ + freeze.at);
    return until == Time::max() ? -1 : milliseconds(until - now);
  }

  void accept_some() {
    while (links_.size() < kConnections) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) return;
      open(client);
    }
    control(EPOLL_CTL_MOD, listener_, kListener, 0);
    full_ = true;
  }

  void open(int client) {
    auto made = std::make_unique<Link>();
    Link& link = *made;
    link.id = next_++;
    link.fd[kClient] = client;
    link.fd[kServer] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link.fd[kServer] < 0) return;  // out of descriptors: the client sees its connection closed
    no_delay(client);
    no_delay(link.fd[kServer]);
    const Time now = Clock::now();
    link.lane[kClient].open(faults_.faults, true, seed_ + 2 * link.id, now);
    link.lane[kServer].open(faults_.faults, false, seed_ + 2 * link.id + 1, now);
    const sockaddr_in address = loopback(to_);
    const int begun = connect(link.fd[kServer], reinterpret_cast<const sockaddr*>(&address), sizeof address);
    links_.emplace(link.id, std::move(made));
    if (begun != 0 && errno != EINPROGRESS) return reset(link);
    for (const Side side : {kClient, kServer}) {
      link.watched[side] = side == kServer ? EPOLLOUT : 0;
      add(link.fd[side], link.id << 1 | side, link.watched[side]);
    }
    alarm(link, now);
  }

  void happened(std::uint64_t tag, std::uint32_t events) {
    const auto found = links_.find(tag >> 1);
    if (found == links_.end()) return;  // closed by an event of the same round
    Link& link = *found->second;
    const Side side = static_cast<Side>(tag & 1);
    if (events & EPOLLERR) return reset(link);
    if (side == kServer) link.connected = true;
    // A hang-up is told for as long as it lasts, so it ends the watch; what is left to read is read first.
    const bool gone = (events & EPOLLHUP) != 0;
    if ((events & EPOLLIN) || gone) {
      do {
        if (!read_from(link, side)) return;
      } while (gone && !link.lane[side].ended_by_source());
    }
    if (gone) {
      control(EPOLL_CTL_DEL, link.fd[side], tag, 0);
      link.watched[side] = UINT32_MAX;
    }
    move(link);
  }

  // One read; false: the link is no more.
  bool read_from(Link& link, Side side) {
    Lane& lane = link.lane[side];
    const ssize_t got = recv(link.fd[side], buffer_.data(), buffer_.size(), 0);
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) return true;
      reset(link);
      return false;
    }
    if (got == 0) {
      lane.source_ended(Clock::now());
      return true;
    }
    const std::size_t before = lane.waiting();
    lane.take(std::string(buffer_.data(), static_cast<std::size_t>(got)), Clock::now());
    waiting_ += lane.waiting() - before;
    return true;
  }

  // Writes what is due both ways, ends what has ended, and says what is to be watched next.
  void move(Link& link) {
    const Time now = Clock::now();  // one for all, so that nothing becomes due between two looks
    std::array<bool, 2> blocked{false, false};
    for (const Side from : {kClient, kServer}) {
      const Side to = from == kClient ? kServer : kClient;
      Lane& lane = link.lane[from];
      if (to == kServer && !link.connected) continue;
      for (std::string_view bytes; !blocked[to] && !(bytes = lane.front(now)).empty();) {
        const ssize_t n = send(link.fd[to], bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) return reset(link);
        blocked[to] = n < 0;
        if (n > 0) {
          lane.sent(static_cast<std::size_t>(n));
          waiting_ -= static_cast<std::size_t>(n);
        }
      }
      const Lane::End end = lane.end(now);
      if (end == Lane::End::kReset) return reset(link);
      if (end == Lane::End::kInOrder && !link.finished[from]) {
        link.finished[from] = true;
        shutdown(link.fd[to], SHUT_WR);
        // An end that no source asked for is the end of the whole connection.
        if (!lane.ended_by_source()) return drop(link);
      }
    }
    const auto over = [&](Side from) { return link.finished[from] || link.lane[from].swallowed_all(); };
    if (over(kClient) && over(kServer)) return drop(link);
    for (const Side side : {kClient, kServer}) {
      std::uint32_t wanted = blocked[side] ? EPOLLOUT : 0;
      if (side == kServer && !link.connected) wanted |= EPOLLOUT;
      if (link.connected && link.lane[side].wants_bytes()) {
        if (waiting_ < kBudget)
          wanted |= EPOLLIN;
        else
          starved_ = true;
      }
      if (link.watched[side] == wanted || link.watched[side] == UINT32_MAX) continue;
      link.watched[side] = wanted;
      control(EPOLL_CTL_MOD, link.fd[side], link.id << 1 | side, wanted);
    }
    alarm(link, now);
  }

  void alarm(Link& link, Time now) {
    Time due = Time::max();
    for (const Side from : {kClient, kServer}) {
      const auto at = link.lane[from].due();
      // What is due already waits for a socket, or was ended; no clock will change that.
      if (at && *at > now) due = std::min(due, *at);
    }
    if (due >= link.armed) return;
    link.armed = due;
    alarms_.emplace(due, link.id);
  }

  void unstarve() {
    starved_ = false;
    std::vector<std::uint64_t> all;
    all.reserve(links_.size());
    for (const auto& [id, link] : links_) all.push_back(id);
    for (const std::uint64_t id : all)
      if (const auto found = links_.find(id); found != links_.end()) move(*found->second);
  }

  // Both peers see a reset.
  void reset(Link& link) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    for (const int fd : link.fd) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    drop(link);
  }

  void drop(Link& link) {
    for (const Lane& lane : link.lane) {
      touched_ += lane.touched;
      waiting_ -= lane.waiting();
    }
    up_ += link.lane[kClient].passed();
    down_ += link.lane[kServer].passed();
    links_.erase(link.id);
    if (full_) {
      full_ = false;
      control(EPOLL_CTL_MOD, listener_, kListener, EPOLLIN);
    }
  }

  using Alarm = std::pair<Time, std::uint64_t>;

  int to_, listener_ = -1, epoll_ = -1, signals_ = -1;
  Faults faults_;
  std::uint64_t seed_;
  Time start_;
  std::array<char, kRead> buffer_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Link>> links_;
  std::priority_queue<Alarm, std::vector<Alarm>, std::greater<>> alarms_;
  std::uint64_t next_ = 0;  // connections so far
  std::size_t waiting_ = 0;
  bool full_ = false, starved_ = false;
  std::uint64_t touched_ = 0, up_ = 0, down_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  std::string_view listen, to;
  std::uint64_t seed = 1;
  Faults faults;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (i + 1 == argc) wrong("needs a value", option);
    const std::string_view value = argv[i + 1];
    if (option == "--listen")
      listen = value;
    else if (option == "--to")
      to = value;
    else if (option == "--seed")
      seed = parse_size(value);
    else if (option == "--fault")
      parse_fault(value, faults);
    else
      wrong("unknown option", option);
  }
  if (listen.empty() || to.empty()) wrong("needs --listen and --to", argv[0]);
  Proxy proxy(port_of(listen, "--listen"), port_of(to, "--to"), std::move(faults), seed);
  proxy.run();
  proxy.tell();
}
