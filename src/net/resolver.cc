#include "net/resolver.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/stream.h"

namespace net {

namespace {

Error why_not(int error) {
  if (error == ECONNREFUSED) return {Fault::kRefused, "the connection was refused"};
  return {Fault::kUnreachable, "the address cannot be reached"};
}

}  // namespace

std::vector<Endpoint> Resolver::ask_system(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  std::vector<Endpoint> out;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) return out;
  for (const addrinfo* a = list; a; a = a->ai_next) {
    Endpoint endpoint;
    std::memcpy(&endpoint.storage, a->ai_addr, a->ai_addrlen);
    endpoint.length = a->ai_addrlen;
    out.push_back(endpoint);
  }
  ::freeaddrinfo(list);
  return out;
}

Task<Result<Resolver::Addresses>> Resolver::resolve(const std::string& host, std::uint16_t port,
                                                    base::Nanos keep, base::Mono deadline, Cancel* cancel) {
  std::string key = host + ":" + std::to_string(port);
  if (const auto literal = Endpoint::parse(host, port))
    co_return std::make_shared<const std::vector<Endpoint>>(1, *literal);
  if (!entries_.contains(key) && !make_room()) co_return fail(Fault::kNoRoom, "too many names at a time");
  Entry& entry = entries_[key];  // not erased while somebody waits
  if (entry.expires <= loop_.now() && !entry.running) {
    entry.running = true;
    scope_.spawn(look_up(std::move(key), host, port, keep));
  }
  // An answer that is merely old serves while the new one is looked up.
  // Without either, the last look-up failed a moment ago, and waiting would bring nothing.
  if (!entry.addresses && entry.running) {
    Event event(loop_);
    entry.waiting.push_back(&event);
    const CancelLink link(cancel, event);
    const Wake wake = co_await event.wait(deadline);
    std::erase(entry.waiting, &event);
    if (wake == Wake::kCancelled) co_return fail(Fault::kCancelled, "cancelled");
  }
  if (!entry.addresses) co_return fail(Fault::kNoName, "the name does not resolve");
  co_return entry.addresses;
}

// Names may come from strangers: whoever has us fetch a URL chooses one.
bool Resolver::make_room() {
  if (entries_.size() < kMany) return true;
  const base::Mono old = loop_.now() - kForgotten;
  std::erase_if(entries_, [&](const auto& one) {
    return !one.second.running && one.second.waiting.empty() && one.second.expires < old;
  });
  return entries_.size() < kMost;
}

Task<> Resolver::look_up(std::string key, std::string host, std::uint16_t port, base::Nanos keep) {
  std::vector<Endpoint> found;
  co_await offload_.run(loop_, [&] { found = ask_(host, port); });
  Entry& entry = entries_[key];
  entry.running = false;
  // A failure is asked again soon, but not at the rate of requests.
  entry.expires = loop_.now() + (found.empty() ? std::min<base::Nanos>(keep, base::Seconds(1)) : keep);
  if (!found.empty()) entry.addresses = std::make_shared<const std::vector<Endpoint>>(std::move(found));
  for (Event* waiting : entry.waiting) waiting->set();
}

Task<Result<Stream>> connect(Loop& loop, const std::vector<Endpoint>& addresses, base::Mono deadline,
                             Cancel* cancel) {
  Error last{Fault::kNoName, "the name has no address"};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const Endpoint& to = addresses[i];
    const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) co_return fail(Fault::kNoRoom, "no descriptor left for a connection");
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const int started = ::connect(fd, to.raw(), to.length);
    const int why = errno;
    if (started != 0 && why != EINPROGRESS) {
      ::close(fd);
      if (why == EADDRNOTAVAIL && i + 1 == addresses.size())
        co_return fail(Fault::kNoRoom, "no port left for a connection");
      last = why_not(why);
      continue;
    }
    Stream stream(loop, fd);
    if (!stream.open()) co_return fail(Fault::kNoRoom, "no room to watch a connection");
    if (started == 0) co_return stream;

    const base::Nanos left = deadline - loop.now();
    stream.set_deadline(i + 1 < addresses.size() ? loop.now() + left / 2 : deadline);
    stream.watch().writable = false;
    const CancelLink link(cancel, stream.watch());
    const Wake wake = co_await stream.writable();
    if (wake == Wake::kCancelled) co_return fail(Fault::kCancelled, "cancelled");
    if (wake == Wake::kTimeout) {
      last = {Fault::kTimedOut, "no connection was accepted in time"};
      continue;
    }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
      stream.clear_deadline();
      co_return stream;
    }
    last = why_not(error);
  }
  co_return std::unexpected(last);
}

}  // namespace net
