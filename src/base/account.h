// How many bytes the process holds for those whom it serves, and how many it may: one count for whatever can
// grow with what strangers ask for, wherever it lies.
//
// Owner:    the process; outlives whatever is counted in it.
// Thread:   any; a counter is added to where memory is made and where it is freed, never on the way of a hit.
// Units:    bytes. Failure: try_hold() says no; hold() never does.
//
// What holds memory counts it in its constructor and gives it back in its destructor: an entry that the cache
// let go of, and that a slow reader keeps, is still held. Whatever may choose asks first (fits(),
// try_hold()); what is made without asking is small and bounded by the number of connections.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace base {

class Account {
 public:
  enum class Kind : std::uint8_t {
    kObjects,  // what is cached, fetched, or kept by a reply
    kBodies,   // of requests, read ahead
    kBuffers,  // of what passes through: replies, uploads, tunnels
    kCount
  };

  explicit Account(std::uint64_t limit) : limit_(limit) {}
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  std::uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }
  void limit(std::uint64_t bytes) { limit_.store(bytes, std::memory_order_relaxed); }

  std::uint64_t held() const { return all_.load(std::memory_order_relaxed); }
  std::uint64_t held(Kind kind) const { return of(kind).load(std::memory_order_relaxed); }
  bool fits(std::uint64_t bytes) const { return held() + bytes <= limit(); }

  void hold(Kind kind, std::uint64_t bytes) {
    all_.fetch_add(bytes, std::memory_order_relaxed);
    of(kind).fetch_add(bytes, std::memory_order_relaxed);
  }
  bool try_hold(Kind kind, std::uint64_t bytes) {
    if (all_.fetch_add(bytes, std::memory_order_relaxed) + bytes > limit()) {
      all_.fetch_sub(bytes, std::memory_order_relaxed);
      return false;
    }
    of(kind).fetch_add(bytes, std::memory_order_relaxed);
    return true;
  }
  // Where this kind may take so much of it.
  bool try_hold(Kind kind, std::uint64_t bytes, std::uint64_t share) {
    if (of(kind).fetch_add(bytes, std::memory_order_relaxed) + bytes <= share) {
      if (all_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit()) return true;
      all_.fetch_sub(bytes, std::memory_order_relaxed);
    }
    of(kind).fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  void release(Kind kind, std::uint64_t bytes) {
    all_.fetch_sub(bytes, std::memory_order_relaxed);
    of(kind).fetch_sub(bytes, std::memory_order_relaxed);
  }

 private:
  using Counter = std::atomic<std::uint64_t>;
  Counter& of(Kind kind) { return kinds_[static_cast<std::size_t>(kind)]; }
  const Counter& of(Kind kind) const { return kinds_[static_cast<std::size_t>(kind)]; }

  Counter limit_;
  Counter all_{0};
  std::array<Counter, static_cast<std::size_t>(Kind::kCount)> kinds_{};
};

}  // namespace base
