#include "http/reference.h"

#include <gtest/gtest.h>

namespace http {
namespace {

std::string resolved(std::string_view text, std::string_view base = "/a/b") {
  Reference out;
  if (!resolve_reference(base, text, out)) return "none";
  return std::string(out.authority) + " " + out.target;
}

TEST(Reference, IsResolvedAgainstThePathOfTheRequest) {
  EXPECT_EQ(resolved("/x"), " /x");
  EXPECT_EQ(resolved("x?q=1#f"), " /a/x?q=1");
  EXPECT_EQ(resolved("../x"), " /x");
  EXPECT_EQ(resolved("../../../x/./y/.."), " /x/");
  EXPECT_EQ(resolved("."), " /a/");
  EXPECT_EQ(resolved("?q"), " /a/b?q");
  EXPECT_EQ(resolved(""), " /a/b");
}

TEST(Reference, MayNameItsHost) {
  EXPECT_EQ(resolved("http://h:1/x"), "h:1 /x");
  EXPECT_EQ(resolved("HTTPS://h"), "h /");
  EXPECT_EQ(resolved("//h?q"), "h /?q");
}

TEST(Reference, ToAnotherSchemeNamesNothing) {
  EXPECT_EQ(resolved("mailto:a@b"), "none");
  EXPECT_EQ(resolved("ftp://h/x"), "none");
  EXPECT_EQ(resolved("http:///x"), "none");
  EXPECT_EQ(resolved("/x:y"), " /x:y");
}

TEST(Reference, ADefaultPortMayBeSaidOrNot) {
  EXPECT_TRUE(same_authority("H", "h:80"));
  EXPECT_TRUE(same_authority("h:443", "h"));
  EXPECT_FALSE(same_authority("h:8080", "h"));
  EXPECT_FALSE(same_authority("", ""));
}

}  // namespace
}  // namespace http
