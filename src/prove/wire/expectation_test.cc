#include "prove/wire/expectation.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

class ExpectationTest : public ::testing::Test {
 protected:
  Template text(std::string_view t) { return Template::compile(t, slots).value(); }
  Ending judge(Reply reply) const { return Expectation(step).judge(reply, values); }
  Ending judge(std::uint16_t status) const { return judge(Reply{.status = status}); }
  bool headers_met(std::string_view fields) const {
    const std::string head = "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n";
    std::string_view in = head;
    ReplyParser parser;
    parser.start(true);
    EXPECT_EQ(parser.next(in), ReplyParser::Event::kHead);
    return Expectation(step).headers_met(parser, values);
  }

  Slots slots;
  Values values;
  Step step;
};

constexpr Ending kOk{Outcome::kOk, Reason::kNone};
constexpr Ending kDenied{Outcome::kDenied, Reason::kNone};

TEST_F(ExpectationTest, TakesWhateverIsInTheTwoHundredsByDefault) {
  EXPECT_EQ(judge(200), kOk);
  EXPECT_EQ(judge(299), kOk);
  EXPECT_EQ(judge(304), (Ending{Outcome::kFailed, Reason::kStatus}));
  EXPECT_EQ(judge(500), (Ending{Outcome::kFailed, Reason::kStatus}));
  EXPECT_FALSE(Expectation(step).denial());
}

TEST_F(ExpectationTest, CallsADenialThatNobodyExpectedAFailure) {
  EXPECT_EQ(judge(401), (Ending{Outcome::kFailed, Reason::kUnexpectedDenial}));
  EXPECT_EQ(judge(403), (Ending{Outcome::kFailed, Reason::kUnexpectedDenial}));
}

TEST_F(ExpectationTest, CallsADenialThatWasExpectedASuccessOfItsOwnClass) {
  for (const auto& ranges :
       std::vector<decltype(Expect::status)>{{{401, 401}}, {{401, 401}, {403, 403}}, {{401, 403}}}) {
    step.expect.status = ranges;
    EXPECT_TRUE(Expectation(step).denial());
    EXPECT_EQ(judge(401), kDenied);
    EXPECT_EQ(judge(200), (Ending{Outcome::kFailed, Reason::kNotDenied}));
    EXPECT_EQ(judge(500), (Ending{Outcome::kFailed, Reason::kNotDenied}));
  }
}

TEST_F(ExpectationTest, ExpectsNoDenialWhereOtherAnswersDoAsWell) {
  step.expect.status = {{200, 200}, {403, 403}};
  EXPECT_FALSE(Expectation(step).denial());
  EXPECT_EQ(judge(200), kOk);
  EXPECT_EQ(judge(403), kDenied);
  EXPECT_EQ(judge(401), (Ending{Outcome::kFailed, Reason::kUnexpectedDenial}));
}

TEST_F(ExpectationTest, GivesTheOutcomeThatTheStepNames) {
  step.expect.status = {{404, 404}};
  step.expect.outcome = Outcome::kDenied;
  EXPECT_TRUE(Expectation(step).denial());
  EXPECT_EQ(judge(404), kDenied);
  EXPECT_EQ(judge(200), (Ending{Outcome::kFailed, Reason::kNotDenied}));
}

TEST_F(ExpectationTest, KeepsLimitedApartWhetherItWasExpectedOrNot) {
  EXPECT_EQ(judge(429), (Ending{Outcome::kLimited, Reason::kStatus}));
  EXPECT_FALSE(judge(429).met());
  step.expect.status = {{429, 429}};
  EXPECT_EQ(judge(429), (Ending{Outcome::kLimited, Reason::kNone}));
  EXPECT_EQ(judge(200), (Ending{Outcome::kFailed, Reason::kStatus}));
}

TEST_F(ExpectationTest, LooksForHeadersWithTheirWholeValue) {
  values.resize(1);
  step.expect.headers = {{"X-Cache", text("hit")}, {"ETag", text("*")}, {"X-Secret", text("!")}};
  EXPECT_TRUE(headers_met("x-cache: hit\r\netag: \"1\"\r\n"));
  EXPECT_FALSE(headers_met("x-cache: hit; fresh\r\netag: \"1\"\r\n"));
  EXPECT_FALSE(headers_met("x-cache: hit\r\n"));
  EXPECT_FALSE(headers_met("x-cache: hit\r\netag: \"1\"\r\nx-secret:\r\n"));
  step.expect.headers = {{"X-Id", text("n-{{id}}")}};
  values[slots.slot_of("id")] = "7";
  EXPECT_TRUE(headers_met("X-ID: n-7\r\n"));
  EXPECT_FALSE(headers_met("X-ID: n-8\r\n"));
  EXPECT_EQ(judge(Reply{.status = 200, .headers_met = false}), (Ending{Outcome::kFailed, Reason::kHeader}));
}

TEST_F(ExpectationTest, LooksIntoTheBody) {
  values.resize(1);
  step.expect.body.push_back({TextTest::kContains, text("id={{id}}")});
  values[slots.slot_of("id")] = "7";
  EXPECT_TRUE(Expectation(step).keeps_body());
  EXPECT_EQ(judge(Reply{.status = 200, .body = "a id=7 b"}), kOk);
  EXPECT_EQ(judge(Reply{.status = 200, .body = "a id=8 b"}), (Ending{Outcome::kFailed, Reason::kBody}));
}

TEST_F(ExpectationTest, ComparesLengthAndDigest) {
  step.expect.length = 3;
  step.expect.sha256 = "ab";
  EXPECT_TRUE(Expectation(step).wants_digest());
  EXPECT_FALSE(Expectation(step).keeps_body());
  EXPECT_EQ(judge(Reply{.status = 200, .length = 3, .sha256 = "ab"}), kOk);
  EXPECT_EQ(judge(Reply{.status = 200, .length = 4, .sha256 = "ab"}),
            (Ending{Outcome::kFailed, Reason::kLength}));
  EXPECT_EQ(judge(Reply{.status = 200, .length = 3, .sha256 = "ac"}),
            (Ending{Outcome::kFailed, Reason::kDigest}));
}

TEST_F(ExpectationTest, LooksIntoADenialToo) {
  step.expect.status = {{403, 403}};
  step.expect.body.push_back({TextTest::kContains, text("scope")});
  EXPECT_EQ(judge(Reply{.status = 403, .body = "no scope"}), kDenied);
  EXPECT_EQ(judge(Reply{.status = 403, .body = "no"}), (Ending{Outcome::kFailed, Reason::kBody}));
}

TEST_F(ExpectationTest, TakesOneOfSeveralFieldsOrAllOfThemAsAList) {
  constexpr std::string_view kTwice = "Vary: Accept\r\nX: y\r\nvary: Origin\r\n";
  const auto vary = [&](std::string_view wanted) {
    step.expect.headers.clear();
    step.expect.headers.push_back({"Vary", text(wanted)});
    return headers_met(kTwice);
  };
  EXPECT_TRUE(vary("Accept"));
  EXPECT_TRUE(vary("Origin"));
  EXPECT_TRUE(vary("Accept, Origin"));
  EXPECT_FALSE(vary("Origin, Accept"));
  EXPECT_FALSE(vary("accept"));
  EXPECT_FALSE(vary(""));
  step.expect.headers = {};
  step.expect.headers.push_back({"Cookie", text("")});
  EXPECT_FALSE(headers_met(kTwice));
  EXPECT_TRUE(headers_met("Cookie:\r\n"));
}

TEST_F(ExpectationTest, HoldsFieldsAgainstTextsAndPatterns) {
  const auto met = [&](TextTest test, std::string_view wanted, std::string_view fields) {
    step.expect.headers.clear();
    step.expect.headers.push_back(
        {"Vary", has_pattern(test) ? Template::literal(wanted) : text(wanted), test});
    return headers_met(fields);
  };
  constexpr std::string_view kTwice = "Vary: Accept\r\nX: y\r\nvary: Origin\r\n";
  EXPECT_TRUE(met(TextTest::kContains, "rig", kTwice));
  EXPECT_TRUE(met(TextTest::kContains, "t, O", kTwice));  // of the list
  EXPECT_FALSE(met(TextTest::kContains, "y", kTwice));
  EXPECT_FALSE(met(TextTest::kContains, "", "X: y\r\n"));
  EXPECT_TRUE(met(TextTest::kMatches, "^Or.{4}$", kTwice));
  EXPECT_FALSE(met(TextTest::kMatches, "^rigin", kTwice));
  EXPECT_TRUE(met(TextTest::kNotContains, "cookie", kTwice));
  EXPECT_FALSE(met(TextTest::kNotContains, "Origin", kTwice));
  EXPECT_TRUE(met(TextTest::kNotContains, "Origin", "X: y\r\n"));
  EXPECT_TRUE(met(TextTest::kNotMatches, "^a", kTwice));
  EXPECT_FALSE(met(TextTest::kNotMatches, "^A", kTwice));
}

TEST_F(ExpectationTest, HoldsTheBodyAgainstEachText) {
  const auto fails = [&](std::string_view body) { return !judge(Reply{.status = 200, .body = body}).met(); };
  step.expect.body.push_back({TextTest::kContains, text("a")});
  step.expect.body.push_back({TextTest::kNotContains, text("b")});
  step.expect.body.push_back({TextTest::kMatches, Template::literal("[0-9]{2}")});
  step.expect.body.push_back({TextTest::kNotMatches, Template::literal("(?i)error")});
  EXPECT_FALSE(fails("a 12"));
  EXPECT_TRUE(fails("12"));
  EXPECT_TRUE(fails("ab 12"));
  EXPECT_TRUE(fails("a 1"));
  EXPECT_TRUE(fails("a 12 Error"));
}

TEST_F(ExpectationTest, SaysWhatTheKeptPartOfABodyDoesNotSettle) {
  constexpr Ending kTooLong{Outcome::kFailed, Reason::kTooLong};
  const auto of = [&](TextTest test, std::string_view pattern) {
    step.expect.body.clear();
    step.expect.body.push_back({test, Template::literal(pattern)});
    return judge(Reply{.status = 200, .length = 9, .body = "a12"});
  };
  EXPECT_EQ(of(TextTest::kMatches, "a"), kOk);
  EXPECT_EQ(of(TextTest::kMatches, "b"), kTooLong);
  EXPECT_EQ(of(TextTest::kMatches, "2$"), kTooLong);  // the end of what is kept is none
  EXPECT_EQ(of(TextTest::kNotMatches, "a"), (Ending{Outcome::kFailed, Reason::kBody}));
  EXPECT_EQ(of(TextTest::kNotMatches, "b"), kTooLong);
  step.expect.body.clear();
  step.expect.json.push_back({"", JsonCheck::Test::kExists, false, {}});
  EXPECT_EQ(judge(Reply{.status = 200, .length = 9, .body = "[1]"}), kTooLong);
  EXPECT_EQ(judge(Reply{.status = 200, .length = 3, .body = "[1]"}), kOk);
}

TEST_F(ExpectationTest, SearchesBehindWhatIsKept) {
  values.resize(1);
  for (const auto& [test, wanted] : {std::pair(TextTest::kContains, "ab{{x}}"),
                                     {TextTest::kMatches, "q"},
                                     {TextTest::kNotContains, "cd"},
                                     {TextTest::kContains, "yz"}})
    step.expect.body.push_back({test, has_pattern(test) ? Template::literal(wanted) : text(wanted)});
  values[slots.slot_of("x")] = "c";
  const Expectation expectation(step);
  std::uint64_t found = 0;
  std::vector<Beyond> searches = expectation.beyond("0123456789a", values);
  ASSERT_EQ(searches.size(), 3u);
  Expectation::go_on(searches, "b", found);
  EXPECT_EQ(found, 0u);
  Expectation::go_on(searches, "c", found);
  EXPECT_EQ(found, 1u);
  Expectation::go_on(searches, "dd", found);
  EXPECT_EQ(found, 5u);
}

TEST_F(ExpectationTest, TellsWhatBroke) {
  const auto told = [&](const Reply& reply) {
    const Expectation expectation(step);
    return expectation.broken(expectation.judge(reply, values).reason, reply, "", values);
  };
  step.expect.body.push_back({TextTest::kNotMatches, Template::literal("err.r")});
  EXPECT_EQ(told({.status = 200, .body = "error"}), "the body was not to match 'err.r'");
  step.expect.body[0] = {TextTest::kNotContains, text("error")};
  EXPECT_EQ(told({.status = 200, .body = "error"}), "the body was not to contain 'error'");
  step.expect.headers.push_back({"X-Key", text("a"), TextTest::kContains});
  EXPECT_EQ(told({.status = 200, .headers_met = false, .raw = "HTTP/1.1 200 OK\r\nX-Key: b\r\n\r\n"}),
            "X-Key that contains 'a' was expected, … came");
}

}  // namespace
}  // namespace prove
