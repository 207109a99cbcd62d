#include "net/race.h"

namespace net {

bool Laggards::knows(const Endpoint& address, base::Mono now) const {
  return std::ranges::any_of(all_, [&](const One& one) { return one == address && now < one.until; });
}

void Laggards::add(const Endpoint& address, base::Mono now) {
  forget(address);
  if (all_.size() == kMost) all_.erase(all_.begin());
  all_.push_back({.bytes = address.bytes(), .port = address.port(), .until = now + kRemembered});
}

void Laggards::forget(const Endpoint& address) {
  std::erase_if(all_, [&](const One& one) { return one == address; });
}

std::vector<Endpoint> in_turn(const std::vector<Endpoint>& addresses, const Laggards& laggards,
                              base::Mono now) {
  const auto next_of = [&](std::size_t from, bool first_family) {
    while (from < addresses.size() && (addresses[from].family() == addresses[0].family()) != first_family)
      ++from;
    return from;
  };
  std::vector<Endpoint> out, late;
  out.reserve(addresses.size());
  std::size_t same = next_of(0, true), other = next_of(0, false);
  for (bool first_family = true; out.size() + late.size() < addresses.size(); first_family = !first_family) {
    std::size_t& at = first_family ? same : other;
    if (at == addresses.size()) continue;
    (laggards.knows(addresses[at], now) ? late : out).push_back(addresses[at]);
    at = next_of(at + 1, first_family);
  }
  out.insert(out.end(), late.begin(), late.end());
  return out;
}

}  // namespace net
