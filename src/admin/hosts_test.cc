#include "admin/hosts.h"

#include <gtest/gtest.h>

namespace admin {
namespace {

TEST(Hosts, AllowWhatNoPageCanMakeItsOwn) {
  const Hosts none;
  for (const char* host : {"", "localhost", "LocalHost:9901", "localhost.", "127.0.0.1", "127.0.0.1:9901",
                           "10.1.2.3:80", "[::1]", "[::1]:9901", "[2001:db8::1]:9901"})
    EXPECT_TRUE(none.allow(host)) << host;
}

TEST(Hosts, RefuseEveryOtherName) {
  const Hosts none;
  for (const char* host :
       {"evil.test", "evil.test:9901", "localhost.evil.test", "127.0.0.1.evil.test", "127.1", "0x7f.1",
        "2130706433", "[::1", "[evil.test]", "[127.0.0.1", ".", ":9901"})
    EXPECT_FALSE(none.allow(host)) << host;
}

TEST(Hosts, AllowNamesThatAreListed) {
  const Hosts listed({"metrics.internal", "sekisho"});
  for (const char* host : {"metrics.internal", "Metrics.Internal:9901", "metrics.internal.", "sekisho:80"})
    EXPECT_TRUE(listed.allow(host)) << host;
  for (const char* host : {"internal", "x.metrics.internal", "sekisho.evil.test"})
    EXPECT_FALSE(listed.allow(host)) << host;
}

}  // namespace
}  // namespace admin
