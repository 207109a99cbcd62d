// Tokens that were verified: a second request with the same token costs a hash and a compare.
//
// Owner:    the worker.
// Thread:   that worker only; nothing is locked.
// Lifetime: an entry stays until it expires, until room is needed, or until its key is withdrawn. The pointer
//           that find() returns is good until the next call to insert() or find(): take a Ref to keep it.
// Units:    bytes of tokens, principals and entries.
//
// Usage:    if (const Principal* p = remembered.find(verifiers, token, now)) …
//           else if (auto p = verifiers.verify(token, now)) remembered.insert(token, *p, now);
//
// Found by a keyed hash of the signature (strangers cannot aim at a bucket) and by a compare of the whole
// token whose time does not depend on where the bytes differ. An entry answers only for the verifier
// (Verifier::id) that verified it, so that changed rules or configured keys forget it by themselves.
// Published keys come and go: when the epoch of the source has moved since, the key that verified is looked
// for once. Withdrawn: forgotten; still there: kept, so that a rotation is no storm of verifications. Only
// what verified comes in; a new entry is the first to go until it is asked for again, so that a scan of
// one-time tokens leaves the working set alone (CLOCK with a second chance). Bytes of a token are wiped when
// its entry goes.
//
// Failures: none; what does not fit is not remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ref.h"
#include "identity/principal.h"
#include "identity/verifiers.h"

namespace identity {

class Remembered {
 public:
  struct Bounds {
    std::size_t entries = 64 << 10;
    std::size_t bytes = 32 << 20;
  };

  Remembered() : Remembered(Bounds{}) {}
  explicit Remembered(Bounds bounds);
  ~Remembered();
  Remembered(const Remembered&) = delete;
  Remembered& operator=(const Remembered&) = delete;

  // Null when it is not known to one of these, not usable now, or of a key that is gone.
  const Principal* find(std::span<const Verifiers::Accepted> by, std::string_view token, base::Wall now);
  const Principal* find(const Verifiers& by, std::string_view token, base::Wall now) {
    return find(by.accepted(), token, now);
  }

  void insert(std::string_view token, base::Ref<const Principal> principal, base::Wall now);

  std::size_t entries() const { return live_; }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Entry {
    std::uint64_t hash = 0;
    std::uint64_t epoch = 0;               // of its verifier's published keys, when they were last looked at
    base::Ref<const Principal> principal;  // null: the slot is free
    std::string token;
    std::uint32_t next = kNone;  // in its bucket, or in the free list
    bool asked = false;          // since the hand last passed
  };

  std::uint32_t& bucket(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  static std::size_t cost(const Entry& entry);
  void remove(std::uint32_t slot);
  void evict_one(base::Wall now);
  std::uint32_t take_slot();
  void grow_buckets();

  const Bounds bounds_;
  std::vector<std::uint32_t> buckets_;  // heads of chains, a power of two
  std::vector<Entry> slots_;
  std::uint32_t free_ = kNone;
  std::size_t hand_ = 0;
  std::size_t live_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace identity
