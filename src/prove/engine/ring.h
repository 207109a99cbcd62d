// A queue that keeps its memory: what goes round and round must not allocate.
//
// Owner:    whoever holds it.  Thread: one.  Failure: push() allocates when it grows, and never shrinks.
#pragma once

#include <cstddef>
#include <vector>

namespace prove {

template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const T& front() const { return cells_[head_]; }

  void push(T value) {
    if (size_ == cells_.size()) grow();
    cells_[(head_ + size_) & (cells_.size() - 1)] = value;
    ++size_;
  }
  T pop() {
    T value = cells_[head_];
    head_ = (head_ + 1) & (cells_.size() - 1);
    --size_;
    return value;
  }

 private:
  void grow() {
    std::vector<T> larger(cells_.empty() ? 16 : cells_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = cells_[(head_ + i) & (cells_.size() - 1)];
    cells_.swap(larger);
    head_ = 0;
  }

  std::vector<T> cells_;  // a power of two
  std::size_t head_ = 0, size_ = 0;
};

}  // namespace prove
