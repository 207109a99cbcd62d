#include "cache/entry.h"

#include <gtest/gtest.h>

#include <string>

namespace cache {
namespace {

using base::Chunk;
using base::Mono;
using base::Seconds;

std::vector<base::Ref<const Chunk>> chunks_of(std::initializer_list<std::string> pieces) {
  std::vector<base::Ref<const Chunk>> chunks;
  for (const std::string& piece : pieces) chunks.push_back(Chunk::copy_of(piece));
  return chunks;
}

std::string read(BodyCursor cursor) {
  std::string out;
  for (std::string_view piece = cursor.next(); !piece.empty(); piece = cursor.next()) out += piece;
  return out;
}

TEST(Entry, KeepsASmallReplyInOnePiece) {
  const auto entry = Entry::make({.key = KeyView("key"),
                                  .fields = "Content-Type: text/plain\r\nETag: \"x\"\r\n",
                                  .etag = "\"x\"",
                                  .last_modified = "Sun, 06 Nov 1994 08:49:37 GMT",
                                  .body = chunks_of({"hello ", "world"})});
  EXPECT_EQ(entry->key().bytes, "key");
  EXPECT_EQ(entry->key(), KeyView("key"));
  EXPECT_EQ(entry->etag(), "\"x\"");
  EXPECT_EQ(entry->last_modified(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(entry->fields(), "Content-Type: text/plain\r\nETag: \"x\"\r\n");
  EXPECT_EQ(entry->head_only(), std::string(entry->fields()) + "Content-Length: 11\r\n\r\n");
  EXPECT_EQ(entry->tail(), std::string(entry->head_only()) + "hello world");
  EXPECT_TRUE(entry->is_inline());
  EXPECT_EQ(entry->inline_body(), "hello world");
  EXPECT_EQ(entry->content_length(), 11u);
}

TEST(Entry, TakesAnEmptyBody) {
  const auto entry = Entry::make({.key = KeyView("k"), .fields = "A: b\r\n"});
  EXPECT_EQ(entry->tail(), "A: b\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(read(BodyCursor(*entry)), "");
}

TEST(Entry, LeavesALargeBodyInItsChunks) {
  const std::string piece(Entry::kInlineBody, 'a');
  const auto entry =
      Entry::make({.key = KeyView("k"), .fields = "A: b\r\n", .body = chunks_of({piece, "tail"})});
  EXPECT_FALSE(entry->is_inline());
  EXPECT_EQ(entry->tail(), "A: b\r\nContent-Length: 16388\r\n\r\n");
  EXPECT_EQ(entry->inline_body(), "");
  EXPECT_EQ(read(BodyCursor(*entry)), piece + "tail");
}

TEST(Entry, GivesAnyPartOfItsBody) {
  const std::string large = std::string(20'000, 'a') + std::string(20'000, 'b');
  for (const auto& entry :
       {Entry::make({.key = KeyView("k"), .body = chunks_of({"0123", "", "456", "789"})}),
        Entry::make(
            {.key = KeyView("k"), .body = chunks_of({large.substr(0, 19'999), large.substr(19'999)})})}) {
    const std::string all = read(BodyCursor(*entry));
    ASSERT_EQ(all.size(), entry->content_length());
    for (const std::uint64_t offset : {0u, 3u, 4u, 9u, 10u, 19'998u, 19'999u, 39'999u, 40'000u, 50'000u})
      for (const std::uint64_t length : {0u, 1u, 5u, 20'000u, 100'000u})
        EXPECT_EQ(read(BodyCursor(*entry, offset, length)),
                  offset < all.size() ? all.substr(offset, length) : std::string());
  }
}

TEST(Entry, AgesFromWhatItWasWhenItCame) {
  const Mono now = base::mono_now();
  const auto entry = Entry::make(
      {.key = KeyView("k"), .stored_at = now, .initial_age = Seconds(10), .freshness = Seconds(60)});
  EXPECT_EQ(entry->age(now), Seconds(10));
  EXPECT_EQ(entry->age(now + Seconds(5)), Seconds(15));
  EXPECT_TRUE(entry->fresh(now + Seconds(49)));
  EXPECT_FALSE(entry->fresh(now + Seconds(50))) << "fresh only while the lifetime exceeds the age";
}

TEST(Entry, CountsWhatItTakes) {
  const auto small = Entry::make({.key = KeyView("key"), .fields = "A: b\r\n", .body = chunks_of({"hello"})});
  EXPECT_GT(small->cost(), sizeof(Entry) + 3 + 6 + 5);
  EXPECT_LT(small->cost(), 400u);
  const auto large = Entry::make({.key = KeyView("key"), .body = chunks_of({std::string(100'000, 'x')})});
  EXPECT_GT(large->cost(), 100'000u);
  EXPECT_LT(large->cost(), 100'500u);
}

TEST(Entry, DoesNotKeepAMostlyEmptyLastChunk) {
  base::Ref<Chunk> roomy = Chunk::make(Chunk::kMaxCapacity);
  std::memset(roomy->tail(), 'x', 20'000);
  roomy->grow(20'000);
  const auto entry = Entry::make({.key = KeyView("k"), .body = {roomy}});
  EXPECT_LT(entry->cost(), 21'000u);
  EXPECT_EQ(read(BodyCursor(*entry)), std::string(20'000, 'x'));
}

}  // namespace
}  // namespace cache
