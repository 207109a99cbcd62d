#include "net/look_up.h"

#include <ares.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace net {

namespace {

constexpr base::Nanos kLongest = base::Seconds(15);  // of a look-up with all its questions

Endpoint endpoint_of(const sockaddr* address, socklen_t size, std::uint16_t port) {
  Endpoint out;
  std::memcpy(&out.storage, address, size);
  out.length = size;
  if (out.family() == AF_INET6)
    reinterpret_cast<sockaddr_in6&>(out.storage).sin6_port = htons(port);
  else
    reinterpret_cast<sockaddr_in&>(out.storage).sin_port = htons(port);
  return out;
}

// A channel of c-ares and the one question that is asked on it.
class Question {
 public:
  explicit Question(const LookUpRules& rules) {
    static const bool ready = ::ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
    if (!ready) return;
    ares_options options{};
    options.timeout = static_cast<int>(rules.timeout.count());
    options.tries = static_cast<int>(rules.tries);
    ares_channel channel = nullptr;
    if (::ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS) return;
    channel_.reset(channel);
    ::ares_set_socket_callback(channel, &Question::on_socket, this);
    if (rules.servers.empty()) return;
    std::string servers;
    for (const Endpoint& server : rules.servers) servers += (servers.empty() ? "" : ",") + server.text();
    if (::ares_set_servers_ports_csv(channel, servers.c_str()) != ARES_SUCCESS) channel_.reset();
  }

  void ask(const std::string& host, std::uint16_t port) {
    if (!channel_) return;
    port_ = port;
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ::ares_getaddrinfo(channel_.get(), host.c_str(), nullptr, &hints, &Question::on_answer, this);
    const base::Mono give_up = base::mono_now() + kLongest;
    while (!answered_ && base::mono_now() < give_up && turn()) {
    }
    if (!answered_) timed_out_ = true;
    channel_.reset();  // calls on_answer() where nobody else has
  }

  Answer& answer() { return answer_; }
  bool timed_out() const { return timed_out_; }

 private:
  struct Destroy {
    void operator()(ares_channeldata* channel) const { ::ares_destroy(channel); }
  };

  // Waits for the servers or for c-ares' next deadline; false: it waits for nothing.
  bool turn() {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets;
    const auto wanted = static_cast<unsigned>(
        ::ares_getsock(channel_.get(), sockets.data(), static_cast<int>(sockets.size())));
    std::array<pollfd, ARES_GETSOCK_MAXNUM> polled;
    nfds_t n = 0;
    for (unsigned i = 0; i < sockets.size(); ++i) {
      const bool readable = ARES_GETSOCK_READABLE(wanted, i), writable = ARES_GETSOCK_WRITABLE(wanted, i);
      if (!readable && !writable) continue;
      polled[n++] = {.fd = sockets[i],
                     .events = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0)),
                     .revents = 0};
    }
    if (n == 0) return false;
    timeval most{.tv_sec = 1, .tv_usec = 0}, next;
    const timeval* const wait = ::ares_timeout(channel_.get(), &most, &next);
    const int ready =
        ::poll(polled.data(), n, static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
    if (ready <= 0) ::ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (nfds_t i = 0; ready > 0 && i < n; ++i) {
      const auto bits = static_cast<unsigned>(polled[i].revents);
      if (bits == 0) continue;
      const bool failed = bits & (POLLERR | POLLHUP | POLLNVAL);
      ::ares_process_fd(channel_.get(), bits & POLLIN || failed ? polled[i].fd : ARES_SOCKET_BAD,
                        bits & POLLOUT || failed ? polled[i].fd : ARES_SOCKET_BAD);
    }
    return true;
  }

  static int on_socket(ares_socket_t, int, void* self) {
    static_cast<Question*>(self)->asked_ = true;
    return ARES_SUCCESS;
  }

  static void on_answer(void* data, int status, int, ares_addrinfo* found) {
    auto& self = *static_cast<Question*>(data);
    self.answered_ = true;
    self.timed_out_ = status == ARES_ETIMEOUT;
    if (!found) return;
    int ttl = -1;
    const auto also = [&](int one) { ttl = ttl < 0 ? one : std::min(ttl, std::max(one, 0)); };
    for (const ares_addrinfo_node* node = found->nodes; node; node = node->ai_next) {
      if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
      self.answer_.addresses.push_back(endpoint_of(node->ai_addr, node->ai_addrlen, self.port_));
      also(node->ai_ttl);
    }
    for (const ares_addrinfo_cname* alias = found->cnames; alias; alias = alias->next) also(alias->ttl);
    // What stands in a file comes with a ttl of 0, like an answer that is not to be kept.
    if (self.asked_ && ttl >= 0) self.answer_.ttl = base::Seconds(ttl);
    ::ares_freeaddrinfo(found);
  }

  std::unique_ptr<ares_channeldata, Destroy> channel_;
  std::uint16_t port_ = 0;
  Answer answer_;
  bool asked_ = false;  // a server, and not only a file
  bool answered_ = false;
  bool timed_out_ = false;
};

}  // namespace

Answer ask_dns(const LookUpRules& rules, const std::string& host, std::uint16_t port) {
  Question question(rules);
  question.ask(host, port);
  // Where the servers have not answered in time, neither will they for the system.
  if (question.answer().addresses.empty() && rules.servers.empty() && !question.timed_out())
    return {.addresses = ask_system(host, port), .ttl = std::nullopt};
  return std::move(question.answer());
}

std::vector<Endpoint> ask_system(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  std::vector<Endpoint> out;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) return out;
  for (const addrinfo* a = list; a; a = a->ai_next)
    out.push_back(endpoint_of(a->ai_addr, a->ai_addrlen, port));
  ::freeaddrinfo(list);
  return out;
}

}  // namespace net
