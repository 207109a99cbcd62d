#include "limit/failures.h"

#include <algorithm>

#include "base/siphash.h"
#include "limit/address.h"

namespace limit {

namespace {
constexpr auto kRelaxed = std::memory_order_relaxed;

std::uint64_t memory_of(const config::Limits& limits) {
  return limits.memory / 8;
}

std::uint64_t places_of(const config::Limits& limits) {
  return std::max<std::uint64_t>(limits.memory / 64 / sizeof(std::uint64_t), 1024);
}

// Of its end, which is its signature: who knows that of a good token has the token.
std::uint64_t hash_of(std::string_view token) {
  constexpr std::size_t kTail = 48;
  return base::siphash(token.substr(token.size() > kTail ? token.size() - kTail : 0)) | 1;
}
}  // namespace

Failures::Failures(const config::Limits& limits) : buckets_(memory_of(limits)), vouched_(places_of(limits)) {
  set(limits);
}

void Failures::set(const config::Limits& limits) {
  const Quota quota = Quota::of(limits.failures.rate, limits.failures.burst);
  limited_.store(limits.failures.rate.count != 0, kRelaxed);
  interval_.store(quota.interval, kRelaxed);
  window_.store(quota.window, kRelaxed);
  ipv6_prefix_.store(static_cast<unsigned>(limits.ipv6_prefix), kRelaxed);
}

Quota Failures::quota() const {
  return {interval_.load(kRelaxed), window_.load(kRelaxed)};
}

Buckets::Key Failures::key(const AddressBytes& address) const {
  const AddressBytes kept = masked(address, ipv6_prefix_.load(kRelaxed));
  return {base::siphash({reinterpret_cast<const char*>(kept.data()), kept.size()}),
          Buckets::Class::kStranger};
}

bool Failures::exhausted(const AddressBytes& address, base::Mono now) {
  if (!limited_.load(kRelaxed) || buckets_.look(key(address), quota(), now).granted) return false;
  refused_.add();
  return true;
}

void Failures::charge(const AddressBytes& address, base::Mono now) {
  charged_.add();
  if (limited_.load(kRelaxed)) buckets_.take(key(address), quota(), now);
}

base::Nanos Failures::retry_after(const AddressBytes& address, base::Mono now) {
  if (!limited_.load(kRelaxed)) return base::Nanos(0);
  const Quota rate = quota();
  return base::Nanos(rate.until_token(buckets_.look(key(address), rate, now).debt));
}

void Failures::vouch(std::string_view token) {
  const std::uint64_t hash = hash_of(token);
  vouched_[(hash >> 1) % vouched_.size()].store(hash, kRelaxed);
}

void Failures::forget(std::string_view token) {
  std::uint64_t hash = hash_of(token);
  vouched_[(hash >> 1) % vouched_.size()].compare_exchange_strong(hash, 0, kRelaxed);
}

bool Failures::vouched(std::string_view token) const {
  const std::uint64_t hash = hash_of(token);
  return vouched_[(hash >> 1) % vouched_.size()].load(kRelaxed) == hash;
}

bool Failures::configure(const config::Limits& limits, base::Mono now) {
  set(limits);
  return buckets_.resize(memory_of(limits), now);
}

FailureStats Failures::stats() const {
  return {.charged = charged_.read(), .refused = refused_.read(), .buckets = buckets_.stats()};
}

}  // namespace limit
