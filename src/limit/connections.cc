#include "limit/connections.h"

#include <algorithm>

#include "base/siphash.h"
#include "limit/address.h"

namespace limit {

namespace {
constexpr auto kRelaxed = std::memory_order_relaxed;
}

Connections::Seat Connections::take(bool beyond) {
  if (open_.fetch_add(1, kRelaxed) < most_ || beyond) return Seat(*this);
  open_.fetch_sub(1, kRelaxed);
  return {};
}

bool Connections::Seat::take(const AddressBytes& address, unsigned ipv6_prefix, std::uint64_t most) {
  const AddressBytes kept = masked(address, ipv6_prefix);
  const std::uint64_t hash = base::siphash({reinterpret_cast<const char*>(kept.data()), kept.size()});
  cells_ = {static_cast<std::uint32_t>(hash % kCells),
            static_cast<std::uint32_t>(kCells + (hash >> 32) % kCells)};
  auto& first = of_->cells_[cells_[0]];
  auto& second = of_->cells_[cells_[1]];
  counted_ = true;
  if (std::min(first.fetch_add(1, kRelaxed), second.fetch_add(1, kRelaxed)) < most) return true;
  return false;  // it counts until the seat goes, which is at once
}

Connections::Seat::~Seat() {
  if (!of_) return;
  of_->open_.fetch_sub(1, kRelaxed);
  if (!counted_) return;
  for (const std::uint32_t cell : cells_) of_->cells_[cell].fetch_sub(1, kRelaxed);
}

}  // namespace limit
