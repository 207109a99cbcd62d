#include "net/resolver.h"

#include <algorithm>
#include <mutex>

namespace net {

namespace {

void give(Endpoint& address, std::uint16_t port) {
  if (address.family() == AF_INET6)
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = htons(port);
  else
    reinterpret_cast<sockaddr_in&>(address.storage).sin_port = htons(port);
}

}  // namespace

Resolver::Handle Resolver::name(const std::string& host, std::uint16_t port) {
  std::string key = host + ":" + std::to_string(port);
  if (const auto known = names_.find(key); known != names_.end()) return known->second;
  Handle made(new Name(host, port));
  if (const auto literal = Endpoint::parse(host, port)) {
    made->literal_ = true;
    made->addresses_ = std::make_shared<const std::vector<Endpoint>>(1, *literal);
    return made;  // not kept: it is known without
  }
  if (!make_room()) return nullptr;
  names_.emplace(std::move(key), made);
  return made;
}

Task<Result<Resolver::Addresses>> Resolver::resolve(const std::string& host, std::uint16_t port,
                                                    base::Nanos keep, base::Mono deadline, Cancel* cancel) {
  Handle found = name(host, port);
  if (!found) co_return fail(Fault::kNoRoom, "too many names at a time");
  co_return co_await resolve(std::move(found), keep, deadline, cancel);
}

Task<Result<Resolver::Addresses>> Resolver::resolve(Handle name, base::Nanos keep, base::Mono deadline,
                                                    Cancel* cancel) {
  // An answer that is merely old serves while the new one is looked up.
  // Without either, the last look-up failed a moment ago, and waiting would bring nothing.
  if (!glance(name, keep) && name->running_) {
    Event event(loop_);
    name->waiting_.push_back(&event);
    const CancelLink link(cancel, event);
    const Wake wake = co_await event.wait(deadline);
    std::erase(name->waiting_, &event);
    if (wake == Wake::kCancelled) co_return fail(Fault::kCancelled, "cancelled");
  }
  if (!name->addresses_) co_return fail(Fault::kNoName, "the name does not resolve");
  co_return name->addresses_;
}

// Names may come from strangers: whoever has us fetch a URL chooses one.
bool Resolver::make_room() {
  if (names_.size() < kMany) return true;
  const base::Mono old = loop_.now() - kForgotten;
  std::erase_if(names_,
                [&](const auto& one) { return one.second.use_count() == 1 && one.second->asked_ < old; });
  return names_.size() < kMost;
}

// Nobody waits for a look-up at the end: it is the line that it holds on to, and not us.
struct Resolver::Line {
  std::mutex lock;
  Resolver* resolver;  // null: it is gone, and its loop may be, too
};

Resolver::Resolver(Loop& loop, LookUps& look_ups)
    : loop_(loop), look_ups_(look_ups), idle_(loop), line_(std::make_shared<Line>()) {
  line_->resolver = this;
}

Resolver::~Resolver() {
  const std::lock_guard guard(line_->lock);
  line_->resolver = nullptr;
}

Task<> Resolver::drained() {
  while (running_ > 0) co_await idle_.wait();
}

void Resolver::begin(const Handle& name) {
  name->running_ = true;
  ++running_;
  look_ups_.ask({.host = name->host_, .failing = name->failures_ > 0, .in_dns = name->in_dns_},
                [line = line_, name](const Answer& found) {
                  const std::lock_guard guard(line->lock);
                  if (!line->resolver) return;
                  line->resolver->loop_.post([line, name, found] {
                    if (line->resolver) line->resolver->told(*name, found);
                  });
                });
}

void Resolver::told(Name& name, const Answer& found) {
  name.running_ = false;
  name.asked_ = loop_.now();
  if (found.addresses.empty()) {
    // Asked again soon, but not at the rate of requests, and ever less while it goes on.
    name.lasts_ = std::min(kFailed * (1 << std::min(name.failures_, 5U)), kFailedLongest);
    ++name.failures_;
  } else {
    name.failures_ = 0;
    name.in_dns_ = found.ttl.has_value();
    name.lasts_ = found.ttl ? std::max(*found.ttl, look_ups_.rules.min_ttl) : base::Nanos::max();
    auto addresses = std::make_shared<std::vector<Endpoint>>(found.addresses);
    for (Endpoint& address : *addresses) give(address, name.port_);
    name.addresses_ = std::move(addresses);
  }
  for (Event* waiting : name.waiting_) waiting->set();
  if (--running_ == 0) idle_.set();
}

}  // namespace net
