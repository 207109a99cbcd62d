#include "prove/wire/json_check.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

using Is = JsonCheck::Test;
using Kind = JsonWanted::Kind;

class JsonCheckTest : public ::testing::Test {
 protected:
  JsonWanted text(std::string_view t) {
    return {.kind = Kind::kText, .text = Template::compile(t, slots).value(), .items = {}, .names = {}};
  }
  static JsonWanted number(std::string_view t) {
    return {.kind = Kind::kNumber, .text = Template::literal(t), .items = {}, .names = {}};
  }
  static JsonWanted word(std::string_view t) {
    return {.kind = Kind::kWord, .text = Template::literal(t), .items = {}, .names = {}};
  }
  static JsonWanted list(std::vector<JsonWanted> items) {
    return {.kind = Kind::kList, .text = {}, .items = std::move(items), .names = {}};
  }
  bool met(Is test, JsonWanted wanted, std::string_view body, bool length = false) {
    expect.json.clear();
    expect.json.push_back({"/a", test, length, std::move(wanted)});
    return JsonChecks(expect).met(body, values);
  }
  std::string broken(Is test, JsonWanted wanted, std::string_view body, std::string pointer = "/a") {
    expect.json.clear();
    expect.json.push_back({std::move(pointer), test, false, std::move(wanted)});
    return JsonChecks(expect).broken(body, values);
  }

  Slots slots;
  Values values;
  Expect expect;
};

TEST_F(JsonCheckTest, ComparesValuesOfOneKind) {
  EXPECT_TRUE(met(Is::kEqual, number("19.90"), R"({"a":19.9})"));
  EXPECT_FALSE(met(Is::kEqual, number("19.90"), R"({"a":"19.90"})"));
  EXPECT_FALSE(met(Is::kEqual, number("12345678901234567890"), R"({"a":12345678901234567891})"));
  EXPECT_TRUE(met(Is::kEqual, text("7"), R"({"a":"7"})"));
  EXPECT_FALSE(met(Is::kEqual, text("7"), R"({"a":7})"));
  EXPECT_TRUE(met(Is::kEqual, word("null"), R"({"a":null})"));
  EXPECT_FALSE(met(Is::kEqual, word("true"), R"({"a":"true"})"));
  EXPECT_FALSE(met(Is::kEqual, word("null"), R"({})"));
  EXPECT_TRUE(met(Is::kNotEqual, text("x"), R"({"a":7})"));
  EXPECT_FALSE(met(Is::kNotEqual, text("x"), R"({})"));
}

TEST_F(JsonCheckTest, ComparesListsAndObjectsWhole) {
  EXPECT_TRUE(met(Is::kEqual, list({number("1"), text("b")}), R"({"a":[1.0,"b"]})"));
  EXPECT_FALSE(met(Is::kEqual, list({number("1")}), R"({"a":[1,2]})"));
  const JsonWanted object{
      .kind = Kind::kObject, .text = {}, .items = {number("1"), list({})}, .names = {"x", "y"}};
  EXPECT_TRUE(met(Is::kEqual, object, R"({"a":{"y":[],"x":1}})"));
  EXPECT_FALSE(met(Is::kEqual, object, R"({"a":{"y":[],"x":1,"z":2}})"));
  EXPECT_FALSE(met(Is::kEqual, object, R"({"a":{"y":[],"z":1}})"));
}

TEST_F(JsonCheckTest, TakesATextWithAValueForWhatTheReplyHas) {
  values.resize(1);
  values[slots.slot_of("id")] = "7";
  EXPECT_TRUE(met(Is::kEqual, text("{{id}}"), R"({"a":"7"})"));
  EXPECT_TRUE(met(Is::kEqual, text("{{id}}"), R"({"a":7.0})"));
  EXPECT_FALSE(met(Is::kEqual, text("{{id}}"), R"({"a":8})"));
  EXPECT_TRUE(met(Is::kLess, text("{{id}}"), R"({"a":6.9})"));
  values[0] = "true";
  EXPECT_TRUE(met(Is::kEqual, text("{{id}}"), R"({"a":true})"));
  EXPECT_FALSE(met(Is::kLess, text("{{id}}"), R"({"a":6.9})"));
}

TEST_F(JsonCheckTest, PutsNumbersInOrder) {
  constexpr std::string_view kThree = R"({"a":3})";
  for (const auto& [test, two, three, four] : {std::tuple(Is::kLess, false, false, true),
                                               {Is::kAtMost, false, true, true},
                                               {Is::kMore, true, false, false},
                                               {Is::kAtLeast, true, true, false}}) {
    EXPECT_EQ(met(test, number("2"), kThree), two);
    EXPECT_EQ(met(test, number("3"), kThree), three);
    EXPECT_EQ(met(test, number("4"), kThree), four);
  }
  EXPECT_FALSE(met(Is::kLess, number("4"), R"({"a":"3"})"));
}

TEST_F(JsonCheckTest, LooksIntoTextsAndLists) {
  EXPECT_TRUE(met(Is::kContains, text("b"), R"({"a":"abc"})"));
  EXPECT_FALSE(met(Is::kNotContains, text("b"), R"({"a":"abc"})"));
  EXPECT_TRUE(met(Is::kContains, number("2"), R"({"a":[1,2.0]})"));
  EXPECT_FALSE(met(Is::kContains, text("b"), R"({"a":["abc"]})"));
  EXPECT_TRUE(met(Is::kNotContains, text("b"), R"({"a":["abc"]})"));
  EXPECT_FALSE(met(Is::kNotContains, text("b"), R"({"a":7})"));  // in which nothing can be
  EXPECT_TRUE(met(Is::kMatches,
                  {.kind = Kind::kText, .text = Template::literal("^[0-9]{2}$"), .items = {}, .names = {}},
                  R"({"a":"12"})"));
  EXPECT_FALSE(met(Is::kNotMatches,
                   {.kind = Kind::kText, .text = Template::literal("2"), .items = {}, .names = {}},
                   R"({"a":"12"})"));
}

TEST_F(JsonCheckTest, CountsWhatThereIs) {
  EXPECT_TRUE(met(Is::kEqual, number("2"), R"({"a":[1,2]})", true));
  EXPECT_TRUE(met(Is::kAtLeast, number("1"), R"({"a":{"x":1}})", true));
  EXPECT_TRUE(met(Is::kEqual, number("3"), "{\"a\":\"\xc3\xa4\xe2\x82\xac!\"}", true));
  EXPECT_FALSE(met(Is::kAtLeast, number("0"), R"({"a":12})", true));
}

TEST_F(JsonCheckTest, FindsNothingInWhatIsNoJson) {
  EXPECT_TRUE(met(Is::kAbsent, {}, R"({"b":1})"));
  EXPECT_FALSE(met(Is::kAbsent, {}, R"({"a":null})"));
  EXPECT_TRUE(met(Is::kExists, {}, R"({"a":null})"));
  for (const auto* body : {"", "{", "<html>", R"({"b":1} x)"})
    EXPECT_FALSE(met(Is::kAbsent, {}, body)) << body;
}

TEST_F(JsonCheckTest, TellsWhatCame) {
  EXPECT_EQ(broken(Is::kEqual, text("done"), R"({"a":"open"})"), R"(/a == "done" was expected, "open" came)");
  EXPECT_EQ(broken(Is::kAtLeast, number("3"), R"({"a":2.50})"), "/a >= 3 was expected, 2.50 came");
  EXPECT_EQ(broken(Is::kExists, {}, "{}"), "/a exists was expected, nothing came");
  EXPECT_EQ(broken(Is::kExists, {}, "oops"), "/a exists was expected, the body is no JSON");
  EXPECT_EQ(broken(Is::kEqual, text("abc"), R"({"a":{"token":"xyz"}})", "/a/token"),
            "/a/token == … was expected, … came");
  EXPECT_EQ(broken(Is::kAbsent, {}, R"({"a":")" + std::string(500, 'x') + "\"}").size(),
            std::string("/a absent was expected, … came").size() + 200);
}

TEST_F(JsonCheckTest, RefusesAPatternThatIsNone) {
  expect.json.push_back({"/a", Is::kMatches, false, text("(")});
  EXPECT_THROW(JsonChecks{expect}, std::runtime_error);
}

}  // namespace
}  // namespace prove
