#include "http/coding.h"

#include <gtest/gtest.h>

namespace http {
namespace {

TEST(Coding, IsTakenByWhoSaysSo) {
  for (const char* list :
       {"gzip", "br, GZIP", "x-gzip", "*", "gzip;q=0.5", "*;q=0, gzip", "deflate;q=0, *;q=0.1"})
    EXPECT_TRUE(accepts_codings(list, "gzip")) << list;
  for (const char* list : {"", "br", "identity", "gzip;q=0", "gzip; Q=0.000", "*;q=0", "*, gzip;q=0", "gzi"})
    EXPECT_FALSE(accepts_codings(list, "gzip")) << list;
  EXPECT_TRUE(accepts_codings("", "identity"));
  EXPECT_TRUE(accepts_codings("gzip, br", "gzip, br"));
  EXPECT_FALSE(accepts_codings("gzip", "gzip, br"));
}

}  // namespace
}  // namespace http
