#include "limit/policy.h"

#include <algorithm>
#include <atomic>

namespace limit {

Tally::Slot& Tally::slot() {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kSlots;
  return slots_[mine];
}

std::uint64_t Tally::read_allowed() const {
  std::uint64_t sum = 0;
  for (const Slot& slot : slots_) sum += slot.allowed.read();
  return sum;
}

std::uint64_t Tally::read_refused() const {
  std::uint64_t sum = 0;
  for (const Slot& slot : slots_) sum += slot.refused.read();
  return sum;
}

std::uint64_t Standing::Item::remaining() const {
  if (refused) return 0;
  const Quota& quota = policy->quota;
  // What Redis says is a little ahead of the time at which this request is looked at: not worth a token.
  const std::int64_t ahead = drawn ? std::min<std::int64_t>(quota.interval / 2, 1'000'000) : 0;
  return static_cast<std::uint64_t>((quota.window - std::min(debt, quota.window) + ahead) / quota.interval);
}

base::Nanos Standing::Item::retry_after() const {
  return base::Nanos(policy->quota.until_token(debt));
}

base::Nanos Standing::Item::reset() const {
  const std::uint64_t left = remaining();
  if (left == 0) return retry_after();
  return base::Nanos(std::max(debt, static_cast<std::int64_t>(left) * policy->quota.interval));
}

}  // namespace limit
