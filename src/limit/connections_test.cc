#include "limit/connections.h"

#include <gtest/gtest.h>

#include <thread>

namespace limit {
namespace {

Connections::AddressBytes v4(std::uint32_t n) {
  return {0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0xff,
          0xff,
          static_cast<std::uint8_t>(n >> 24),
          static_cast<std::uint8_t>(n >> 16),
          static_cast<std::uint8_t>(n >> 8),
          static_cast<std::uint8_t>(n)};
}

TEST(Connections, AreBoundedTogether) {
  Connections all(2);
  auto a = all.take();
  auto b = all.take();
  EXPECT_TRUE(a && b);
  EXPECT_FALSE(all.take());
  EXPECT_EQ(all.open(), 2U);
  {
    const auto gone = std::move(a);
  }
  EXPECT_EQ(all.open(), 1U);
  EXPECT_TRUE(all.take());
}

TEST(Connections, AreBoundedByAddress) {
  Connections all(1000);
  std::vector<Connections::Seat> seats;
  const auto comes = [&](const Connections::AddressBytes& address) {
    auto seat = all.take();
    const bool in = seat.take(address, 64, 3);
    if (in) seats.push_back(std::move(seat));
    return in;
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(comes(v4(1)));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(comes(v4(1))) << "and being turned away costs nobody a place";
  EXPECT_TRUE(comes(v4(2)));
  EXPECT_TRUE(seats[0].same_address(seats[1]));
  EXPECT_FALSE(seats[0].same_address(seats[3]));
  seats.erase(seats.begin());
  EXPECT_TRUE(comes(v4(1)));
  EXPECT_EQ(all.open(), 4U);
}

TEST(Connections, CountANetworkOfIpv6AsOneAddress) {
  Connections all(1000);
  std::vector<Connections::Seat> seats;
  Connections::AddressBytes address{0x20, 0x01, 0x0d, 0xb8};
  for (std::uint8_t i = 0; i < 4; ++i) {
    seats.push_back(all.take());
    address[15] = i;
    EXPECT_EQ(seats.back().take(address, 64, 3), i < 3);
  }
  address[7] = 1;
  seats.push_back(all.take());
  EXPECT_TRUE(seats.back().take(address, 64, 3)) << "the next network";
}

TEST(Connections, DoNotMistakeManyAddressesForOne) {
  Connections all(1 << 20);
  std::vector<Connections::Seat> seats;
  int refused = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    seats.push_back(all.take());
    refused += !seats.back().take(v4(i), 64, 8);
  }
  EXPECT_EQ(refused, 0);
}

TEST(Connections, CountRightFromManyThreads) {
  Connections all(1000);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        auto seat = all.take();
        seat.take(v4(static_cast<std::uint32_t>(i % 7)), 64, 2);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(all.open(), 0U);
  std::vector<Connections::Seat> seats;
  for (int i = 0; i < 2; ++i) {
    seats.push_back(all.take());
    EXPECT_TRUE(seats.back().take(v4(3), 64, 2));
  }
}

}  // namespace
}  // namespace limit
