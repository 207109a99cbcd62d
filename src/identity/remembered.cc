#include "identity/remembered.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "base/sabotage.h"
#include "base/siphash.h"
#include "identity/constant_time.h"

namespace identity {

namespace {

constexpr std::size_t kFirstBuckets = 1024;

// The end of a token is its signature, and that is a hash of the rest already: no two tokens that verified
// share it, so hashing more would only cost more. Strangers still cannot aim, as the key is the process's.
std::uint64_t hash_of(std::string_view token) {
  constexpr std::size_t kTail = 48;
  return base::siphash(token.substr(token.size() > kTail ? token.size() - kTail : 0));
}

}  // namespace

Remembered::Remembered(Bounds bounds) : bounds_(bounds), buckets_(kFirstBuckets, kNone) {}

Remembered::~Remembered() {
  for (Entry& entry : slots_) OPENSSL_cleanse(entry.token.data(), entry.token.size());
}

std::size_t Remembered::cost(const Entry& entry) {
  return sizeof(Entry) + entry.token.capacity() + entry.principal->cost() + sizeof(std::uint32_t);
}

const Principal* Remembered::find(std::span<const Verifiers::Accepted> by, std::string_view token,
                                  base::Wall now) {
  const std::uint64_t hash = hash_of(token);
  for (std::uint32_t i = bucket(hash); i != kNone; i = slots_[i].next) {
    Entry& entry = slots_[i];
    if (entry.hash != hash) continue;
    const auto one = std::ranges::find(by, entry.principal->verifier, &Verifiers::Accepted::id);
    if (one == by.end() || !equal_in_constant_time(entry.token, token)) continue;
    if (!entry.principal->usable(now) && !sabotage::on("remembered-past-expiry"))
      continue;  // the hand takes it away
    if (const std::uint64_t epoch = one->epoch->load(std::memory_order_acquire); entry.epoch != epoch) {
      if (!one->verifier->trusts(entry.principal->key) && !sabotage::on("withdrawn-key-trusted")) {
        remove(i);
        return nullptr;
      }
      entry.epoch = epoch;
    }
    entry.asked = true;
    return entry.principal.get();
  }
  return nullptr;
}

void Remembered::insert(std::string_view token, base::Ref<const Principal> principal, base::Wall now) {
  const std::uint64_t hash = hash_of(token);
  for (std::uint32_t i = bucket(hash); i != kNone; i = slots_[i].next) {
    if (slots_[i].hash != hash || slots_[i].principal->verifier != principal->verifier ||
        !equal_in_constant_time(slots_[i].token, token))
      continue;
    remove(i);
    break;
  }
  const std::uint64_t epoch = principal->epoch;
  Entry entry{hash, epoch, std::move(principal), std::string(token), kNone, false};
  const std::size_t size = cost(entry);
  if (bounds_.entries == 0 || size > bounds_.bytes) {
    OPENSSL_cleanse(entry.token.data(), entry.token.size());
    return;
  }
  while (live_ > 0 && (live_ >= bounds_.entries || bytes_ + size > bounds_.bytes)) evict_one(now);
  if (live_ >= buckets_.size()) grow_buckets();
  const std::uint32_t slot = take_slot();
  std::uint32_t& head = bucket(hash);
  entry.next = std::exchange(head, slot);
  slots_[slot] = std::move(entry);
  bytes_ += size;
  ++live_;
}

void Remembered::remove(std::uint32_t slot) {
  Entry& entry = slots_[slot];
  std::uint32_t* link = &bucket(entry.hash);
  while (*link != slot) link = &slots_[*link].next;
  *link = entry.next;
  bytes_ -= cost(entry);
  --live_;
  OPENSSL_cleanse(entry.token.data(), entry.token.size());
  entry = Entry{};
  entry.next = std::exchange(free_, slot);
}

// The hand goes round: who was asked for since its last visit stays for one more round.
void Remembered::evict_one(base::Wall now) {
  for (;;) {
    hand_ = hand_ + 1 < slots_.size() ? hand_ + 1 : 0;
    Entry& entry = slots_[hand_];
    if (!entry.principal) continue;
    if (std::exchange(entry.asked, false) && entry.principal->usable(now)) continue;
    remove(static_cast<std::uint32_t>(hand_));
    return;
  }
}

std::uint32_t Remembered::take_slot() {
  if (free_ != kNone) return std::exchange(free_, slots_[free_].next);
  slots_.emplace_back();
  return static_cast<std::uint32_t>(slots_.size() - 1);
}

void Remembered::grow_buckets() {
  buckets_.assign(buckets_.size() * 2, kNone);
  for (std::uint32_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].principal) slots_[i].next = std::exchange(bucket(slots_[i].hash), i);
}

}  // namespace identity
