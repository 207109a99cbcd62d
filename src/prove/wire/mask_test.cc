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

}  // namespace
}  // namespace prove
