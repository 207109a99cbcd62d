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
  step.expect.body = text("id={{id}}");
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
  step.expect.body = text("scope");
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

}  // namespace
}  // namespace prove
