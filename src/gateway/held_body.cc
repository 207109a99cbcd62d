#include "gateway/held_body.h"

#include <algorithm>
#include <cstring>

namespace gateway {

namespace {
constexpr std::size_t kStep = 16 << 10;
}

void HeldBody::drop() {
  if (counted_) counted_->add(-static_cast<std::int64_t>(held_.size()));
  counted_ = nullptr;
  if (!held_.empty()) held_ = {};  // a spare exchange keeps no strangers' bytes
  from_ = nullptr;
  at_ = 0;
  whole_ = false;
}

net::Task<base::Result<>> HeldBody::hold(std::size_t most, telemetry::Gauge& counted) {
  counted_ = &counted;
  while (!whole_ && held_.size() < most) {
    const std::size_t before = held_.size();
    held_.resize(std::min(most, before + kStep));
    const auto n = co_await from_->read(std::span(held_).subspan(before));
    held_.resize(before + n.value_or(0));
    if (!n) co_return std::unexpected(n.error());
    counted.add(static_cast<std::int64_t>(*n));
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
  co_return co_await from_->read(out);
}

bool HeldBody::rewind() {
  if (!whole_) return false;
  at_ = 0;
  return true;
}

}  // namespace gateway
