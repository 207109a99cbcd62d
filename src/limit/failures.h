// Failed verifications, by address: what admit asks before a token is looked at.
//
// Owner:    the process; one for all workers, surviving reloads.
// Thread:   any. The same buckets as for rates, in a table of their own, so that a flood of requests from
//           many addresses cannot evict who has failed.
// Failure:  none after construction.
//
// An address whose bucket is empty is exhausted until a token comes back. Nobody is charged for succeeding,
// and whoever comes with a token that has verified before is not asked, so that a house behind one address
// does not suffer for its worst guest. Each worker remembers its own tokens; that one of them has verified a
// token is known to all here, by a keyed hash, so that a caller is not turned away where the next connection
// happens to end.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/model.h"
#include "limit/buckets.h"
#include "telemetry/counter.h"

namespace limit {

struct FailureStats {
  std::uint64_t charged = 0;  // failures
  std::uint64_t refused = 0;  // times that exhausted() said so
  BucketStats buckets;
};

class Failures {
 public:
  using AddressBytes = std::array<std::uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d

  explicit Failures(const config::Limits& limits);

  bool exhausted(const AddressBytes& address, base::Mono now);  // takes nothing
  void charge(const AddressBytes& address, base::Mono now);
  base::Nanos retry_after(const AddressBytes& address, base::Mono now);  // 0: not exhausted

  // A token has verified; or it has not, though it had before. Newer ones take the place of older ones.
  void vouch(std::string_view token);
  void forget(std::string_view token);
  bool vouched(std::string_view token) const;  // then it may be looked at, exhausted or not

  // With a reload, when the new snapshot serves. False: the table has kept its size, since memory is short.
  bool configure(const config::Limits& limits, base::Mono now);
  FailureStats stats() const;

 private:
  void set(const config::Limits& limits);
  Quota quota() const;
  Buckets::Key key(const AddressBytes& address) const;

  // Read by every worker while a reload writes them: for one request an old value may stand beside a new one.
  std::atomic<bool> limited_{false};
  std::atomic<std::int64_t> interval_{1}, window_{0};
  std::atomic<unsigned> ipv6_prefix_{64};
  Buckets buckets_;
  std::vector<std::atomic<std::uint64_t>> vouched_;  // keyed hashes, each at a place of its own; 0: none
  telemetry::SharedCounter charged_, refused_;
};

}  // namespace limit
