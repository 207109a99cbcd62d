// Rate limits: who may go on, and what the reply says about it.
//
// Owner:    the process (cli::Server); one for all workers, surviving reloads.
// Thread:   check() any, and it takes no lock beyond Buckets' own and allocates nothing; compile(), resize() and
//           stats() under a lock, for whoever builds snapshots and scrapes.
// Failure:  compile() throws one line; check() has no failures: it answers.
// Standard: draft-ietf-httpapi-ratelimit-headers-11 (RateLimit-Policy §3, RateLimit §4); RFC 9110 §10.2.3
//           (Retry-After); RFC 9651 (structured fields).
//
// Usage:    auto policies = rates.compile(config, route);                    // with the snapshot
//           x.standing = rates.check(*policies, caller, worker.loop().now());
//           while (x.standing.outcome == Standing::Outcome::kWait) {         // shared limits only, and rarely
//             co_await rates.wait(x.standing, worker.loop(), &x.gone);
//             x.standing = rates.check(…);
//           }
//           append_rate_fields(x.standing, config.limits.rate_fields, out);
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

// limit/shared.h: buckets counted in Redis together with other instances. What is asked of it:
//   enum class Draw { kGranted, kRefused, kWait };
//   Draw draw(const Policy&, std::uint64_t key_hash, base::Mono now, Standing::Item&);  // sets the item's debt
//   void give_back(const Policy&, std::uint64_t key_hash);  // a token just granted, since another policy refused
//   net::Task<Draw> wait_for_lease(const Policy&, std::uint64_t key_hash, net::Loop&, net::Cancel*);
// The hash is alike on every instance that has the same redis.prefix and redis.password.
class SharedBuckets;

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
  // `shared`: null without Redis; then shared policies count here alone. Outlives this.
  explicit Rates(const config::Limits& limits, SharedBuckets* shared = nullptr);

  // Those of limits.rates, then the route's own; one named twice counts once.
  std::shared_ptr<const Policies> compile(const config::Config& config, const config::Route& route);

  // One token of each policy, or none. Refused requests are counted by every policy that refuses, granted ones by
  // all.
  Standing check(const Policies& policies, const Caller& caller, base::Mono now);

  // Until it is worth to check again. Only after kWait; bounded by SharedBuckets.
  net::Task<> wait(const Standing& standing, net::Loop& loop, net::Cancel* cancel);

  // With a reload's limits.memory, when the new snapshot serves.
  void resize(const config::Limits& limits, base::Mono now);
  RateStats stats() const;

  // The part of limits.memory that these buckets get; Failures has the rest.
  static std::uint64_t memory_of(const config::Limits& limits) { return limits.memory - limits.memory / 8; }

 private:
  bool ask(Standing::Item& item, base::Mono now, bool take);
  void give_back(const Standing::Item& item);
  std::shared_ptr<Tally> tally_of(const std::string& name);
  std::shared_ptr<SingleBucket> single_of(std::uint64_t id);

  Buckets buckets_;
  SharedBuckets* const shared_;

  mutable std::mutex lock_;
  std::map<std::string, std::shared_ptr<Tally>> tallies_;
  std::map<std::uint64_t, std::weak_ptr<SingleBucket>> singles_;  // by Policy::id
};

// The reply's fields, each `Name: value\r\n`:
//   RateLimit-Policy and RateLimit        unless kOff; a refusal's RateLimit names only what refused, since
//                                         Retry-After must not end before a window that stands there (draft §6)
//   x-ratelimit-limit, -remaining, -reset with kBoth: of what refused, else of the policy with least remaining
//   Retry-After                           on refusal, always: whole seconds, rounded up, at least 1
// Nothing where no policy was checked. Allocates nothing beyond `out`.
void append_rate_fields(const Standing& standing, config::RateFields which, std::string& out);

// Retry-After alone, for refusals that are not a policy's (limit::Failures).
void append_retry_after(base::Nanos after, std::string& out);

// The address as buckets are kept by it: IPv4 whole, of IPv6 the first `prefix` bits.
std::array<std::uint8_t, 16> masked(const std::array<std::uint8_t, 16>& address, unsigned ipv6_prefix);

}  // namespace limit
