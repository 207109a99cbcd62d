#include "http/cache_control.h"

#include <gtest/gtest.h>

namespace http {
namespace {

CacheControl parse(std::string_view value) {
  CacheControl out;
  out.add(value);
  return out;
}

TEST(CacheControl, ReadsEachDirective) {
  const CacheControl c = parse(
      "No-Store, no-cache, private, public, must-revalidate, proxy-revalidate, must-understand, "
      "no-transform, "
      "only-if-cached, immutable, max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4, "
      "min-fresh=5, "
      "max-stale=6");
  EXPECT_TRUE(c.no_store && c.no_cache && c.is_private && c.is_public && c.must_revalidate &&
              c.proxy_revalidate);
  EXPECT_TRUE(c.must_understand && c.no_transform && c.only_if_cached && c.immutable && c.present);
  EXPECT_EQ(c.max_age, 1u);
  EXPECT_EQ(c.s_maxage, 2u);
  EXPECT_EQ(c.stale_while_revalidate, 3u);
  EXPECT_EQ(c.stale_if_error, 4u);
  EXPECT_EQ(c.min_fresh, 5u);
  EXPECT_EQ(c.max_stale, 6u);
  EXPECT_FALSE(c.max_stale_any);
  EXPECT_TRUE(parse("max-stale").max_stale_any);
}

TEST(CacheControl, KeepsTheFieldsOfNoCacheAndPrivate) {
  const CacheControl c = parse("no-cache=\"Set-Cookie, X\", private=Set-Cookie");
  EXPECT_TRUE(c.no_cache && c.is_private);
  EXPECT_EQ(c.no_cache_fields, "Set-Cookie, X");
  EXPECT_EQ(c.private_fields, "Set-Cookie");
  EXPECT_EQ(parse("no-cache=\"A\", no-cache").no_cache_fields, "") << "the wider one wins";
  EXPECT_EQ(parse("no-cache, no-cache=\"A\"").no_cache_fields, "");
}

TEST(CacheControl, NeverLivesLongerForBeingUnclear) {
  EXPECT_EQ(parse("max-age=60, max-age=5").max_age, 5u);
  EXPECT_EQ(parse("max-age=5, max-age=60").max_age, 5u);
  for (const char* junk : {"max-age", "max-age=", "max-age=x", "max-age=-1", "max-age=1.5", "max-age=\"",
                           "max-age=+5", "max-age=5 6", "max-age=60, max-age=x"})
    EXPECT_EQ(parse(junk).max_age, 0u) << junk;
  EXPECT_EQ(parse("max-age=\"60\"").max_age, 60u);
  EXPECT_EQ(parse("max-age = 60").max_age, 60u);
  EXPECT_EQ(parse("max-age=99999999999999999999999").max_age, 2147483648u);
  EXPECT_EQ(parse("max-age=4294967296").max_age, 2147483648u);
}

TEST(CacheControl, PassesOverWhatItDoesNotKnow) {
  const CacheControl c = parse(",, x, y=z, ext=\"no-store, private\", =5, no-stores, max-age=7,");
  EXPECT_FALSE(c.no_store);
  EXPECT_FALSE(c.is_private);
  EXPECT_EQ(c.max_age, 7u);
  EXPECT_TRUE(parse("no-store=\"x\"").no_store) << "an argument that it should not have does not undo it";
  EXPECT_TRUE(parse("ext=\"open, no-store").no_store == false);
}

TEST(CacheControl, OfAMessageCombinesItsFieldsAndFallsBackToPragma) {
  FieldList fields;
  EXPECT_FALSE(cache_control_of(fields).present);
  fields.push("Pragma", "x, No-Cache", FieldId::kPragma);
  EXPECT_TRUE(cache_control_of(fields).no_cache);
  fields.push("Cache-Control", "max-age=5", FieldId::kCacheControl);
  fields.push("cache-control", "no-store", FieldId::kCacheControl);
  const CacheControl c = cache_control_of(fields);
  EXPECT_EQ(c.max_age, 5u);
  EXPECT_TRUE(c.no_store);
  EXPECT_FALSE(c.no_cache) << "Cache-Control overrides Pragma";
}

TEST(CacheControl, SaysWhenPartOfItIsNoDirective) {
  const auto malformed = [](std::string_view value) {
    CacheControl control;
    control.add(value);
    return control.malformed;
  };
  for (const char* good :
       {"max-age=60", "a, ,b", "x=\"a, \\\" b\"", "no-cache=\"Set-Cookie\", public", "max-age=-1", ""})
    EXPECT_FALSE(malformed(good)) << good;
  for (const char* bad : {"foo=\"bar, no-store", "max-age=60; public", "x=\"a\"b", "x=\"a\\\"", "max age=1",
                          "=1", "x=", "\"no-store\""})
    EXPECT_TRUE(malformed(bad)) << bad;
}

TEST(CacheControl, IsPrivateWhateverItWas) {
  EXPECT_EQ(as_private(""), "private");
  EXPECT_EQ(as_private("public, max-age=60, S-MaxAge=90"), "private, max-age=60");
  EXPECT_EQ(as_private("private=\"Set-Cookie, X\", no-cache=\"Y, Z\""), "private, no-cache=\"Y, Z\"");
  EXPECT_EQ(as_private("no-store"), "private, no-store");
}

}  // namespace
}  // namespace http
