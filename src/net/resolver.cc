#include "net/resolver.h"

#include <algorithm>

namespace net {

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

void Resolver::begin(const Handle& name) {
  name->running_ = true;
  scope_.spawn(look_up(name));
}

Task<> Resolver::look_up(Handle name) {
  Answer found;
  co_await look_ups_.threads.run(loop_,
                                 [&] { found = look_ups_.ask(look_ups_.rules, name->host_, name->port_); });
  name->running_ = false;
  name->asked_ = loop_.now();
  if (found.addresses.empty()) {
    name->lasts_ = kFailed;  // asked again soon, but not at the rate of requests
  } else {
    name->lasts_ = found.ttl ? std::max(*found.ttl, look_ups_.rules.min_ttl) : base::Nanos::max();
    name->addresses_ = std::make_shared<const std::vector<Endpoint>>(std::move(found.addresses));
  }
  for (Event* waiting : name->waiting_) waiting->set();
}

}  // namespace net
