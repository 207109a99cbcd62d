#include "gateway/held_body.h"

#include <algorithm>
#include <cstring>

namespace gateway {

using Kind = base::Account::Kind;

namespace {

constexpr std::size_t kFirst = 4 << 10;
constexpr std::uint64_t kShare = 4;  // of the account, one in so many bytes at the most

}  // namespace

bool HeldBody::make_room(std::size_t size) {
  const std::size_t grows = size - held_.capacity();
  if (!account_.try_hold(Kind::kBodies, grows, account_.limit() / kShare)) return false;
  held_.reserve(size);  // of a vector: just as much (a string may take twice of what it had)
  counted_ += grows;
  return true;
}

// The end is seen by a read of its own, so one byte more than `most` is asked for and kept.
net::Task<base::Result<>> HeldBody::hold(std::size_t most) {
  while (!whole_ && held_.size() <= most) {
    if (const auto there = co_await waited(); !there) co_return there;  // holding no room for it
    const std::size_t before = held_.size();
    if (before == held_.capacity() &&
        !make_room(before + std::min(most + 1 - before, std::max(before, kFirst))))
      co_return base::Result<>{};
    held_.resize(std::min(held_.capacity(), most + 1));
    const auto n = co_await more(std::span(held_).subspan(before));
    held_.resize(before + n.value_or(0));
    if (!n) co_return std::unexpected(n.error());
    whole_ = *n == 0;
  }
  co_return base::Result<>{};
}

net::Task<base::Result<std::size_t>> HeldBody::read(std::span<char> out) {
  if (at_ < held_.size()) {
    const std::size_t n = std::min(out.size(), held_.size() - at_);
    std::memcpy(out.data(), held_.data() + at_, n);
    at_ += n;
    co_return n;
  }
  if (whole_) co_return std::size_t{0};
  co_return co_await more(out);
}

net::Task<base::Result<>> HeldBody::wait() {
  if (at_ < held_.size() || whole_) co_return base::Result<>{};
  co_return co_await waited();
}

net::Task<base::Result<std::size_t>> HeldBody::more(std::span<char> out) {
  net::Cancel* const before = from_.interrupt_by(interrupt());
  auto n = co_await from_.read(out);
  from_.interrupt_by(before);
  co_return n;
}

net::Task<base::Result<>> HeldBody::waited() {
  net::Cancel* const before = from_.interrupt_by(interrupt());
  auto there = co_await from_.wait();
  from_.interrupt_by(before);
  co_return there;
}

bool HeldBody::rewind() {
  if (!whole_) return false;
  at_ = 0;
  return true;
}

}  // namespace gateway
