#include "identity/extract.h"

#include <gtest/gtest.h>

#include "identity/reason.h"

namespace identity {
namespace {

using Kind = config::TokenSource::Kind;

struct Asked {
  http::RequestHead head;
  std::string_view query;
  std::vector<config::TokenSource> from{config::TokenSource{}};

  Asked& field(std::string_view name, std::string_view value, http::FieldId id = http::FieldId::kOther) {
    head.fields.push(name, value, id);
    return *this;
  }
  Asked& authorization(std::string_view value) {
    return field("Authorization", value, http::FieldId::kAuthorization);
  }

  std::string answer() const {
    std::string scratch;
    const auto credential = extract(head, query, from, scratch);
    if (!credential) return std::string(credential.error().text);
    EXPECT_GE(credential->source, from.data());
    return "token " + std::string(credential->token);
  }
};

TEST(Extract, TakesBearerInAnyCase) {
  EXPECT_EQ(Asked().authorization("Bearer a.b.c").answer(), "token a.b.c");
  EXPECT_EQ(Asked().authorization("bEARER a.b.c").answer(), "token a.b.c");
  EXPECT_EQ(Asked().authorization("Bearer   a.b.c").answer(), "token a.b.c");
}

TEST(Extract, FindsNothingInOtherSchemes) {
  for (const std::string_view value :
       {"", "Bearer", "Bearer ", "Basic YTpi", "Bearera.b.c", "Bearer\ta.b.c", "a.b.c", "Bear a.b.c"})
    EXPECT_EQ(Asked().authorization(value).answer(), reason::kNoCredential) << value;
  EXPECT_EQ(Asked().answer(), reason::kNoCredential);
}

TEST(Extract, RefusesTwoAuthorizationFields) {
  EXPECT_EQ(Asked().authorization("Bearer a.b.c").authorization("Bearer a.b.c").answer(), reason::kAmbiguous);
  EXPECT_EQ(Asked().authorization("Basic x").authorization("Bearer a.b.c").answer(), reason::kAmbiguous);
}

TEST(Extract, TakesHeaderWithPrefix) {
  const std::vector<config::TokenSource> from{{Kind::kHeader, "X-Token", "Token "}};
  Asked one{.head = {}, .query = {}, .from = from};
  EXPECT_EQ(one.field("x-token", "Token a.b.c").answer(), "token a.b.c");
  Asked bare{.head = {}, .query = {}, .from = from};
  EXPECT_EQ(bare.field("X-Token", "a.b.c").answer(), reason::kNoCredential);
  Asked empty{.head = {}, .query = {}, .from = from};
  EXPECT_EQ(empty.field("X-Token", "Token ").answer(), reason::kNoCredential);
  Asked two{.head = {}, .query = {}, .from = from};
  EXPECT_EQ(two.field("X-Token", "Token a.b.c").field("Other", "1").field("X-TOKEN", "Token d").answer(),
            reason::kAmbiguous);
}

TEST(Extract, TakesQueryParameter) {
  const std::vector<config::TokenSource> from{{Kind::kQuery, "token", ""}};
  const auto answer = [&](std::string_view query) {
    return Asked{.head = {}, .query = query, .from = from}.answer();
  };
  EXPECT_EQ(answer("token=a.b.c"), "token a.b.c");
  EXPECT_EQ(answer("x=1&token=a.b.c&y=2"), "token a.b.c");
  EXPECT_EQ(answer("t%6Fken=a%2Eb.c"), "token a.b.c");
  EXPECT_EQ(answer("token="), reason::kNoCredential);
  EXPECT_EQ(answer("token"), reason::kNoCredential);
  EXPECT_EQ(answer("xtoken=a"), reason::kNoCredential);
  EXPECT_EQ(answer(""), reason::kNoCredential);
  EXPECT_EQ(answer("token=a%zz"), reason::kNoCredential);
  EXPECT_EQ(answer("token=a&token=b"), reason::kAmbiguous);
  EXPECT_EQ(answer("token=a&x=1&t%6fken=b"), reason::kAmbiguous);
}

TEST(Extract, AsksEverySourceAndRefusesASecondCredential) {
  const config::TokenSource header{Kind::kHeader, "X-Token", ""};
  const auto asked = [&](std::string_view query) {
    return Asked{
        .head = {}, .query = query, .from = {header, config::TokenSource{}, {Kind::kQuery, "token", ""}}};
  };
  EXPECT_EQ(asked("token=q").answer(), "token q");
  EXPECT_EQ(asked("").authorization("Bearer b").answer(), "token b");
  EXPECT_EQ(asked("token=").authorization("Basic b").field("X-Token", "h").answer(), "token h");
  EXPECT_EQ(asked("token=q").authorization("Bearer b").answer(), reason::kAmbiguous);
  EXPECT_EQ(asked("token=q").field("X-Token", "q").answer(), reason::kAmbiguous) << "the same one twice";
  std::string scratch;
  const auto two = asked("token=q").authorization("Bearer b");
  EXPECT_EQ(extract(two.head, two.query, two.from, scratch).error().code, base::Code::kTwoCredentials);
}

}  // namespace
}  // namespace identity
