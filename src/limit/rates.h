// Rate limits: who may go on, and what the reply says about it.
//
// Owner:    the process (cli::Server); one for all workers, surviving reloads.
// Thread:   check() any, and it takes no lock beyond Buckets' own and allocates nothing; compile(), resize()
//           and stats() under a lock, for whoever builds snapshots and scrapes.
// Failure:  compile() throws one line; check() has no failures: it answers.
//
// Usage:    auto policies = rates.compile(config, route);                    // with the snapshot
//           x.standing = rates.check(*policies, caller, worker.loop().now(), link);
//           while (x.standing.outcome == Standing::Outcome::kWait) {  // shared limits only, and rarely
//             co_await Rates::wait(x.standing, *link, &x.gone);
//             x.standing = rates.check(…, x.standing.wait_until);
//           }
//           append_rate_fields(x.standing, config.limits.rate_fields, out);    // fields.h
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/model.h"
#include "limit/buckets.h"
#include "limit/policy.h"
#include "net/loop.h"
#include "net/task.h"

namespace limit {

class SharedLink;

struct RateStats {
  struct OfPolicy {
    std::string name;
    std::uint64_t allowed = 0, refused = 0;
  };
  std::vector<OfPolicy> policies;  // every name ever compiled, sorted
  BucketStats buckets;
};

class Rates {
 public:
  explicit Rates(const config::Limits& limits);

  // Those of limits.rates, then the route's own; one named twice counts once.
  std::shared_ptr<const Policies> compile(const config::Config& config, const config::Route& route);

  // One token of each policy, or none. A refused request is counted by every policy that refuses it, a
  // granted one by all. Shared policies ask `link`, which is the worker's; where it is null, or has lost
  // Redis, the local buckets answer. `wait_until`: what the last check of this request said, once it waited.
  Standing check(const Policies& policies, const Caller& caller, base::Mono now, SharedLink* link = nullptr,
                 base::Mono wait_until = {});

  // After kWait, with the link that was asked: until it is worth to check again.
  static net::Task<> wait(const Standing& standing, SharedLink& link, net::Cancel* cancel);

  // With a reload's limits.memory, when the new snapshot serves. False: there is not so much; nothing has
  // changed.
  bool resize(const config::Limits& limits, base::Mono now);
  RateStats stats() const;

  // The part of limits.memory that these buckets get; Failures has the rest.
  static std::uint64_t memory_of(const config::Limits& limits) { return limits.memory - limits.memory / 8; }

 private:
  Level ask(const Standing::Item& item, bool take, base::Mono now);
  void settle(Standing& standing, SharedLink* link);
  // With lock_ held.
  Policy policy_of(const config::RateLimit& limit, const std::string& path);
  std::shared_ptr<Tally> tally_of(const std::string& name);
  std::shared_ptr<SingleBucket> single_of(std::uint64_t id);

  static constexpr std::size_t kMaxNames = 256;  // beyond it policies are counted together, as "other"

  Buckets buckets_;

  mutable std::mutex lock_;
  std::map<std::string, std::shared_ptr<Tally>> tallies_;
  std::map<std::uint64_t, std::weak_ptr<SingleBucket>> singles_;  // by Policy::id
};

}  // namespace limit
