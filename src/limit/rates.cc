#include "limit/rates.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/siphash.h"
#include "config/error.h"
#include "limit/address.h"
#include "limit/fields.h"
#include "limit/shared.h"

namespace limit {

namespace {

using Outcome = Standing::Outcome;

std::string_view bytes_of(const std::array<std::uint8_t, 16>& address) {
  return {reinterpret_cast<const char*>(address.data()), address.size()};
}

// What a policy counts by, of one caller: found out once for all its policies.
class Identified {
 public:
  Identified(const Caller& caller, unsigned ipv6_prefix)
      : caller_(caller),
        address_(masked(caller.address, ipv6_prefix)),
        has_principal_(!caller.issuer.empty() || !caller.subject.empty()) {}

  // Nobody outside knows the caller's hash, so none can be chosen that meets another's under another policy's
  // id.
  Buckets::Key key(const Policy& policy) {
    if (policy.single) return {policy.id, Buckets::Class::kStranger};
    const Parts by = parts_of(policy);
    std::optional<std::uint64_t>& hash = hashes_[by];
    if (!hash) hash = hash_of(by);
    return {*hash ^ policy.id, by == kAddress ? Buckets::Class::kStranger : Buckets::Class::kVerified};
  }

  // The same for other instances, whose hashes have other keys.
  std::span<const std::string_view> parts(const Policy& policy) {
    if (policy.single) return {};
    list_ = {bytes_of(address_), caller_.issuer, caller_.subject};
    switch (parts_of(policy)) {
      case kAddress:
        return {list_.data(), 1};
      case kPrincipal:
        return {list_.data() + 1, 2};
      case kBoth:
        break;
    }
    return list_;
  }

 private:
  enum Parts : std::uint8_t { kAddress, kPrincipal, kBoth };

  Parts parts_of(const Policy& policy) const {
    if (!policy.by_principal || !has_principal_) return kAddress;
    return policy.by_address ? kBoth : kPrincipal;
  }

  // Of a text in which the length of the issuer stands before it, so that no two callers have the same; a
  // long issuer or subject stands there as its hash, and a length that none has tells so.
  std::uint64_t hash_of(Parts by) const {
    if (by == kAddress) return base::siphash(bytes_of(address_));
    constexpr std::size_t kShort = 128;
    const bool is_short = caller_.issuer.size() <= kShort && caller_.subject.size() <= kShort;
    char text[16 + 8 + 2 * kShort];
    char* end = text;
    const auto add = [&end](const void* bytes, std::size_t n) {
      std::memcpy(end, bytes, n);
      end += n;
    };
    const auto add_number = [&add](std::uint64_t n) { add(&n, sizeof n); };
    if (by == kBoth) add(address_.data(), address_.size());
    add_number(is_short ? caller_.issuer.size() : ~std::uint64_t{0});
    if (is_short) {
      add(caller_.issuer.data(), caller_.issuer.size());
      add(caller_.subject.data(), caller_.subject.size());
    } else {
      add_number(base::siphash(caller_.issuer));
      add_number(base::siphash(caller_.subject));
    }
    return base::siphash({text, static_cast<std::size_t>(end - text)});
  }

  const Caller& caller_;
  const std::array<std::uint8_t, 16> address_;
  const bool has_principal_;
  std::array<std::optional<std::uint64_t>, 3> hashes_;
  std::array<std::string_view, 3> list_;
};

bool contains(const auto& list, const auto& value) {
  return std::ranges::find(list, value) != list.end();
}

// Alike on every instance, since Redis' keys are made of it: a hash without a secret, of names that the
// operator chose.
std::uint64_t id_of(const config::RateLimit& limit, const std::string& path) {
  std::string text = limit.name + '\0';
  for (const auto [key, letter] : {std::pair{config::RateKey::kAddress, 'a'},
                                   {config::RateKey::kPrincipal, 'p'},
                                   {config::RateKey::kRoute, 'r'}})
    if (contains(limit.per, key)) text += letter;
  if (contains(limit.per, config::RateKey::kRoute)) text.append(1, '\0').append(path);
  return base::siphash(text, base::SipKey{});
}

}  // namespace

Rates::Rates(const config::Limits& limits) : buckets_(memory_of(limits)) {}

std::shared_ptr<const Policies> Rates::compile(const config::Config& config, const config::Route& route) {
  std::vector<std::string> names = config.limits.rates;
  for (const std::string& name : route.rates)
    if (!contains(names, name)) names.push_back(name);
  if (names.size() > kMaxPolicies)
    throw config::ConfigError(config.file, route.line, "rates", "more than 4, those of limits included");

  auto out = std::make_shared<Policies>();
  out->ipv6_prefix = static_cast<std::uint8_t>(config.limits.ipv6_prefix);
  const std::lock_guard lock(lock_);
  for (const bool shared : {false, true})
    for (const std::string& name : names)
      if (const config::RateLimit& limit = config.rates.at(name); limit.shared == shared)
        out->list.push_back(policy_of(limit, route.path));
  out->policy_field = policy_field(out->list);
  return out;
}

Policy Rates::policy_of(const config::RateLimit& limit, const std::string& path) {
  Policy policy;
  policy.name = limit.name;
  policy.id = id_of(limit, path);
  policy.quota = Quota::of(limit.rate, limit.burst);
  policy.by_address = contains(limit.per, config::RateKey::kAddress);
  policy.by_principal = contains(limit.per, config::RateKey::kPrincipal);
  policy.shared = limit.shared;
  if (!policy.by_address && !policy.by_principal) policy.single = single_of(policy.id);
  policy.tally = tally_of(limit.name);
  policy.item = policy_item(limit.name);
  return policy;
}

Standing Rates::check(const Policies& policies, const Caller& caller, base::Mono now, SharedLink* link,
                      base::Mono wait_until) {
  Standing standing;
  standing.wait_until = wait_until;
  standing.policies = &policies;
  Identified identified(caller, policies.ipv6_prefix);
  for (const Policy& policy : policies.list) {
    Standing::Item& item = standing.items[standing.count];
    item.policy = &policy;
    item.key = identified.key(policy);
    const bool take = standing.outcome == Outcome::kGranted;
    Level level;
    if (policy.shared && link) {
      if (!take) break;  // whoever is refused here takes no token of others'
      const auto answer = link->draw(policy, item.key, identified.parts(policy), now, wait_until);
      if (answer.draw == Draw::kWait) {
        if (wait_until == base::Mono{}) standing.wait_until = now + link->patience();
        standing.outcome = Outcome::kWait;
        standing.at = standing.count++;
        break;
      }
      item.drawn = answer.draw == Draw::kGranted;
      level = answer.draw == Draw::kLost ? ask(item, take, now) : Level{item.drawn, answer.debt};
    } else {
      level = ask(item, take, now);
    }
    item.debt = level.debt;
    item.refused = !level.granted;
    item.taken = take && level.granted;
    if (item.refused) {
      if (take || standing.decisive().retry_after() < item.retry_after()) standing.at = standing.count;
      standing.outcome = Outcome::kRefused;
    }
    ++standing.count;
  }
  settle(standing, link);
  return standing;
}

Level Rates::ask(const Standing::Item& item, bool take, base::Mono now) {
  const Policy& policy = *item.policy;
  if (policy.single)
    return take ? policy.single->take(policy.quota, now) : policy.single->look(policy.quota, now);
  return take ? buckets_.take(item.key, policy.quota, now) : buckets_.look(item.key, policy.quota, now);
}

// Gives back what was taken in vain, and counts.
void Rates::settle(Standing& standing, SharedLink* link) {
  for (Standing::Item& item : std::span(standing.items.data(), standing.count)) {
    const Policy& policy = *item.policy;
    if (standing.outcome == Outcome::kGranted) {
      policy.tally->allowed();
    } else if (item.refused) {
      policy.tally->refused();
    } else if (item.taken) {
      item.debt -= policy.quota.interval;
      if (item.drawn)
        link->give_back(policy, item.key);
      else if (policy.single)
        policy.single->give_back(policy.quota);
      else
        buckets_.give_back(item.key, policy.quota);
    }
  }
}

net::Task<> Rates::wait(const Standing& standing, SharedLink& link, net::Cancel* cancel) {
  const Standing::Item& item = standing.decisive();
  return link.wait_for_lease(*item.policy, item.key, standing.wait_until, cancel);
}

bool Rates::resize(const config::Limits& limits, base::Mono now) {
  return buckets_.resize(memory_of(limits), now);
}

RateStats Rates::stats() const {
  RateStats out{.policies = {}, .buckets = buckets_.stats()};
  const std::lock_guard lock(lock_);
  for (const auto& [name, tally] : tallies_)
    out.policies.push_back({name, tally->read_allowed(), tally->read_refused()});
  return out;
}

std::shared_ptr<Tally> Rates::tally_of(const std::string& name) {
  if (const auto known = tallies_.find(name); known != tallies_.end()) return known->second;
  std::shared_ptr<Tally>& tally = tallies_[tallies_.size() < kMaxNames ? name : "other"];
  if (!tally) tally = std::make_shared<Tally>();
  return tally;
}

std::shared_ptr<SingleBucket> Rates::single_of(std::uint64_t id) {
  std::erase_if(singles_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<SingleBucket>& known = singles_[id];
  std::shared_ptr<SingleBucket> bucket = known.lock();
  if (!bucket) known = bucket = std::make_shared<SingleBucket>();
  return bucket;
}

}  // namespace limit
