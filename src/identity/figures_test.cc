#include "identity/figures.h"

#include <gtest/gtest.h>

#include <memory>

#include "identity/testing_jwks.h"
#include "telemetry/page_testing.h"

namespace identity {
namespace {

std::shared_ptr<KeySource> source_named(const std::string& name) {
  config::JwtIdentity rules = published_rules();
  rules.name = name;
  return std::make_shared<KeySource>(rules, base::mono_now());
}

TEST(FiguresTest, TellOfKeysThatIssuersPublish) {
  const TestSigner signer("1");
  const auto good = source_named("sta\"ff"), down = source_named("down");
  ASSERT_TRUE(refresh(*good, reply_of(jwks_of({&signer})), base::mono_now()));
  ASSERT_TRUE(refresh(*down, no_reply(), base::mono_now()));
  telemetry::Page page;
  expose(page, {good, down});
  auto values = telemetry::parse(page.take());
  EXPECT_EQ(values.at(R"(sekisho_jwks_fetches_total{identity="sta\"ff",result="success"})"), 1);
  EXPECT_EQ(values.at(R"(sekisho_jwks_fetches_total{identity="down",result="unreachable"})"), 1);
  EXPECT_EQ(values.at(R"(sekisho_jwks_keys{identity="sta\"ff"})"), 1);
  EXPECT_EQ(values.at(R"(sekisho_jwks_keys{identity="down"})"), 0);
  EXPECT_LT(values.at(R"(sekisho_jwks_age_seconds{identity="sta\"ff"})"), 10);
  EXPECT_FALSE(values.contains(R"(sekisho_jwks_age_seconds{identity="down"})"));
}

}  // namespace
}  // namespace identity
