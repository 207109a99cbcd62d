#include <gtest/gtest.h>

#include "origin/testing.h"

namespace origin {
namespace {

using testing::http_configuration;

TEST(FingerprintTest, ChangesWithWhateverDecidesTheAnswer) {
  const auto base = http_configuration(80);
  EXPECT_EQ(fingerprint_of(base), fingerprint_of(http_configuration(80)));
  EXPECT_NE(fingerprint_of(base), fingerprint_of(http_configuration(81)));
  EXPECT_NE(fingerprint_of(base), fingerprint_of(http_configuration(80, "/x")));
  config::S3Origin s3;
  s3.bucket = "b";
  s3.secret_access_key = base::Secret("one");
  const config::Origin first{.name = "o", .concurrency = {}, .kind = s3};
  s3.secret_access_key = base::Secret("two");
  const config::Origin second{.name = "o", .concurrency = {}, .kind = s3};
  EXPECT_NE(fingerprint_of(first), fingerprint_of(second));
}

}  // namespace
}  // namespace origin
