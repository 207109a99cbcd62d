#include "http/target.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace http {
namespace {

struct Parsed {
  std::string path, collapsed, sent, query, authority;
  bool has_query = false, parameters = false, secure = false;
};

std::optional<Parsed> parse(std::string_view raw) {
  std::vector<char> scratch(target_scratch(raw));
  Target t;
  const auto ok = parse_target(raw, scratch, t);
  if (!ok) {
    EXPECT_EQ(ok.error().code, base::Code::kBadRequest) << raw;
    return std::nullopt;
  }
  EXPECT_EQ(t.plain, t.path.data() == t.collapsed.data() && t.path.data() == t.sent.data());
  return Parsed{std::string(t.path),
                std::string(t.collapsed),
                std::string(t.sent),
                std::string(t.raw_query),
                std::string(t.authority),
                t.has_query,
                t.parameters,
                t.secure};
}

TEST(Target, IsDecodedOnce) {
  EXPECT_EQ(parse("/")->path, "/");
  EXPECT_EQ(parse("/a%20b/%C3%A4.txt")->path, "/a b/\xc3\xa4.txt");
  EXPECT_EQ(parse("/%2541")->path, "/%41") << "not twice";
  EXPECT_EQ(parse("/a+b")->path, "/a+b") << "a plus is a plus in a path";
  EXPECT_EQ(parse("/a/...")->path, "/a/...");
  EXPECT_EQ(parse("/.well-known/..x/x..")->path, "/.well-known/..x/x..");
}

TEST(Target, IsBesidesAsItWasSent) {
  const auto sent = [](std::string_view raw) { return parse(raw)->sent; };
  EXPECT_EQ(sent("/a/b"), "/a/b");
  EXPECT_EQ(sent("/%41%7e%2D%2e%5fx"), "/A~-._x") << "what nobody reserves is one thing in either spelling";
  EXPECT_EQ(sent("/x%3bp=1;p=1"), "/x%3Bp=1;p=1") << "what is reserved is two";
  EXPECT_EQ(sent("/!$&'()*+,=:@"), "/!$&'()*+,=:@");
  EXPECT_EQ(sent("/%21%24%26%27%28%29%2a%2b%2c%3d%3a%40%3f%23%5b%5d"),
            "/%21%24%26%27%28%29%2A%2B%2C%3D%3A%40%3F%23%5B%5D");
  EXPECT_EQ(sent("/%253b/%25"), "/%253b/%25") << "and nothing is decoded twice";
  EXPECT_EQ(sent("/a%20b/%c3%a4"), "/a%20b/%C3%A4");
  EXPECT_EQ(sent("//a%20b///c//"), "/a%20b/c/");
  EXPECT_EQ(sent("//a///c"), "/a/c");
}

TEST(Target, TellsOfParametersInEitherSpelling) {
  EXPECT_FALSE(parse("/a/b?c;d")->parameters);
  EXPECT_TRUE(parse("/a;b")->parameters);
  EXPECT_TRUE(parse("/a%3bb")->parameters);
  EXPECT_FALSE(parse("/a%253bb")->parameters);
  EXPECT_EQ(without_parameters("/a;b/c;d=e;f/g"), "/a/c/g");
  EXPECT_EQ(without_parameters("/;a/b"), "/b");
  EXPECT_EQ(without_parameters("/a/;"), "/a/");
  EXPECT_EQ(without_parameters("/;"), "/");
}

TEST(Target, TellsTheQueryApartFromNone) {
  const auto with = parse("/a?b=%zz&c");
  EXPECT_EQ(with->path, "/a");
  EXPECT_EQ(with->query, "b=%zz&c") << "raw: the origin may know what it means";
  EXPECT_TRUE(with->has_query);
  EXPECT_TRUE(parse("/a?")->has_query);
  EXPECT_FALSE(parse("/a")->has_query);
  EXPECT_EQ(parse("/a?b?c")->query, "b?c");
  EXPECT_EQ(parse("/a?../..//")->query, "../..//");
}

TEST(Target, KeepsDoubledSlashesBesideTheCollapsedPath) {
  const auto t = parse("//a///b//");
  EXPECT_EQ(t->path, "//a///b//");
  EXPECT_EQ(t->collapsed, "/a/b/");
  EXPECT_EQ(parse("/%61//b")->collapsed, "/a/b");
  EXPECT_EQ(parse("/%61//b")->path, "/a//b");
}

TEST(Target, IsAViewOfTheRawTextWhenThereIsNothingToDecode) {
  const std::string_view raw = "/photos/a.jpg?x";
  char scratch[32];
  Target t;
  ASSERT_TRUE(parse_target(raw, scratch, t));
  EXPECT_EQ(t.path.data(), raw.data());
  EXPECT_EQ(t.collapsed.data(), raw.data());
}

TEST(Target, OfAbsoluteFormGivesItsAuthority) {
  const auto t = parse("http://h.example:81/a/b?c");
  EXPECT_EQ(t->authority, "h.example:81");
  EXPECT_EQ(t->path, "/a/b");
  EXPECT_EQ(parse("HTTPS://h?c")->path, "/");
  EXPECT_EQ(parse("HTTPS://h?c")->query, "c");
  EXPECT_TRUE(parse("HTTPS://h?c")->secure);
  EXPECT_FALSE(t->secure);
  EXPECT_EQ(parse("http://h")->path, "/");
  EXPECT_EQ(parse("*")->path, "*");
  for (const char* bad : {"ftp://h/", "http:///a", "://h", "a", "", "http:/a", "http://?"})
    EXPECT_FALSE(parse(bad)) << bad;
}

TEST(Target, RefusesWhatTwoReadersCouldTakeForTwoObjects) {
  for (const char* raw : {"/a%2fb",
                          "/a%2Fb",
                          "/%2f",
                          "/a%5cb",
                          "/a%5Cb",
                          "/a\\b",
                          "/%00",
                          "/a%00.jpg",
                          "/%0a",
                          "/%0d%0a",
                          "/%1f",
                          "/%7f",
                          "/%09",
                          "/%",
                          "/%2",
                          "/%zz",
                          "/%2g",
                          "/a%",
                          "/..",
                          "/.",
                          "/../",
                          "/./",
                          "/a/..",
                          "/a/.",
                          "/a/../b",
                          "/a/./b",
                          "/%2e%2e/",
                          "/%2e",
                          "/.%2e",
                          "/%2E./b",
                          "/a/%2e%2e",
                          "//..",
                          "/..;/a",
                          "/a/..;x=y/b",
                          "/.;",
                          "/a#b",
                          "/a?b#c",
                          "/a b",
                          "/\xc3\xa4",
                          "/a?\xff",
                          "/a\tb",
                          "http://h/../a",
                          "http://h/%2e%2e/a"})
    EXPECT_FALSE(parse(raw)) << raw;
  EXPECT_FALSE(parse(std::string_view("/a\0b", 4)));
}

TEST(Target, FailsWithoutScratchSpaceInsteadOfWritingBeyondIt) {
  char scratch[4];
  Target t;
  EXPECT_EQ(parse_target("/a%20b//c", scratch, t).error().code, base::Code::kInternal);
}

TEST(AppendSentPath, EncodesWhatNoUriMayHoldAndNothingElse) {
  std::string out;
  append_sent_path("/a%3Bb;c|d\"<>[]^`{}/:@!$&'()*+,=~", out);
  EXPECT_EQ(out, "/a%3Bb;c%7Cd%22%3C%3E%5B%5D%5E%60%7B%7D/:@!$&'()*+,=~");
}

TEST(Query, FindsAParameterByItsDecodedName) {
  EXPECT_EQ(query_value("a=1&token=x%20y&token=z", "token"), "x%20y");
  EXPECT_EQ(query_value_decoded("a=1&to%6ben=x%20y+z", "token"), "x y z");
  EXPECT_EQ(query_value("token", "token"), "");
  EXPECT_EQ(query_value("token=a=b", "token"), "a=b");
  EXPECT_EQ(query_value("", "token"), std::nullopt);
  EXPECT_EQ(query_value("tokens=1&xtoken=2&Token=3&tok%en=4&tok%6", "token"), std::nullopt);
  EXPECT_EQ(query_value_decoded("token=%zz", "token"), std::nullopt);
  EXPECT_EQ(query_value_decoded("token=%4", "token"), std::nullopt);
}

TEST(Query, LosesEachParameterOfTheNames) {
  const std::vector<std::string> names{"token", "key"};
  const auto without = [&](std::string_view query) {
    std::string out;
    query_without(query, names, out);
    EXPECT_EQ(query_has(query, names), out != query) << query;
    return out;
  };
  EXPECT_EQ(without("token=x"), "");
  EXPECT_EQ(without("a=1&token=x&b=%20"), "a=1&b=%20");
  EXPECT_EQ(without("token=x&a&key=z&token=y"), "a");
  EXPECT_EQ(without("t%6Fken=x&a"), "a") << "an encoded name is the same name";
  EXPECT_EQ(without("a=token&tokens=1&Token=2"), "a=token&tokens=1&Token=2");
  EXPECT_EQ(without(""), "");
}

}  // namespace
}  // namespace http
