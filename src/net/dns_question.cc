#include "net/dns_question.h"

#include <ares.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "telemetry/oplog.h"

namespace net {

namespace {

// Told once: it does not go away by asking again, and names are asked for all the time.
void complain(int status) {
  static std::atomic<bool> told{false};
  if (!told.exchange(true))
    telemetry::log::error("names cannot be looked up in DNS", {{"reason", ::ares_strerror(status)}});
}

int set_servers(ares_channel channel, const std::vector<Endpoint>& servers) {
  if (servers.empty()) return ARES_SUCCESS;
  std::string text;
  for (const Endpoint& server : servers) text += (text.empty() ? "" : ",") + server.text();
  return ::ares_set_servers_ports_csv(channel, text.c_str());
}

}  // namespace

void DnsQuestion::Destroy::operator()(ares_channeldata* channel) const {
  ::ares_destroy(channel);
}

DnsQuestion::DnsQuestion(const LookUpRules& rules, const std::string& host) {
  static const int ready = ::ares_library_init(ARES_LIB_INIT_ALL);
  ares_options options{};
  options.timeout = static_cast<int>(rules.timeout.count());
  options.tries = static_cast<int>(rules.tries);
  ares_channel channel = nullptr;
  int status = ready;
  if (status == ARES_SUCCESS)
    status = ::ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  if (status == ARES_SUCCESS) {
    channel_.reset(channel);
    status = set_servers(channel, rules.servers);
  }
  if (status != ARES_SUCCESS) {
    complain(status);
    outcome_ = Outcome::kFailed;
    return;
  }
  ::ares_set_socket_callback(
      channel,
      [](ares_socket_t, int, void* self) {
        static_cast<DnsQuestion*>(self)->asked_ = true;
        return static_cast<int>(ARES_SUCCESS);
      },
      this);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ::ares_getaddrinfo(
      channel, host.c_str(), nullptr, &hints,
      [](void* self, int result, int, ares_addrinfo* found) {
        static_cast<DnsQuestion*>(self)->on_answer(result, found);
        if (found) ::ares_freeaddrinfo(found);
      },
      this);
}

DnsQuestion::~DnsQuestion() = default;

void DnsQuestion::on_answer(int status, const ares_addrinfo* found) {
  int ttl = -1;
  const auto also = [&](int one) { ttl = ttl < 0 ? one : std::min(ttl, std::max(one, 0)); };
  for (const ares_addrinfo_node* node = found ? found->nodes : nullptr; node; node = node->ai_next) {
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
    answer_.addresses.push_back(endpoint_of(node->ai_addr, node->ai_addrlen, 0));
    also(node->ai_ttl);
  }
  for (const ares_addrinfo_cname* alias = found ? found->cnames : nullptr; alias; alias = alias->next)
    also(alias->ttl);
  // What stands in a file comes with a ttl of 0, like an answer that is not to be kept.
  if (asked_ && ttl >= 0) answer_.ttl = base::Seconds(ttl);
  if (!answer_.addresses.empty())
    outcome_ = Outcome::kFound;
  else
    outcome_ = status == ARES_ENOTFOUND || status == ARES_ENODATA ? Outcome::kDenied : Outcome::kFailed;
}

void DnsQuestion::poll_for(std::vector<pollfd>& all) {
  first_ = all.size();
  std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets;
  const auto wanted =
      static_cast<unsigned>(::ares_getsock(channel_.get(), sockets.data(), static_cast<int>(sockets.size())));
  for (unsigned i = 0; i < sockets.size(); ++i) {
    const bool readable = ARES_GETSOCK_READABLE(wanted, i), writable = ARES_GETSOCK_WRITABLE(wanted, i);
    if (!readable && !writable) continue;
    all.push_back({.fd = sockets[i],
                   .events = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0)),
                   .revents = 0});
  }
  polled_ = all.size() - first_;
  // It waits for nobody, and is not answered either.
  if (polled_ == 0 && outcome_ == Outcome::kNone) outcome_ = Outcome::kFailed;
}

base::Millis DnsQuestion::patience() const {
  timeval most{.tv_sec = 1, .tv_usec = 0}, next;
  const timeval* const wait = ::ares_timeout(channel_.get(), &most, &next);
  return base::Millis(static_cast<std::int64_t>(wait->tv_sec) * 1000 + wait->tv_usec / 1000 + 1);
}

void DnsQuestion::turn(std::span<const pollfd> all) {
  // Sockets that are closed on the way, c-ares does not find and passes over.
  for (const pollfd& one : all.subspan(first_, polled_)) {
    const auto bits = static_cast<unsigned>(one.revents);
    if (bits == 0) continue;
    const bool failed = bits & (POLLERR | POLLHUP | POLLNVAL);
    ::ares_process_fd(channel_.get(), bits & POLLIN || failed ? one.fd : ARES_SOCKET_BAD,
                      bits & POLLOUT || failed ? one.fd : ARES_SOCKET_BAD);
  }
  ::ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // those whose time is over
}

}  // namespace net
