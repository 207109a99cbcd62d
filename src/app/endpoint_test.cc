// An endpoint is driven here as whoever serves drives it, without sockets.
#include "app/endpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

#include "app/status.h"
#include "app/testing.h"
#include "net/testing.h"

namespace app {
namespace {

constexpr std::string_view kColours[] = {"red", "green"};
constexpr Member kMembers[] = {
    {"colour", {.type = Type::kText, .one_of = kColours}},
    {"count", {.type = Type::kInteger, .least = 1, .most = 9}, false},
};
constexpr Schema kBody{.members = kMembers};

class Paints final : public Endpoint {
 public:
  Paints();

  base::Result<Answer> list(Call&) { return Answer{.body = std::string("[]")}; }
  base::Result<Answer> get(Call& call) {
    const Param* number = call.param("n");
    return Answer{.body = std::string(number ? std::to_string(number->number) : call.param("id")->text)};
  }
  net::Task<base::Result<Answer>> mix(Call& call) {  // as one that has to wait
    mixed = call.body.text("colour");
    count = call.body.integer("count", 5);
    co_return Answer{.status = 201, .body = std::string("{}")};
  }
  base::Result<Answer> fails(Call&) { return base::fail(base::Code::kShuttingDown, "closed"); }

  std::string mixed;
  std::int64_t count = 0;
};

constexpr Operation kOperations[] = {
    {.path = "/paints",
     .id = "list_paints",
     .summary = "All.",
     .access = Access::kOpen,
     .handler = handled_by<&Paints::list>},
    {.path = "/paints/{id:uuid}", .id = "get_paint", .summary = "One.", .handler = handled_by<&Paints::get>},
    {.path = "/numbers/{n:int}",
     .id = "get_numbered",
     .summary = "One.",
     .handler = handled_by<&Paints::get>},
    {.method = http::Method::kPost,
     .path = "/paints",
     .id = "mix_paint",
     .summary = "A new one.",
     .acts = true,
     .body = &kBody,
     .most = 64,
     .success = 201,
     .handler = handled_by<&Paints::mix>},
    {.path = "/local",
     .id = "get_local",
     .summary = "Here.",
     .access = Access::kOpenLocally,
     .handler = handled_by<&Paints::list>},
    {.path = "/fails",
     .id = "get_failure",
     .summary = "Fails.",
     .access = Access::kOpen,
     .handler = handled_by<&Paints::fails>},
    {.path = "/openapi.json",
     .id = "get_openapi",
     .summary = "This.",
     .handler = handled_by<&Paints::openapi>},
};

Paints::Paints() : Endpoint("Paints", kOperations) {}

class PaintsTest : public ::testing::Test {
 protected:
  // As somebody who was identified.
  Answer ask(http::Method method, std::string_view path, std::string_view body = {}) {
    asked_.emplace(method, path, body);
    asked_->call.caller.credential = "jwt";
    return run();
  }
  Answer run() {
    paints_.find(asked_->call);
    auto answer = loop_.await(paints_.answer(asked_->call));
    EXPECT_TRUE(answer.has_value());
    return std::move(*answer);
  }

  net::testing::TestLoop loop_;
  Paints paints_;
  std::optional<testing_support::Asked> asked_;
};

TEST_F(PaintsTest, FindsTheOperationAndItsParameters) {
  EXPECT_EQ(ask(http::Method::kGet, "/paints").text(), "[]");
  EXPECT_EQ(ask(http::Method::kHead, "/paints").status, 200);
  EXPECT_EQ(ask(http::Method::kGet, "/numbers/17").text(), "17");
  constexpr std::string_view kId = "0190b5a0-6d4c-7e55-9d3b-0123456789ab";
  EXPECT_EQ(ask(http::Method::kGet, "/paints/" + std::string(kId)).text(), kId);
}

TEST_F(PaintsTest, SaysWhatIsNotThere) {
  for (const std::string_view path :
       {"/", "/paint", "/paints/", "/paints/x", "/numbers/17/", "/numbers/-1", "/numbers/007",
        "/numbers/99999999999999999999", "/paints/17", "/Paints", "//paints", ""}) {
    const Answer answer = ask(http::Method::kGet, path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.type, "application/problem+json");
    EXPECT_NE(answer.text().find("urn:sekisho:problem:not-found"), std::string_view::npos);
  }
}

TEST_F(PaintsTest, NamesTheMethodsOfAPathThatItHas) {
  const Answer answer = ask(http::Method::kDelete, "/paints");
  EXPECT_EQ(answer.status, 405);
  EXPECT_NE(answer.fields.find("Allow: GET, HEAD, POST\r\n"), std::string::npos) << answer.fields;
  EXPECT_NE(ask(http::Method::kPost, "/numbers/17").fields.find("Allow: GET, HEAD\r\n"), std::string::npos);
}

TEST_F(PaintsTest, ReadsABodyAsItsSchemaSays) {
  EXPECT_EQ(ask(http::Method::kPost, "/paints", R"( {"colour": "red", "count": 3} )").status, 201);
  EXPECT_EQ(paints_.mixed, "red");
  EXPECT_EQ(paints_.count, 3);
  EXPECT_EQ(ask(http::Method::kPost, "/paints", R"({"colour":"green"})").status, 201);
  EXPECT_EQ(paints_.count, 5);
}

TEST_F(PaintsTest, RefusesABodyAndSaysWhy) {
  const auto why = [&](std::string_view body) {
    const Answer answer = ask(http::Method::kPost, "/paints", body);
    EXPECT_EQ(answer.status, 400);
    EXPECT_TRUE(answer.failed);
    EXPECT_EQ(answer.error.code, base::Code::kBadRequest);
    EXPECT_NE(answer.text().find("\"detail\""), std::string_view::npos);
    return answer.detail;
  };
  EXPECT_EQ(why("{}"), "colour: is missing");
  EXPECT_EQ(why(R"({"colour":"blue"})"), "colour: must be red or green");
  EXPECT_EQ(why(R"({"colour":7})"), "colour: must be a string");
  EXPECT_EQ(why(R"({"color":"red"})"), "color: is not known here, did you mean 'colour'?");
  EXPECT_EQ(why(R"({"colour":"red","count":10})"), "count: must be at most 9");
  EXPECT_EQ(why(R"({"colour":"red","count":1.5})"), "count: must be a whole number");
  EXPECT_EQ(why(R"({"colour":"red","colour":"red"})"), "the body is no JSON object, or names a member twice");
  EXPECT_EQ(why(""), "the body is no JSON object, or names a member twice");
  EXPECT_EQ(paints_.mixed, "") << "no handler was called";
}

TEST_F(PaintsTest, TakesNothingButJson) {
  for (const std::string_view type :
       {"", "text/plain", "application/jsonp", "application/x-www-form-urlencoded"}) {
    asked_.emplace(http::Method::kPost, "/paints", R"({"colour":"red"})", type);
    asked_->call.caller.credential = "jwt";
    EXPECT_EQ(run().status, 415) << type;
  }
  asked_.emplace(http::Method::kPost, "/paints", R"({"colour":"red"})", "Application/JSON; charset=utf-8");
  asked_->call.caller.credential = "jwt";
  EXPECT_EQ(run().status, 201);
}

TEST_F(PaintsTest, BoundsABodyHoweverItsLengthIsTold) {
  const std::string large = R"({"colour":"red"})" + std::string(60, ' ');
  EXPECT_EQ(ask(http::Method::kPost, "/paints", large).status, 413);
  EXPECT_EQ(asked_->body.given, 0U) << "nothing was read";
  asked_.emplace(http::Method::kPost, "/paints", large);
  asked_->call.caller.credential = "jwt";
  asked_->head.framing = http::Framing::kChunked;
  asked_->head.content_length = 0;
  EXPECT_EQ(run().status, 413);
  EXPECT_LE(asked_->body.given, 65U);
}

TEST_F(PaintsTest, HandsOnWhyABodyBrokeOff) {
  asked_.emplace(http::Method::kPost, "/paints", R"({"colour":)");
  asked_->call.caller.credential = "jwt";
  asked_->body.breaks = true;
  paints_.find(asked_->call);
  const auto answer = loop_.await(paints_.answer(asked_->call));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::Code::kClientGone);
}

TEST_F(PaintsTest, AnswersNobodyWhoIsNobody) {
  const auto status = [&](http::Method method, std::string_view path, bool local = false) {
    asked_.emplace(method, path);
    asked_->call.local = local;
    return run().status;
  };
  using enum http::Method;
  EXPECT_EQ(status(kGet, "/paints"), 200);
  EXPECT_EQ(status(kPost, "/paints"), 401);
  EXPECT_EQ(status(kGet, "/numbers/17"), 401);
  EXPECT_EQ(status(kGet, "/absent"), 401) << "a stranger does not learn what there is";
  EXPECT_EQ(status(kDelete, "/paints"), 405) << "that this path can be read, everybody may know";
  EXPECT_EQ(status(kGet, "/local"), 401);
  EXPECT_EQ(status(kGet, "/local", true), 200);
  EXPECT_EQ(status(kGet, "/openapi.json"), 401);
}

TEST_F(PaintsTest, AsksPolicyAboutAnActionAndAResource) {
  testing_support::Asked asked(http::Method::kGet, "/numbers/17");
  paints_.find(asked.call);
  EXPECT_EQ(paints_.describe(asked.call).action, "get_numbered");
  EXPECT_EQ(paints_.describe(asked.call).resource, "/numbers/17");
  testing_support::Asked absent(http::Method::kGet, "/absent");
  paints_.find(absent.call);
  EXPECT_EQ(paints_.describe(absent.call).action, "");
}

TEST_F(PaintsTest, HandsOnAFailureOfItsHandler) {
  testing_support::Asked asked(http::Method::kGet, "/fails");
  paints_.find(asked.call);
  const auto answer = loop_.await(paints_.answer(asked.call));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::Code::kShuttingDown);
}

TEST_F(PaintsTest, WritesFieldLinesThatNobodyCanBreakOutOf) {
  Answer answer{.body = std::string("{}")};
  answer.add("X-Name", "a\r\nSet-Cookie: b");
  std::string lines;
  answer.append_field_lines(lines);
  EXPECT_EQ(lines,
            "Content-Type: application/json\r\nCache-Control: no-store\r\nX-Name: a  Set-Cookie: b\r\n");
  EXPECT_EQ(answer.length(), 2U);
}

TEST(Table, ThatContradictsItselfIsRefused) {
  const auto refused = [](Operation a, Operation b) {
    const Operation table[] = {a, b};
    EXPECT_THROW(Router{table}, std::logic_error) << a.path << " " << b.path;
  };
  constexpr Handler kHandler = handled_by<&Paints::list>;
  const Operation good{.path = "/a", .id = "a", .handler = kHandler};
  refused(good, {.path = "/a", .id = "b", .handler = kHandler});
  refused(good, {.path = "/b", .id = "a", .handler = kHandler});
  refused(good, {.path = "/b", .id = "b"});
  refused({.path = "/x/{a:int}", .id = "a", .handler = kHandler},
          {.path = "/x/{b:int}", .id = "b", .handler = kHandler});
  refused({.path = "/x/{a:int}", .id = "a", .handler = kHandler},
          {.path = "/x/{b:uuid}", .id = "b", .handler = kHandler});
  for (const std::string_view path :
       {"", "b", "/{", "/{}", "/{:int}", "/x{a}", "/{a:float}", "/{a:rest}/b", "/{a}/{b}/{c}/{d}/{e}"})
    refused(good, {.path = path, .id = "b", .handler = kHandler});
}

TEST(Table, PrefersTheMostParticular) {
  constexpr Handler kHandler = handled_by<&Paints::list>;
  const Operation table[] = {
      {.path = "/{all:rest}", .id = "rest", .handler = kHandler},
      {.path = "/x/{name}", .id = "name", .handler = kHandler},
      {.path = "/x/me", .id = "me", .handler = kHandler},
  };
  const Router router(table);
  const auto found = [&](std::string_view path) {
    testing_support::Asked asked(http::Method::kGet, path);
    router.find(asked.call);
    return asked.call.operation ? asked.call.operation->id : "";
  };
  EXPECT_EQ(found("/x/me"), "me");
  EXPECT_EQ(found("/x/you"), "name");
  EXPECT_EQ(found("/x/you/and/me"), "rest");
  EXPECT_EQ(found("/"), "rest");
}

TEST(Table, HidesNothingWhereAllIsOpen) {
  std::atomic<bool> ready = true;
  Status status(&ready);
  net::testing::TestLoop loop;
  testing_support::Asked asked(http::Method::kGet, "/absent");
  status.find(asked.call);
  EXPECT_EQ(loop.await(status.answer(asked.call))->status, 404) << "there is no credential to ask for";
}

class StatusTest : public ::testing::Test {
 protected:
  Answer get(std::string_view path, Caller caller = {}) {
    testing_support::Asked asked(http::Method::kGet, path);
    asked.call.caller = caller;
    status_.find(asked.call);
    auto answer = loop_.await(status_.answer(asked.call));
    EXPECT_TRUE(answer.has_value());
    testing_support::expect_as_declared(*answer, asked.call);
    return std::move(*answer);
  }

  std::atomic<bool> ready_ = false;
  net::testing::TestLoop loop_;
  std::atomic<bool> draining_ = false;
  Status status_{&ready_, &draining_};
};

TEST_F(StatusTest, SaysServingUntilTheEndBegins) {
  EXPECT_EQ(get("/serving").text(), "{\"serving\":true}\n") << "whatever is not ready";
  draining_ = true;
  EXPECT_EQ(get("/serving").status, 503);
  EXPECT_EQ(get("/serving").text(), "{\"serving\":false}\n");
}

TEST_F(StatusTest, SaysAliveAndReady) {
  EXPECT_EQ(get("/health").text(), "{\"alive\":true}\n");
  EXPECT_EQ(get("/ready").status, 503);
  EXPECT_EQ(get("/ready").text(), "{\"ready\":false}\n");
  ready_ = true;
  EXPECT_EQ(get("/ready").status, 200);
  EXPECT_EQ(get("/ready").text(), "{\"ready\":true}\n");
}

TEST_F(StatusTest, SaysWhomItTakesTheCallerFor) {
  EXPECT_EQ(get("/whoami").text(), "{\"anonymous\":true}\n");
  EXPECT_EQ(
      get("/whoami", {.credential = "jwt", .issuer = "https://id", .subject = "a\"b", .agent = "bot"}).text(),
      "{\"issuer\":\"https://id\",\"subject\":\"a\\\"b\",\"agent\":\"bot\"}\n");
  EXPECT_EQ(get("/whoami", {.credential = "jwt"}).text(), "{}\n") << "known, though the token names nobody";
}

}  // namespace
}  // namespace app
