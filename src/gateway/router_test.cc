#include "gateway/router.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

namespace gateway {
namespace {

using Prefixes = std::vector<std::string>;

// What match() is to find, by the definition: every prefix is held against the path.
std::optional<Match> longest_prefix(const Prefixes& prefixes, std::string_view path) {
  std::optional<Match> best;
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    std::string_view prefix = prefixes[i];
    if (prefix.ends_with('/')) prefix.remove_suffix(1);
    if (!path.starts_with(prefix) || (path.size() > prefix.size() && path[prefix.size()] != '/')) continue;
    if (best && best->length >= prefix.size()) continue;
    best = Match{static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(prefix.size()),
                 static_cast<std::uint32_t>(std::count(prefix.begin(), prefix.end(), '/'))};
  }
  return best;
}

std::optional<std::uint32_t> route_of(const Router& router, std::string_view path) {
  const auto match = router.match(path);
  return match ? std::optional(match->route) : std::nullopt;
}

TEST(Router, MatchesAPrefixWithAndWithoutItsSlash) {
  for (const char* prefix : {"/photos", "/photos/"}) {
    const Router router(Prefixes{prefix});
    for (const char* path : {"/photos", "/photos/", "/photos/x", "/photos/x/y.jpg"})
      EXPECT_EQ(router.match(path), (Match{0, 7, 1})) << path;
    for (const char* path : {"/", "/photo", "/photosx", "/photosx/y", "/x/photos", "/Photos", ""})
      EXPECT_EQ(router.match(path), std::nullopt) << path;
  }
}

TEST(Router, TakesTheLongestPrefix) {
  const Router router(Prefixes{"/", "/a/", "/a/b/c", "/a/b/c/d/e"});
  EXPECT_EQ(route_of(router, "/"), 0u);
  EXPECT_EQ(route_of(router, "/x"), 0u);
  EXPECT_EQ(route_of(router, "/a"), 1u);
  EXPECT_EQ(route_of(router, "/a/b"), 1u) << "a node on the way is no route";
  EXPECT_EQ(route_of(router, "/a/b/c"), 2u);
  EXPECT_EQ(route_of(router, "/a/b/c/d"), 2u);
  EXPECT_EQ(route_of(router, "/a/b/c/d/e/f"), 3u);
}

TEST(Router, SaysHowMuchOfThePathThePrefixCovers) {
  const Router router(Prefixes{"/", "/a/b/"});
  const std::string_view path = "/a/b/c";
  EXPECT_EQ(path.substr(router.match(path)->length), "/c");
  EXPECT_EQ(router.match("/z/y"), (Match{0, 0, 0}));
  EXPECT_EQ(router.match("/a/b")->length, 4u);
}

TEST(Router, MatchesNothingWithoutRoutesOrWithoutAPath) {
  EXPECT_EQ(Router(Prefixes{}).match("/"), std::nullopt);
  EXPECT_EQ(Router(Prefixes{"/"}).match("*"), std::nullopt);
  EXPECT_EQ(Router(Prefixes{"/"}).match(""), std::nullopt);
}

TEST(Router, RefusesPrefixesThatAreTheSame) {
  EXPECT_THROW(Router(Prefixes{"/a", "/b", "/a/"}), std::invalid_argument);
  EXPECT_THROW(Router(Prefixes{"/", "//"}), std::invalid_argument);
  EXPECT_THROW(Router(Prefixes{"a"}), std::invalid_argument);
  EXPECT_THROW(Router(Prefixes{""}), std::invalid_argument);
}

TEST(Router, TellsSegmentsApartAtEveryLength) {
  Prefixes prefixes;
  for (std::size_t n = 1; n <= 40; ++n) {
    prefixes.push_back("/" + std::string(n, 'a'));
    prefixes.push_back("/" + std::string(n, 'a') + "/" + std::string(n, 'b'));
  }
  const Router router(prefixes);
  for (std::size_t n = 1; n <= 50; ++n)
    for (std::size_t m = 1; m <= 50; ++m)
      for (const char* end : {"", "/", "/c"}) {
        const std::string path = "/" + std::string(n, 'a') + "/" + std::string(m, 'b') + end;
        ASSERT_EQ(router.match(path), longest_prefix(prefixes, path)) << path;
      }
}

TEST(Router, AgreesWithTheDefinitionOnRandomPaths) {
  std::mt19937 random(5);
  const std::vector<std::string> words = {"a",         "b",     "ab",       "abcdefgh", "abcdefg",
                                          "abcdefghi", "x-y_z", "\xc3\xa9", " "};
  const auto any_path = [&](std::size_t most) {
    std::string path;
    for (std::size_t n = random() % (most + 1); n > 0; --n) path += "/" + words[random() % words.size()];
    if (path.empty() || random() % 4 == 0) path += '/';
    return path;
  };
  for (int round = 0; round < 200; ++round) {
    Prefixes prefixes;
    for (std::size_t n = random() % 60; n > 0; --n) {
      const std::string path = any_path(4);
      const auto bare = [](std::string_view p) { return p.ends_with('/') ? p.substr(0, p.size() - 1) : p; };
      const bool known = std::any_of(prefixes.begin(), prefixes.end(),
                                     [&](const std::string& other) { return bare(other) == bare(path); });
      if (!known) prefixes.push_back(path);
    }
    const Router router(prefixes);
    for (int i = 0; i < 500; ++i) {
      const std::string path = any_path(6);
      ASSERT_EQ(router.match(path), longest_prefix(prefixes, path)) << path;
    }
  }
}

TEST(Router, FindsEachOfTenThousandRoutes) {
  Prefixes prefixes;
  for (int i = 0; i < 10'000; ++i)
    prefixes.push_back("/tenant" + std::to_string(i / 10) + "/service" + std::to_string(i % 10) + "/");
  const Router router(prefixes);
  for (std::uint32_t i = 0; i < prefixes.size(); ++i) {
    ASSERT_EQ(route_of(router, prefixes[i] + "object"), i);
    ASSERT_EQ(route_of(router, prefixes[i] + "/"), i);
  }
  EXPECT_EQ(router.match("/tenant1/service10/x"), std::nullopt);
}

TEST(RestOf, KeepsTheDoubleSlashesBehindThePrefix) {
  const Router router(Prefixes{"/", "/photos/raw/"});
  const Match two = *router.match("/photos/raw/x");
  EXPECT_EQ(rest_of("/photos/raw/x", two), "/x");
  EXPECT_EQ(rest_of("//photos//raw//x//y", two), "//x//y");
  EXPECT_EQ(rest_of("/photos/raw", two), "");
  EXPECT_EQ(rest_of("/photos/raw/", two), "/");
  EXPECT_EQ(rest_of("//x", *router.match("/x")), "//x");
}

}  // namespace
}  // namespace gateway
