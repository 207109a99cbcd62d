#include "redis/session.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

namespace redis {
namespace {

using base::Code;
using base::Seconds;

constexpr std::string_view kHello = "%1\r\n+proto\r\n:3\r\n";

struct Asked : Call {
  Asked() : Call(&Asked::done) {}
  static void done(Call& call, Reply* reply, base::Error why) {
    auto& self = static_cast<Asked&>(call);
    ++self.told;
    if (reply)
      self.text = reply->text();
    else
      self.why = why.code;
    if (self.then) self.then();
  }
  int told = 0;
  std::string text;
  Code why = Code::kCount;
  std::function<void()> then;
};

class SessionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Session> make(Greeting greeting = {}) {
    return std::make_unique<Session>(std::move(greeting), 3, Seconds(1), Bounds{}, metrics);
  }
  std::unique_ptr<Session> ready() {
    auto session = make();
    session->open();
    drain(*session);
    EXPECT_TRUE(session->feed(kHello));
    EXPECT_TRUE(session->ready());
    return session;
  }
  static std::string drain(Session& session) {
    std::string out(session.output());
    session.wrote(out.size());
    return out;
  }
  static base::Result<> send(Session& session, Call& call, std::string_view word) {
    const std::string_view words[] = {word};
    return session.send(call, words);
  }
  Metrics metrics;
};

std::string command(std::initializer_list<std::string_view> words) {
  std::string out;
  append_command(out, words);
  return out;
}

TEST_F(SessionTest, GreetsWithUserPasswordDatabaseAndPrelude) {
  auto session = make({.user = "app",
                       .password = base::Secret("hunter2"),
                       .database = 3,
                       .prelude = {{"SCRIPT", "LOAD", "x"}}});
  session->open();
  EXPECT_EQ(drain(*session), command({"HELLO", "3", "AUTH", "app", "hunter2"}) + command({"SELECT", "3"}) +
                                 command({"SCRIPT", "LOAD", "x"}));
  ASSERT_TRUE(session->feed(kHello));
  ASSERT_TRUE(session->feed("+OK\r\n"));
  EXPECT_FALSE(session->ready());
  ASSERT_TRUE(session->feed("$1\r\ns\r\n"));
  EXPECT_TRUE(session->ready());
  EXPECT_EQ(metrics.connected.read(), 1);
  session->close({});
  EXPECT_EQ(metrics.connected.read(), 0);
}

TEST_F(SessionTest, UsesTheDefaultUserWhereNoneIsNamed) {
  auto session = make({.user = "", .password = base::Secret("p"), .database = 0, .prelude = {}});
  session->open();
  EXPECT_EQ(drain(*session), command({"HELLO", "3", "AUTH", "default", "p"}));
  session->close({});
}

TEST_F(SessionTest, SaysWhyAGreetingFailedWithoutRepeatingTheServer) {
  const struct {
    std::string_view answer;
    Code code;
    std::string_view text, refusal;
  } table[] = {
      {"-WRONGPASS invalid\r\n", Code::kOriginDenied, "Redis refuses the user or the password", "WRONGPASS"},
      {"-NOAUTH HELLO must be\r\n", Code::kOriginDenied, "Redis asks for a password", "NOAUTH"},
      {"-LOADING Redis is\r\n", Code::kOriginUnreachable, "Redis is not ready yet", "LOADING"},
      {"-DENIED Redis is running in protected mode\r\n", Code::kOriginDenied, "Redis is in protected mode",
       "DENIED"},
      {"-ERR max number of clients reached\r\n", Code::kOverloaded, "Redis takes no more connections", "ERR"},
      {"-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `hunter2`\r\n",
       Code::kOriginBadReply, "the server refuses RESP3; Redis 6 and later have it", "ERR"},
      {"-hunter2 is wrong\r\n", Code::kOriginBadReply, "the server refuses RESP3; Redis 6 and later have it",
       ""},
      {"+OK\r\n", Code::kOriginBadReply, "the server does not answer HELLO as Redis does", ""},
  };
  for (const auto& row : table) {
    auto session = make({.user = "", .password = base::Secret("hunter2"), .database = 0, .prelude = {}});
    session->open();
    const auto fed = session->feed(row.answer);
    ASSERT_FALSE(fed) << row.answer;
    EXPECT_EQ(fed.error().code, row.code);
    EXPECT_EQ(fed.error().text, row.text);
    EXPECT_EQ(session->refusal(), row.refusal);
    session->close(fed.error());
  }
}

TEST_F(SessionTest, MatchesRepliesInOrder) {
  auto session = ready();
  Asked a, b;
  ASSERT_TRUE(send(*session, a, "GET"));
  ASSERT_TRUE(send(*session, b, "PING"));
  EXPECT_EQ(drain(*session), command({"GET"}) + command({"PING"})) << "one batch";
  ASSERT_TRUE(session->feed("$1\r\nx\r\n>2\r\n+message\r\n+y\r\n+PO"));
  EXPECT_EQ(a.text, "x");
  EXPECT_EQ(b.told, 0);
  ASSERT_TRUE(session->feed("NG\r\n"));
  EXPECT_EQ(b.text, "PONG") << "the push between them is nobody's";
  EXPECT_EQ(session->deadline(), base::Mono::max());
}

TEST_F(SessionTest, RefusesAtOnceWhileDownOrFull) {
  auto session = make();
  Asked early;
  EXPECT_EQ(send(*session, early, "GET").error().code, Code::kOriginUnreachable);
  session->open();
  EXPECT_EQ(send(*session, early, "GET").error().code, Code::kOriginUnreachable)
      << "the greeting is not answered";
  ASSERT_TRUE(session->feed(kHello));
  Asked calls[4];
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send(*session, calls[i], "GET"));
  EXPECT_EQ(send(*session, calls[3], "GET").error().code, Code::kOverloaded);
  ASSERT_TRUE(session->feed("_\r\n"));
  EXPECT_TRUE(send(*session, calls[3], "GET")) << "a place is free";
  session->close({Code::kOriginTimeout, ""});
  EXPECT_EQ(calls[3].why, Code::kOriginTimeout);
  EXPECT_EQ(metrics.commands.read(), 7u);
  EXPECT_EQ(metrics.errors.read(), 6u);
}

TEST_F(SessionTest, TellsEveryoneWhenItEndsAndTakesNothingMeanwhile) {
  auto session = ready();
  Asked a, b, again;
  a.then = [&] { EXPECT_FALSE(send(*session, again, "GET")); };
  ASSERT_TRUE(send(*session, a, "GET"));
  ASSERT_TRUE(send(*session, b, "GET"));
  session->close({Code::kOriginRefused, ""});
  EXPECT_EQ(a.why, Code::kOriginRefused);
  EXPECT_EQ(b.why, Code::kOriginRefused);
  EXPECT_EQ(session->output(), "");
}

TEST_F(SessionTest, ACalleeMaySendTheNextCommand) {
  auto session = ready();
  Asked a, b;
  a.then = [&] { ASSERT_TRUE(send(*session, b, "EVAL")); };
  ASSERT_TRUE(send(*session, a, "EVALSHA"));
  drain(*session);
  ASSERT_TRUE(session->feed("-NOSCRIPT No matching script\r\n"));
  EXPECT_EQ(drain(*session), command({"EVAL"}));
  ASSERT_TRUE(session->feed(":1\r\n"));
  EXPECT_EQ(b.told, 1);
  EXPECT_EQ(metrics.errors.read(), 1u) << "an error that Redis answers counts";
}

TEST_F(SessionTest, AForgottenCallKeepsItsPlaceInTheOrder) {
  auto session = ready();
  Asked a, b;
  ASSERT_TRUE(send(*session, a, "GET"));
  ASSERT_TRUE(send(*session, b, "GET"));
  session->forget(a);
  EXPECT_FALSE(a.pending());
  ASSERT_TRUE(session->feed("+for-a\r\n+for-b\r\n"));
  EXPECT_EQ(a.told, 0);
  EXPECT_EQ(b.text, "for-b");
}

TEST_F(SessionTest, TheDeadlineIsThatOfTheOldest) {
  auto session = ready();
  Asked a, b;
  const base::Mono before = base::mono_now();
  ASSERT_TRUE(send(*session, a, "GET"));
  const base::Mono first = session->deadline();
  EXPECT_GE(first, before + Seconds(1));
  base::ClockShift later(Seconds(5));
  ASSERT_TRUE(send(*session, b, "GET"));
  EXPECT_EQ(session->deadline(), first);
  ASSERT_TRUE(session->feed("_\r\n"));
  EXPECT_GE(session->deadline(), first + Seconds(5));
  session->close({});
}

TEST_F(SessionTest, RefusesAnAnswerThatNobodyAskedFor) {
  auto session = ready();
  EXPECT_EQ(session->feed("+OK\r\n").error().code, Code::kOriginBadReply);
}

TEST_F(SessionTest, AnotherConnectionBeginsWithNothingOfTheLast) {
  auto session = ready();
  Asked a;
  ASSERT_TRUE(send(*session, a, "GET"));
  ASSERT_TRUE(session->feed("$100\r\nhalf"));
  session->close({Code::kOriginRefused, ""});
  session->open();
  EXPECT_EQ(drain(*session), command({"HELLO", "3"}));
  ASSERT_TRUE(session->feed(kHello));
  EXPECT_TRUE(session->ready());
}

}  // namespace
}  // namespace redis
