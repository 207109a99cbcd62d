#include "http/targeted.h"

#include <gtest/gtest.h>

namespace http {
namespace {

std::optional<CacheControl> read(std::initializer_list<std::string_view> values) {
  FieldList fields;
  for (const std::string_view value : values) fields.push("cdn-cache-control", value, FieldId::kOther);
  return cdn_cache_control_of(fields);
}

TEST(Targeted, IsReadAsAStructuredField) {
  EXPECT_EQ(read({"max-age=60"})->max_age, 60U);
  EXPECT_EQ(read({"max-age=60;p=\"x\", a=(1 \"b\";c tok/en), d=:YQ==:, e=1.5, f=-2"})->max_age, 60U);
  EXPECT_EQ(read({"max-age=1, max-age=60"})->max_age, 60U);
  EXPECT_TRUE(read({"max-age=60", "no-store"})->no_store);
  EXPECT_FALSE(read({"no-store=?0, x"})->no_store);
  EXPECT_TRUE(read({"private"})->is_private);
  EXPECT_TRUE(read({"no-cache=?1"})->no_cache);
  EXPECT_TRUE(read({"none"})->present);
}

TEST(Targeted, OfAWrongTypeIsNoLifetime) {
  for (const char* value : {"max-age=\"60\"", "max-age=1.5", "max-age", "max-age=x", "max-age=-1"})
    EXPECT_EQ(read({value})->max_age, 0U) << value;
}

TEST(Targeted, ThatSaysNothingIsAbsent) {
  for (const char* value : {"", "  "}) EXPECT_FALSE(read({value})) << value;
  EXPECT_FALSE(read({}));
}

TEST(Targeted, ThatIsNoDictionaryIsMalformed) {
  for (const char* value : {"max-age=60,", "max-age=60 no-store", "MAX-AGE=60", "a=\"b", "a=(1", "a=?2", "=1",
                            "a=1234567890123456", "max-age=60; Public", "no-store,,x"})
    EXPECT_TRUE(read({value})->malformed) << value;
}

}  // namespace
}  // namespace http
