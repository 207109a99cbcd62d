#include "limit/figures.h"

#include <gtest/gtest.h>

#include "telemetry/page_testing.h"

namespace limit {
namespace {

TEST(FiguresTest, TellOfPlacesAndTables) {
  const Rates rates{config::Limits{}};
  const Failures failures{config::Limits{}};
  Gates gates;
  const auto gate = gates.get(Gates::Of::kRoute, "/a\"b/",
                              config::Concurrency{.max = 7, .queue = 1, .wait = base::Millis(1)});
  const auto slot = gate->try_enter();
  telemetry::Page page;
  expose(page, rates, failures, gates);
  auto values = telemetry::parse(page.take());
  EXPECT_EQ(values.at(R"(sekisho_concurrency_limit{of="route",name="/a\"b/"})"), 7);
  EXPECT_EQ(values.at(R"(sekisho_concurrency_in_use{of="route",name="/a\"b/"})"), 1);
  EXPECT_EQ(values.at(R"(sekisho_concurrency_requests_total{of="route",name="/a\"b/",result="entered"})"), 1);
  EXPECT_GT(values.at(R"(sekisho_limit_buckets_capacity{table="rates"})"),
            values.at(R"(sekisho_limit_buckets_capacity{table="failures"})"));
}

TEST(FiguresTest, AddLinksUp) {
  SharedMetrics a, b;
  a.waits.add(2);
  b.waits.add();
  const SharedMetrics* const links[] = {&a, &b};
  telemetry::Page page;
  expose(page, links);
  EXPECT_EQ(telemetry::parse(page.take()).at("sekisho_rate_limit_waits_total"), 3);
}

}  // namespace
}  // namespace limit
