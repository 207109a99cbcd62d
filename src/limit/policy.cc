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
  const Quota& quota = policy->quota;
  return refused ? 0
                 : static_cast<std::uint64_t>((quota.window - std::min(debt, quota.window)) / quota.interval);
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
