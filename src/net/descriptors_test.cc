#include "net/descriptors.h"

#include <gtest/gtest.h>

namespace net {
namespace {

using For = Descriptors::For;

TEST(Descriptors, HaveRoomForEverybodyUntilALimitIsKnown) {
  Descriptors all;
  all.taken(1 << 20);
  for (const For what : {For::kPipe, For::kKept, For::kClient, For::kRequest}) EXPECT_TRUE(all.room(what));
}

TEST(Descriptors, AreRefusedInOrderAndSomeAreKeptBack) {
  Descriptors all;
  all.limit(1024);  // 896 for requests
  const auto room = [&](std::uint64_t used) {
    all.taken(used);
    const std::array<bool, 4> out{all.room(For::kPipe, 2), all.room(For::kKept), all.room(For::kClient),
                                  all.room(For::kRequest)};
    all.given_back(used);
    return out;
  };
  using Rooms = std::array<bool, 4>;
  EXPECT_EQ(room(446), (Rooms{true, true, true, true}));
  EXPECT_EQ(room(447), (Rooms{false, true, true, true}));
  EXPECT_EQ(room(672), (Rooms{false, false, true, true}));
  EXPECT_EQ(room(784), (Rooms{false, false, false, true}));
  EXPECT_EQ(room(896), (Rooms{false, false, false, false}));
  EXPECT_EQ(room(446), (Rooms{true, true, true, true}));
}

TEST(Descriptors, TellWhoKeepsWhatCanBeGivenUp) {
  Descriptors all;
  all.limit(1024);
  int told = 0;
  all.on_scarce([&] { ++told; });
  all.taken(672);
  EXPECT_EQ(told, 0);
  for (int i = 0; i < 100; ++i) all.taken();
  EXPECT_EQ(told, 1) << "not at each one";
  all.on_scarce(nullptr);
}

}  // namespace
}  // namespace net
