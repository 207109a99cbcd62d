#include "prove/wire/scrape.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

using Labels = std::map<std::string, std::string>;

std::vector<Scraped> parsed(std::string_view text, const std::set<std::string>& names) {
  auto result = parse_metrics(text, names);
  EXPECT_TRUE(result) << result.error().text;
  return result ? *result : std::vector<Scraped>{};
}

TEST(Scrape, KeepsWantedSamplesWithLabelsAndType) {
  const auto got = parsed(
      "# HELP hits_total Hits.\n# TYPE hits_total counter\nhits_total{route=\"a\",result=\"hit\"} 12\n"
      "hits_total{route=\"b\",result=\"miss\",} 3.5e2 1712345678000\n\n"
      "# TYPE open gauge\nopen 7\n# TYPE other counter\nother 9\n",
      {"hits_total", "open"});
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].name, "hits_total");
  EXPECT_EQ(got[0].labels, (Labels{{"route", "a"}, {"result", "hit"}}));
  EXPECT_EQ(got[0].value, 12);
  EXPECT_TRUE(got[0].counter);
  EXPECT_EQ(got[1].value, 350);
  EXPECT_FALSE(got[2].counter);
  EXPECT_TRUE(got[2].labels.empty());
}

TEST(Scrape, UnescapesLabelValues) {
  const auto got = parsed("x{a=\"q\\\"b\\\\c\\nd}e,f\", b = \"\"} 1", {"x"});
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].labels, (Labels{{"a", "q\"b\\c\nd}e,f"}, {"b", ""}}));
}

TEST(Scrape, TakesPartsOfHistogramsAsCounters) {
  const auto got = parsed(
      "# TYPE d histogram\nd_bucket{le=\"+Inf\"} 4\nd_sum 0.5\nd_count 4\nd_created 1\n"
      "# TYPE s summary\ns{quantile=\"0.5\"} 2\ns_count 9\n",
      {"d_bucket", "d_sum", "d_count", "d_created", "s", "s_count"});
  ASSERT_EQ(got.size(), 6u);
  for (const std::size_t i : {0u, 1u, 2u, 5u}) EXPECT_TRUE(got[i].counter) << got[i].name;
  for (const std::size_t i : {3u, 4u}) EXPECT_FALSE(got[i].counter) << got[i].name;
}

TEST(Scrape, TakesOpenMetrics) {
  const auto got =
      parsed("# TYPE c counter\nc_total 5 12.5 # {trace=\"x\"} 1 2\r\nc_total{a=\"b\"} 6 # {} 1\n# EOF\n",
             {"c_total"});
  ASSERT_EQ(got.size(), 2u);
  EXPECT_TRUE(got[0].counter && got[1].counter);
  EXPECT_EQ(got[1].value, 6);
}

TEST(Scrape, LeavesOutWhatIsNoNumber) {
  const auto got = parsed("a NaN\na +Inf\na -Inf\na -2\na 1e999\n", {"a"});
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].value, -2);
}

TEST(Scrape, DoesNotTakeACounterOfAnotherFamily) {
  const auto got = parsed("# TYPE a counter\na 1\n# TYPE b gauge\nab 2\n", {"a", "ab"});
  ASSERT_EQ(got.size(), 2u);
  EXPECT_FALSE(got[1].counter);
}

TEST(Scrape, RefusesGarbage) {
  for (const std::string_view line :
       {"<html>", "x", "x one", "x{a=\"b\" 1", "x{a=\"b} 1", "x{a} 1", "x{a=b} 1", "x{a=\"1\" b=\"2\"} 1",
        "9x 1", "x 1 2 3", "x 1 later", "x{a=\"1\",a=\"2\"} 1", "{a=\"b\"} 1", "x{a=\"b\\", "x 1.5.2"})
    EXPECT_FALSE(parse_metrics(line, {})) << line;
  EXPECT_TRUE(parse_metrics("", {}));
  EXPECT_TRUE(parse_metrics("# anything goes here {\n", {}));
}

}  // namespace
}  // namespace prove
