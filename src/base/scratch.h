// Room for text that nearly always is small: within its owner, and on the heap only where it is not.
//
// Owner:    the object it is a member of; views into it live until the next take() or drop().
// Thread:   its owner's.  Units: bytes.  Failure: none.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace base {

template <std::size_t kInline>
class Scratch {
 public:
  std::span<char> take(std::size_t size) {
    if (size <= kInline) [[likely]]
      return {inline_, kInline};
    large_ = std::make_unique_for_overwrite<char[]>(size);
    return {large_.get(), size};
  }
  void drop() { large_.reset(); }

 private:
  std::unique_ptr<char[]> large_;
  char inline_[kInline];
};

}  // namespace base
