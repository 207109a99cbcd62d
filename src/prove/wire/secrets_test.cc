#include "prove/wire/secrets.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

TEST(Secrets, HidesWhatTheCampaignHoldsAsASecret) {
  Campaign campaign;
  campaign.tokens.emplace_back().key = base::Secret("it's mine");
  campaign.targets.emplace_back().secret_access_key = base::Secret("wJalr/XUtn");
  EXPECT_EQ(
      without_secrets("sekisho prove run c.yaml --set 'K=it'\\''s mine' --set=S3=wJalr/XUtn", campaign, {}),
      "sekisho prove run c.yaml --set 'K=…' --set=S3=…");
}

TEST(Secrets, HidesWhatAHeaderFieldAuthorizesWith) {
  Campaign campaign;
  campaign.targets.emplace_back().metrics_headers = {{"Authorization", "Bearer abcdef"},
                                                     {"Accept", "text/plain"}};
  Step& step = campaign.scenarios.emplace_back().steps.emplace_back();
  step.headers.emplace_back("X-Api-Key", Template::compile("k-{{user}}-99", campaign.slots).value());
  EXPECT_EQ(without_secrets("run --set A=abcdef --set B=99 --set C=plain", campaign,
                            {{"A", "abcdef"}, {"B", "99"}, {"C", "plain"}}),
            "run --set A=… --set B=… --set C=plain");
}

TEST(Secrets, HidesTheValuesOfNamesThatSaySo) {
  const Campaign campaign;
  EXPECT_EQ(without_secrets("ab c.yaml --a TOKEN=one --b 'DB_PASSWORD=t w'\\''o' --set RATE=50 --runs 9",
                            campaign, {}),
            "ab c.yaml --a TOKEN=… --b 'DB_PASSWORD=…' --set RATE=50 --runs 9");
  EXPECT_EQ(without_secrets("run --set 'NOTE=a b' --set=SECRET_KEY=x=y --set KEY=", campaign, {}),
            "run --set 'NOTE=a b' --set=SECRET_KEY=… --set KEY=…");
}

}  // namespace
}  // namespace prove
