// Bytes on their way from one socket to another: what holds them is counted, and smaller where memory is
// short.
//
// Owner:    a coroutine that copies.  Thread: its own.
// Lifetime: the account outlives it. Whoever waits for bytes that may not come holds none meanwhile:
//           release().
// Units:    bytes.  Failure: none; a copy must go on, so the account is not asked whether it may.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "base/account.h"

namespace base {

class CopyBuffer {
 public:
  static constexpr std::size_t kTight = 8 << 10;  // beside what is added to it

  explicit CopyBuffer(Account* account) : account_(account) {}  // null: not counted; holds none yet
  ~CopyBuffer() { release(); }
  CopyBuffer(const CopyBuffer&) = delete;
  CopyBuffer& operator=(const CopyBuffer&) = delete;

  // `wanted` bytes or kTight, and `more` in either case (for framing). What is held already stays.
  void take(std::size_t wanted, std::size_t more = 0) {
    if (data_) return;
    const bool roomy = !account_ || account_->fits(wanted + more);
    size_ = (roomy ? wanted : std::min(wanted, kTight)) + more;
    data_ = std::make_unique_for_overwrite<char[]>(size_);
    if (account_) account_->hold(Account::Kind::kBuffers, size_);
  }
  void release() {
    if (!data_) return;
    data_.reset();
    if (account_) account_->release(Account::Kind::kBuffers, size_);
    size_ = 0;
  }
  explicit operator bool() const { return data_ != nullptr; }
  std::span<char> all() { return {data_.get(), size_}; }

 private:
  Account* const account_;
  std::size_t size_ = 0;
  std::unique_ptr<char[]> data_;
};

}  // namespace base
