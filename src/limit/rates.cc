#include "limit/rates.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include "base/siphash.h"
#include "config/error.h"
#include "limit/address.h"
#include "limit/fields.h"

namespace limit {

namespace {

using Outcome = Standing::Outcome;

// What a policy counts by, of one caller: found out once for all its policies.
class Identified {
 public:
  Identified(const Caller& caller, unsigned ipv6_prefix)
      : caller_(caller), address_(masked(caller.address, ipv6_prefix)) {}

  Buckets::Key key(const Policy& policy) {
    if (policy.single) return {policy.id, Buckets::Class::kStranger};
    // Blocks of different lengths for different kinds, of hashes where a text has no fixed length: no two callers
    // have the same.
    std::uint64_t block[5] = {policy.id};
    std::size_t words = 3;
    if (policy.by_address || !counts_by_principal(policy))
      std::memcpy(&block[1], address_.data(), address_.size());
    if (counts_by_principal(policy)) {
      if (!hashed_) {
        issuer_ = base::siphash(caller_.issuer);
        subject_ = base::siphash(caller_.subject);
        hashed_ = true;
      }
      block[3] = issuer_;
      block[4] = subject_;
      words = 5;
    }
    return {base::siphash({reinterpret_cast<const char*>(block), words * sizeof block[0]}),
            words == 5 ? Buckets::Class::kVerified : Buckets::Class::kStranger};
  }

 private:
  bool counts_by_principal(const Policy& policy) const {
    return policy.by_principal && !(caller_.issuer.empty() && caller_.subject.empty());
  }

  const Caller& caller_;
  const std::array<std::uint8_t, 16> address_;
  std::uint64_t issuer_ = 0, subject_ = 0;
  bool hashed_ = false;
};

bool contains(const auto& list, const auto& value) {
  return std::ranges::find(list, value) != list.end();
}

// Alike on every instance, since Redis' keys are made of it: a hash without a secret, of names that the operator
// chose.
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

Standing Rates::check(const Policies& policies, const Caller& caller, base::Mono now) {
  Standing standing;
  standing.policies = &policies;
  Identified identified(caller, policies.ipv6_prefix);
  for (const Policy& policy : policies.list) {
    Standing::Item& item = standing.items[standing.count];
    item.policy = &policy;
    item.key = identified.key(policy);
    const bool take = standing.outcome == Outcome::kGranted;
    const Level level = ask(item, take, now);
    item.debt = level.debt;
    item.refused = !level.granted;
    item.taken = take && level.granted;
    if (item.refused) {
      if (take || standing.decisive().retry_after() < item.retry_after()) standing.at = standing.count;
      standing.outcome = Outcome::kRefused;
    }
    ++standing.count;
  }
  settle(standing);
  return standing;
}

Level Rates::ask(const Standing::Item& item, bool take, base::Mono now) {
  const Policy& policy = *item.policy;
  if (policy.single)
    return take ? policy.single->take(policy.quota, now) : policy.single->look(policy.quota, now);
  return take ? buckets_.take(item.key, policy.quota, now) : buckets_.look(item.key, policy.quota, now);
}

// Gives back what was taken in vain, and counts.
void Rates::settle(Standing& standing) {
  for (Standing::Item& item : std::span(standing.items.data(), standing.count)) {
    const Policy& policy = *item.policy;
    if (standing.outcome == Outcome::kGranted) {
      policy.tally->allowed();
    } else if (item.refused) {
      policy.tally->refused();
    } else if (item.taken) {
      item.debt -= policy.quota.interval;
      if (policy.single)
        policy.single->give_back(policy.quota);
      else
        buckets_.give_back(item.key, policy.quota);
    }
  }
}

net::Task<> Rates::wait(const Standing&, net::Cancel*) {
  co_return;
}

void Rates::resize(const config::Limits& limits, base::Mono now) {
  buckets_.resize(memory_of(limits), now);
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
