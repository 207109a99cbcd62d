#include "cache/key.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <string>

namespace cache {
namespace {

std::string bytes_of(const KeyParts& parts) {
  std::array<char, 512> scratch;
  return std::string(make_key(parts, scratch)->bytes);
}

TEST(Key, TellsApartWhatDiffersInOnePart) {
  const KeyParts base{.origin = OriginId{1}, .path = "/a"};
  std::map<std::string, std::string> seen;
  const auto expect_new = [&seen](const char* what, const KeyParts& parts) {
    const auto [at, is_new] = seen.emplace(bytes_of(parts), what);
    EXPECT_TRUE(is_new) << what << " looks like " << at->second;
  };
  expect_new("plain", base);
  expect_new("other origin", {.origin = OriginId{2}, .path = "/a"});
  expect_new("other half of the origin", {.origin = OriginId{1, 1}, .path = "/a"});
  expect_new("other path", {.origin = OriginId{1}, .path = "/b"});
  expect_new("case of the path", {.origin = OriginId{1}, .path = "/A"});
  expect_new("double slash", {.origin = OriginId{1}, .path = "//a"});
  expect_new("empty query", {.origin = OriginId{1}, .path = "/a", .has_query = true});
  expect_new("query", {.origin = OriginId{1}, .path = "/a", .query = "b", .has_query = true});
  expect_new("query's text in the path", {.origin = OriginId{1}, .path = "/ab", .has_query = true});
  expect_new("question mark in the path", {.origin = OriginId{1}, .path = "/a?b"});
  expect_new("host", {.origin = OriginId{1}, .path = "/a", .host = "b"});
  expect_new("host's text in the path", {.origin = OriginId{1}, .path = "b/a"});
  expect_new("field", {.origin = OriginId{1}, .path = "/a", .fields = "b"});
  expect_new("rendering", {.origin = OriginId{1}, .path = "/a", .rendering = 1});
}

TEST(Key, NamesAResourceWhateverElseTheOriginIsTold) {
  const KeyParts plain{.origin = OriginId{1, 2}, .path = "/a", .query = "q", .has_query = true};
  KeyParts told = plain;
  told.host = "Host";
  told.fields = "X-A: 1";
  told.rendering = 3;
  const Resource resource = resource_of(plain);
  EXPECT_EQ(resource_of(told), resource);
  EXPECT_EQ(resource_of(bytes_of(plain)), resource);
  EXPECT_EQ(resource_of(bytes_of(told)), resource);
  EXPECT_NE(resource_of({.origin = OriginId{1, 2}, .path = "/a"}), resource);
  EXPECT_NE(resource_of({.origin = OriginId{1, 2}, .path = "/aq", .has_query = true}), resource);
  EXPECT_NE(resource_of({.origin = OriginId{1, 3}, .path = "/a", .query = "q", .has_query = true}), resource);
}

TEST(Key, IsInjectiveOverRandomParts) {
  std::mt19937 random(7);
  const auto text = [&random] {
    std::string s(random() % 4, ' ');
    for (char& c : s) c = "/?a"[random() % 3];
    return s;
  };
  std::map<std::string, std::string> seen;
  for (int i = 0; i < 50'000; ++i) {
    const std::string path = "/" + text(), query = text(), host = text();
    const bool has_query = random() % 2;
    std::string meaning = path;
    meaning.append("\n")
        .append(has_query ? "?" : "")
        .append(has_query ? query : "")
        .append("\n")
        .append(host);
    const auto [at, is_new] = seen.emplace(
        bytes_of({.origin = OriginId{9}, .path = path, .query = query, .has_query = has_query, .host = host}),
        meaning);
    ASSERT_EQ(at->second, meaning);
  }
}

TEST(Key, FoldsTheHostsLetters) {
  EXPECT_EQ(bytes_of({.path = "/a", .host = "Example.ORG:80"}),
            bytes_of({.path = "/a", .host = "example.org:80"}));
}

TEST(Key, IsNoneWhenTheScratchIsTooSmall) {
  const KeyParts parts{.path = "/abc", .query = "q", .has_query = true};
  std::array<char, 64> scratch;
  EXPECT_TRUE(make_key(parts, std::span(scratch).first(key_size(parts))));
  EXPECT_FALSE(make_key(parts, std::span(scratch).first(key_size(parts) - 1)));
}

TEST(Key, HashesItsBytes) {
  std::array<char, 64> scratch;
  const auto key = make_key({.path = "/abc"}, scratch);
  EXPECT_EQ(key->hash, base::siphash(key->bytes));
  EXPECT_EQ(*key, KeyView(std::string(key->bytes)));
}

}  // namespace
}  // namespace cache
