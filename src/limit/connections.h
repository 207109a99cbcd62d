// Places for open client connections: of all together, and of each address.
//
// Owner:    the process; outlives every Seat.  A Seat: the connection.
// Thread:   any; without a lock.
// Failure:  none.  Memory: fixed, whoever comes.
//
// No address is kept. Each is counted in two cells that a keyed hash names, and its count is the lesser of
// both: who would wrong another has to share both cells with him and cannot choose them (a count-min sketch).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limit {

class Connections {
 public:
  using AddressBytes = std::array<std::uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d

  explicit Connections(std::uint64_t most) : most_(most), cells_(std::size_t{2} * kCells) {}

  // A place among all, and maybe one of an address; given back when it goes.
  class Seat {
   public:
    Seat() = default;
    Seat(Seat&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), cells_(other.cells_), counted_(other.counted_) {}
    Seat& operator=(Seat&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(cells_, other.cells_);
      std::swap(counted_, other.counted_);
      return *this;
    }
    ~Seat();

    explicit operator bool() const { return of_ != nullptr; }
    // Takes one of the address (of its network, see address.h), unless `most` are taken. Once.
    bool take(const AddressBytes& address, unsigned ipv6_prefix, std::uint64_t most);
    bool same_address(const Seat& other) const {
      return counted_ && other.counted_ && cells_ == other.cells_;
    }
    void forget() { of_ = nullptr; }  // it stays taken for ever

   private:
    friend class Connections;
    explicit Seat(Connections& of) : of_(&of) {}
    Connections* of_ = nullptr;
    std::array<std::uint32_t, 2> cells_{};
    bool counted_ = false;
  };

  Seat take(bool beyond = false);  // empty: all are taken; `beyond`: one more all the same
  std::uint64_t open() const { return open_.load(std::memory_order_relaxed); }
  std::uint64_t most() const { return most_; }
  // Of one address where the configuration says 0.
  std::uint64_t share() const { return most_ / 4 > 16 ? most_ / 4 : 16; }

 private:
  static constexpr std::uint32_t kCells = 1 << 15;  // a row

  const std::uint64_t most_;
  std::atomic<std::uint64_t> open_{0};
  std::vector<std::atomic<std::uint32_t>> cells_;  // two rows
};

}  // namespace limit
