#include "prove/wire/mask.h"

#include <gmock/gmock.h>

namespace prove {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Mask, HidesFieldsByTheirNames) {
  const Mask mask({});
  EXPECT_EQ(
      mask.message("GET / HTTP/1.1\r\nAuthorization: Bearer abc\r\nX-Api-Key:k\r\nAccept: */*\r\n\r\nbody"),
      "GET / HTTP/1.1\nAuthorization: …\nX-Api-Key:…\nAccept: */*\n\nbody");
}

TEST(Mask, HidesWhatTheOtherSideRepeats) {
  Seen seen{.request = "GET / HTTP/1.1\r\nAuthorization: Bearer 0123456789\r\n\r\n",
            .reply = "HTTP/1.1 200 OK\r\nSet-Cookie: sid=abcdefghij; Path=/\r\n\r\n"};
  Mask mask({});
  mask.learn(seen);
  EXPECT_EQ(mask.text("0123456789 and abcdefghij"), "… and …");
}

TEST(Mask, HidesSecretsEncodedAndCutOff) {
  const Mask mask({"pass/word"});
  EXPECT_EQ(mask.text("a pass/word, a pass%2Fword, a pass/wo"), "a …, a …, a …");
  EXPECT_EQ(Mask({"abc"}).text("abc"), "abc");  // would be found everywhere
}

TEST(Mask, HidesMembersParametersAndJwts) {
  const Mask mask({});
  EXPECT_EQ(mask.text(R"({"password": "a\"b", "n": 1, "access_token":"cut o)"),
            R"({"password": "…", "n": 1, "access_token":"…)");
  EXPECT_EQ(mask.text("/x?api_key=1&q=2"), "/x?api_key=…&q=2");
  EXPECT_THAT(mask.text("of eyJhbGciOiJIUzI1NiJ9.e30.abc, well"), testing::StrEq("of …, well"));
  EXPECT_THAT(mask.text(R"({"tokens": {"a": 1}})"), HasSubstr(R"("a": 1)"));
  EXPECT_THAT(mask.text("plain"), Not(HasSubstr("…")));
}

TEST(Mask, HidesFieldsOfInterimRepliesAndOfHeadsWithoutCarriageReturns) {
  const Mask mask({});
  EXPECT_EQ(mask.message(
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 500 No\r\nSet-Cookie: sid=abc\r\n\r\n"),
            "HTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.1 500 No\nSet-Cookie: …\n\n");
  EXPECT_EQ(mask.message("HTTP/1.1 200 OK\nSet-Cookie: sid=abc\n\n"), "HTTP/1.1 200 OK\nSet-Cookie: …\n\n");
}

TEST(Mask, LearnsWhateverStandsUnderASecretName) {
  Mask mask({});
  mask.learn({.request = "POST / HTTP/1.1\r\nAuthorization: Basic YWxpY2U6aHVudGVyMg==\r\n\r\n"
                         "{\"password\":\"hunter2hunter2\"}",
              .reply = "HTTP/1.1 400 No\r\n\r\n<SecretAccessKey>wJalrXUtnFEMI</SecretAccessKey>"});
  EXPECT_EQ(mask.text("Basic YWxpY2U6aHVudGVyMg==; wrong: hunter2hunter2, wJalrXUtnFEMI"),
            "Basic …; wrong: …, …");
}

TEST(Mask, KnowsASecretHoweverItIsWritten) {
  const Mask mask({"ab/cd+ef==", "abcdefgh", "abcdefghijkl"});
  for (const char* written : {"ab/cd%2Bef%3D%3D", "ab%2fcd%2bef%3d%3d", "ab\\/cd+ef\\u003d=", "ab/cd+ef=="})
    EXPECT_EQ(mask.text(std::string("it is ") + written + "."), "it is ….") << written;
  EXPECT_EQ(mask.text("abcdefghijkl"), "…") << "the longer one first";
}

TEST(Mask, ReadsWhatBodiesAreWrittenIn) {
  const Mask mask({});
  EXPECT_EQ(mask.text(R"({"password" : "hunter2", "api_keys": ["a", "b"], "n": 1})"),
            R"({"password" : "…", "api_keys": […], "n": 1})");
  EXPECT_EQ(mask.text("<SecretAccessKey>wJalr</SecretAccessKey><Name>x</Name>"),
            "<SecretAccessKey>…</SecretAccessKey><Name>x</Name>");
  EXPECT_EQ(mask.text("user[password]=x&user%5Bpassword%5D=y&q=z"),
            "user[password]=…&user%5Bpassword%5D=…&q=z");
  EXPECT_EQ(mask.text("password=ab,cdefgh"), "password=…");
  EXPECT_EQ(mask.text("pass=a&pwd=b&sig=c&sid=d&auth=e&author=f&design=g&inside=h"),
            "pass=…&pwd=…&sig=…&sid=…&auth=…&author=f&design=g&inside=h");
}

TEST(Mask, HidesThePartsOfFormsByTheirNames) {
  const std::string form =
      "POST / HTTP/1.1\r\n\r\n--b\r\nContent-Disposition: form-data; "
      "name=\"password\"\r\n\r\nhunter2hunter2\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nshown\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"api_key\"; filename=\"k\"\r\nContent-Type: "
      "a/b\r\n\r\ncut o";
  Mask mask({});
  mask.learn({.request = form, .reply = ""});
  const std::string shown = mask.message(form);
  EXPECT_THAT(shown, HasSubstr("name=\"password\"\n\n…\n--b"));
  EXPECT_THAT(shown, HasSubstr("shown"));
  EXPECT_THAT(shown, HasSubstr("Content-Type: a/b\n\n…"));
  EXPECT_EQ(mask.text("again hunter2hunter2"), "again …");
}

TEST(Mask, LearnsThePasswordOfBasicCredentials) {
  Mask mask({});
  mask.learn(
      {.request = "GET / HTTP/1.1\r\nAuthorization: Basic YWxpY2U6b3Blbi1zZXNhbWU=\r\n\r\n", .reply = ""});
  EXPECT_EQ(mask.text("alice said open-sesame"), "alice said …");
  EXPECT_EQ(mask.text("YWxpY2U6b3Blbi1zZXNhbWU="), "…");
}

}  // namespace
}  // namespace prove
