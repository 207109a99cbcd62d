#include "base/chunk.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Chunk, HoldsWhatWasWrittenUpToItsCapacity) {
  Ref<Chunk> chunk = Chunk::make(8);
  std::memcpy(chunk->tail(), "abc", 3);
  chunk->grow(3);
  std::memcpy(chunk->tail(), "defgh", 5);
  chunk->grow(5);
  EXPECT_EQ(chunk->view(), "abcdefgh");
  EXPECT_EQ(chunk->room(), 0u);
}

TEST(Chunk, OutlivesItsWriterWhenAReaderHoldsIt) {
  Ref<const Chunk> reader;
  {
    Ref<Chunk> writer = Chunk::copy_of("bytes");
    reader = writer;
  }
  EXPECT_EQ(reader->view(), "bytes");
}

TEST(Chunk, TakesTheLargestCapacity) {
  Ref<Chunk> chunk = Chunk::make(Chunk::kMaxCapacity);
  std::memset(chunk->tail(), 'x', chunk->room());
  chunk->grow(chunk->room());
  EXPECT_EQ(chunk->used(), Chunk::kMaxCapacity);
}

}  // namespace
}  // namespace base
