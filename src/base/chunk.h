// A piece of a body: bytes behind a reference count, in one allocation, immutable once others can see them.
//
// Owner:    every Ref; a fill and its readers, a cached entry and the replies under way share one chunk.
// Thread:   one writer until it is published, any number of readers after. A writer may publish a chunk that
//           is still growing: then it hands readers a length along (under its own lock or by release), and
//           they read only below it. `used()` itself belongs to the writer until the chunk is whole.
// Lifetime: the last Ref frees it. Units: bytes.
// Failure:  none of its own; the system's refusal of memory ends the process, as for every allocation.
// Counted:  in the account that make() was given, from its beginning to its end.
//
// Usage:    auto chunk = Chunk::make(64 << 10);
//           n = read(fd, chunk->tail(), chunk->room()); chunk->grow(n);
//           Ref<const Chunk> whole = std::move(chunk);  reply(whole->view());
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "base/account.h"
#include "base/ref.h"

namespace base {

class Chunk final : public Shared<Chunk> {
 public:
  static constexpr std::size_t kMaxCapacity = 256 << 10;

  // capacity: 1 … kMaxCapacity. `account` may be null.
  static Ref<Chunk> make(std::size_t capacity, Account* account = nullptr) {
    assert(capacity > 0 && capacity <= kMaxCapacity);
    return Ref<Chunk>(new (::operator new(sizeof(Chunk) + capacity)) Chunk(capacity, account));
  }

  static Ref<Chunk> copy_of(std::string_view bytes, Account* account = nullptr) {
    Ref<Chunk> chunk = make(bytes.empty() ? 1 : bytes.size(), account);
    if (!bytes.empty()) std::memcpy(chunk->tail(), bytes.data(), bytes.size());
    chunk->grow(bytes.size());
    return chunk;
  }

  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  std::size_t capacity() const { return capacity_; }
  std::size_t used() const { return used_; }
  std::string_view view() const { return {data(), used_}; }

  // The writer's side: where the next bytes go, how many fit, and how many came.
  char* tail() { return reinterpret_cast<char*>(this + 1) + used_; }
  std::size_t room() const { return capacity_ - used_; }
  void grow(std::size_t n) {
    assert(n <= room());
    used_ += static_cast<std::uint32_t>(n);
  }

  // What it takes of memory, the allocator's header included.
  std::size_t cost() const { return cost(capacity_); }
  static constexpr std::size_t cost(std::size_t capacity) { return sizeof(Chunk) + capacity + 16; }

  ~Chunk() {
    if (account_) account_->release(Account::Kind::kObjects, cost());
  }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  // The block is larger than the type, so the compiler's sized delete would be told a wrong size.
  static void operator delete(void* p) { ::operator delete(p); }

 private:
  Chunk(std::size_t capacity, Account* account)
      : account_(account), capacity_(static_cast<std::uint32_t>(capacity)) {
    if (account_) account_->hold(Account::Kind::kObjects, cost());
  }

  Account* account_;
  std::uint32_t capacity_;
  std::uint32_t used_ = 0;
};

}  // namespace base
