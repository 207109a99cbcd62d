#include "config/claim_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/claim_value.h"

namespace config {
namespace {

using testing::ElementsAre;

ClaimStep member(std::string name) {
  return {.kind = ClaimStep::Kind::kMember, .name = std::move(name)};
}
ClaimStep element(std::uint64_t index) {
  return {.kind = ClaimStep::Kind::kElement, .name = {}, .index = index};
}
ClaimStep each() {
  return {.kind = ClaimStep::Kind::kEach, .name = {}};
}

TEST(ClaimPath, IsNamesElementsAndAllOfThem) {
  EXPECT_THAT(*ClaimPath::parse("sub"), ElementsAre(member("sub")));
  EXPECT_THAT(*ClaimPath::parse("realm_access.roles[*]"),
              ElementsAre(member("realm_access"), member("roles"), each()));
  EXPECT_THAT(*ClaimPath::parse("a[0][12].b"),
              ElementsAre(member("a"), element(0), element(12), member("b")));
  EXPECT_THAT(*ClaimPath::parse("cognito:groups[*]"), ElementsAre(member("cognito:groups"), each()));
  EXPECT_THAT(*ClaimPath::parse("größe"), ElementsAre(member("größe")));
  EXPECT_THAT(*ClaimPath::parse("0.1"), ElementsAre(member("0"), member("1")));
}

TEST(ClaimPath, TakesAnyNameInQuotes) {
  EXPECT_THAT(*ClaimPath::parse(R"(["https://x.test/roles"][0])"),
              ElementsAre(member("https://x.test/roles"), element(0)));
  EXPECT_THAT(*ClaimPath::parse(R"(a["b.c"].d)"), ElementsAre(member("a"), member("b.c"), member("d")));
  EXPECT_THAT(*ClaimPath::parse(R"(["a\"b\\c]"])"), ElementsAre(member("a\"b\\c]")));
  EXPECT_THAT(*ClaimPath::parse(R"([""])"), ElementsAre(member("")));
  EXPECT_THAT(*ClaimPath::parse(R"(["*"]["0"])"), ElementsAre(member("*"), member("0")));
}

TEST(ClaimPath, TellsThePlaceOfWhatIsWrong) {
  const auto wrong = [](const char* text) { return ClaimPath::parse(text).error(); };
  EXPECT_EQ(wrong(""), "is empty");
  EXPECT_EQ(wrong("a."), "is no path of a claim: at character 3 a name is missing");
  EXPECT_EQ(wrong(".a"), "is no path of a claim: at character 1 a name is missing");
  EXPECT_EQ(wrong("a..b"), "is no path of a claim: at character 3 a name is missing");
  EXPECT_EQ(wrong("a.[0]"), "is no path of a claim: at character 3 a name is missing");
  EXPECT_EQ(wrong("a[0]b"), "is no path of a claim: at character 5 a '.' or a '[' is missing");
  EXPECT_EQ(wrong("a b"), "is no path of a claim: at character 2 a '.' or a '[' is missing");
  EXPECT_EQ(wrong("a]"), "is no path of a claim: at character 2 a '.' or a '[' is missing");
  EXPECT_EQ(wrong("a\"b\""), "is no path of a claim: at character 2 a '.' or a '[' is missing");
  for (const char* bad :
       {"a[", "a[]", "a[x]", "a[-1]", "a[01]", "a[1.0]x", "a[ 1]", "a[99999999999999999999]"})
    EXPECT_FALSE(ClaimPath::parse(bad)) << bad;
  EXPECT_EQ(wrong("a[b]"),
            "is no path of a claim: at character 3 a number, a '*' or a name in quotes is missing");
  EXPECT_EQ(wrong("a[0"), "is no path of a claim: at character 4 a ']' is missing");
  EXPECT_EQ(wrong("a[**]"), "is no path of a claim: at character 4 a ']' is missing");
  EXPECT_EQ(wrong("a[\"b]"), "is no path of a claim: at character 6 a '\"' is missing");
  EXPECT_EQ(wrong(R"(["a\n"])"),
            "is no path of a claim: at character 5 a '\\' stands before neither '\"' nor '\\'");
}

TEST(ClaimPath, IsNoDeeperThanATokenMayBe) {
  std::string path = "a";
  for (int i = 0; i < 15; ++i) path += "[0]";
  EXPECT_TRUE(ClaimPath::parse(path));
  EXPECT_EQ(ClaimPath::parse(path + ".b").error(), "has more than 16 steps");
  EXPECT_EQ(ClaimPath::parse(std::string(1'025, 'a')).error(), "is longer than 1024 bytes");
}

TEST(ClaimPath, ShowsWhatItParses) {
  for (const char* text : {"sub", "a.b[0][*].c", R"(["https://x.test/roles"][0])", R"(a["b.c"].d)",
                           R"(["a\"b\\c]"])", R"([""])"})
    EXPECT_EQ(ClaimPath::show(*ClaimPath::parse(text)), text);
  EXPECT_EQ(ClaimPath::show(*ClaimPath::parse(R"(["a"]["b"])")), "a.b");
}

// ---- values

TEST(ClaimValue, IsTypedByYaml) {
  const auto is = [](const char* text, const ClaimValue& value) {
    const auto parsed = parse_claim_value(text, false);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, value) << text;
    EXPECT_EQ(*parse_claim_value(text, true), ClaimValue(std::string(text)));
  };
  is("3", std::int64_t{3});
  is("-3", std::int64_t{-3});
  is("0", std::int64_t{0});
  is("9223372036854775807", std::numeric_limits<std::int64_t>::max());
  is("-9223372036854775808", std::numeric_limits<std::int64_t>::min());
  is("3.5", 3.5);
  is("3.0", 3.0);
  is("1e3", 1000.0);
  is("-1.5E-2", -0.015);
  is("true", true);
  is("false", false);
  for (const char* text : {"admin", "a b", "1.2.3", "2026-11-21", "12:30", "1a", "-", ".", "e5", "1-2",
                           "+49 30", "tRue", "https://x.test", "null-ish", "größe", "10.0.0.0/8"})
    is(text, std::string(text));
}

TEST(ClaimValue, RefusesWhatReadersOfYamlDisagreeAbout) {
  for (const char* text : {"yes", "No", "on", "OFF", "True", "FALSE"})
    EXPECT_EQ(parse_claim_value(text, false).error(),
              "is a text or a switch; write true or false, or put the text in quotes")
        << text;
  for (const char* text :
       {"007", "+1", ".5", "5.", "0x1F", "0o17", "0b1", "1_000", "-01", "+.5", ".inf", "-.INF", ".NaN"})
    EXPECT_EQ(parse_claim_value(text, false).error(),
              "is a text or a number; write the number as JSON does, or put the text in quotes")
        << text;
  EXPECT_EQ(parse_claim_value("9223372036854775808", false).error(), "is beyond whole numbers of 64 bits");
  EXPECT_EQ(parse_claim_value("1e999", false).error(), "is beyond the numbers of a computer");
  EXPECT_TRUE(parse_claim_value("yes", true));
}

}  // namespace
}  // namespace config
