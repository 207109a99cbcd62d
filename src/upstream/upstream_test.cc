#include "upstream/upstream.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "client/reply_maker.h"
#include "net/testing.h"

namespace upstream {
namespace {

using base::Code;
using base::OriginOutcome;
using base::Seconds;

// Answers as a test says, and keeps what it was asked.
struct Scripted final : origin::Origin {
  Scripted() : Origin("scripted", 0) {}

  net::Task<base::Result<origin::Reply>> fetch(const origin::Ask& asked, net::Cancel* cancel) override {
    last = std::string(asked.method_text) + " " + std::string(asked.path) + "?" +
           std::string(asked.raw_query) + " " + std::string(asked.fields) + std::string(asked.if_match) +
           " " + std::string(asked.request_id);
    ++calls;
    if (gone) gone->request();
    if (gone && cancel && cancel->requested()) co_return base::fail(Code::kCancelled, "cancelled");
    if (why) co_return base::fail(*why, "as told");
    auto head = std::make_unique<client::OwnHead>(status, 64);
    head->set_length(0);
    co_return client::ReplyMaker::of(nullptr, std::move(head), base::mono_now(), Seconds(1));
  }
  net::Task<base::Result<>> probe(net::Cancel*) override { co_return base::Result<>{}; }
  std::string_view allowed_methods() const override { return ""; }
  bool effective_query(std::string_view, bool, std::string&) const override { return false; }

  std::uint16_t status = 200;
  std::optional<Code> why;
  net::Cancel* gone = nullptr;
  std::string last;
  int calls = 0;
};

class UpstreamTest : public ::testing::Test {
 protected:
  base::Result<Answer> ask_now(net::Cancel* cancel = nullptr, limit::Gate* gate = nullptr) {
    const Request request({.path = "/a"});
    return test.await(ask({test.loop, origin, gate, *health, metrics}, request, cancel));
  }
  base::Result<Answer> failed(Code code) {
    origin.why = code;
    return ask_now();
  }
  std::uint64_t count(OriginOutcome outcome) { return metrics.requests[outcome].read(); }

  net::testing::TestLoop test;
  Healths healths;
  std::shared_ptr<Health> health = healths.get("scripted");
  telemetry::OriginMetrics metrics;
  Scripted origin;
};

TEST_F(UpstreamTest, GivesTheReplyAndCountsIt) {
  const auto answer = ask_now();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->reply.status(), 200);
  EXPECT_FALSE(answer->place);
  EXPECT_EQ(count(OriginOutcome::kReply), 1U);
  EXPECT_EQ(health->figures().well, 1U);
}

TEST_F(UpstreamTest, ARequestOwnsWhatItAsks) {
  std::optional<Request> request;
  {
    std::string method = "PATCH", path = "/path", query = "a=b", fields = "X: 1\r\n", match = "\"tag\"",
                id = "id";
    request.emplace(origin::Ask{.method_text = method,
                                .path = path,
                                .raw_query = query,
                                .fields = fields,
                                .if_match = match,
                                .request_id = id});
    for (std::string* gone : {&method, &path, &query, &fields, &match, &id}) gone->assign(gone->size(), '#');
  }
  const Request moved = std::move(*request);
  ASSERT_TRUE(test.await(ask({test.loop, origin, nullptr, *health, metrics}, moved, nullptr)));
  EXPECT_EQ(origin.last, "PATCH /path?a=b X: 1\r\n\"tag\" id");
  ASSERT_TRUE(test.await(ask({test.loop, origin, nullptr, *health, metrics}, moved, nullptr)));
  EXPECT_EQ(origin.calls, 2) << "and may be asked again";
}

TEST_F(UpstreamTest, APlaceIsHeldForAsLongAsTheAnswer) {
  const auto gate = limit::Gate::make({.max = 1, .queue = 0});
  {
    const auto answer = ask_now(nullptr, gate.get());
    ASSERT_TRUE(answer);
    EXPECT_EQ(gate->stats().in_use, 1U);
    EXPECT_EQ(ask_now(nullptr, gate.get()).error().code, Code::kConcurrency);
    EXPECT_EQ(origin.calls, 1) << "who has no place does not ask";
  }
  EXPECT_EQ(gate->stats().in_use, 0U);
  origin.why = Code::kOriginRefused;
  EXPECT_FALSE(ask_now(nullptr, gate.get()));
  EXPECT_EQ(gate->stats().in_use, 0U) << "and who fails gives it back";
  EXPECT_EQ(health->figures().failed, 1U) << "a full gate says nothing of the origin";
}

TEST_F(UpstreamTest, TellsFailuresOfTheOriginFromAnswersAndFromWhatWeBrokeOff) {
  origin.status = 503;
  ASSERT_TRUE(ask_now());
  EXPECT_EQ(health->figures().in_a_row, 1U);
  EXPECT_EQ(health->figures().last, OriginOutcome::kServerError);
  for (const Code code : {Code::kOriginRefused, Code::kOriginTimeout, Code::kOriginBadReply,
                          Code::kOriginUnreachable, Code::kOriginDenied})
    EXPECT_FALSE(failed(code));
  EXPECT_EQ(health->figures().in_a_row, 6U);
  const base::Mono since = health->figures().failing_since;
  EXPECT_NE(since, base::Mono{});
  for (const Code code : {Code::kCancelled, Code::kClientGone, Code::kBodyTooLarge, Code::kOverloaded})
    EXPECT_FALSE(failed(code));
  EXPECT_EQ(health->figures().in_a_row, 6U);
  EXPECT_EQ(health->figures().failing_since, since);
  EXPECT_FALSE(failed(Code::kNotFound));
  EXPECT_EQ(health->figures().in_a_row, 0U);
  EXPECT_EQ(health->figures().failed, 6U);
  EXPECT_EQ(count(OriginOutcome::kRefused), 1U);
  EXPECT_EQ(count(OriginOutcome::kCancelled), 3U);
}

TEST_F(UpstreamTest, CancelsWhatItsCallerWaitsFor) {
  net::Cancel cancel;
  origin.gone = &cancel;
  EXPECT_EQ(ask_now(&cancel).error().code, Code::kCancelled);
  EXPECT_EQ(health->figures().failed, 0U);
}

TEST_F(UpstreamTest, HealthIsFoundAgainByNameForAsLongAsSomebodyHasIt) {
  EXPECT_FALSE(failed(Code::kOriginRefused));
  EXPECT_EQ(healths.get("scripted"), health);
  const auto other = healths.get("other");
  EXPECT_NE(other, health);
  const auto all = healths.figures();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "other");
  EXPECT_EQ(all[1].figures.failed, 1U);
  health.reset();
  EXPECT_EQ(healths.get("scripted")->figures().failed, 0U);
}

}  // namespace
}  // namespace upstream
