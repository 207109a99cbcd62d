#include "prove/model/early.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace prove {
namespace {

TEST(Early, TakesWhatIsOneOfTheRequestsThatEnded) {
  for (const std::string_view text :
       {"p95 < 50ms", "50ms > service.p99(ok)", "mean(step=login) < 2 * mean(tag=read)", "success >= 99%",
        "failed == 0%", "denied == 100%", "uploaded == 100%", "ratio < 2"})
    EXPECT_EQ(told_late(text, {{"ratio", "p95 / p50"}}), "") << text;
}

TEST(Early, TakesACountThatIsBoundedFromAbove) {
  for (const std::string_view text : {"count(failed) < 10", "status(5xx) <= 3", "retries == 0",
                                      "0 == retries", "10 > reason(reset)", "status(500) + status(502) < 5"})
    EXPECT_EQ(told_late(text, {}), "") << text;
  for (const std::string_view text :
       {"count(ok) > 10", "count(ok) == 10", "10 < count(ok)", "retries != 0", "count(failed) < count(ok)",
        "count(failed) - count(ok) < 3", "3 - count(ok) < 2"})
    EXPECT_THAT(told_late(text, {}), testing::HasSubstr("only by an upper bound")) << text;
}

TEST(Early, LeavesWhatTheEndAloneTells) {
  for (const std::string_view text : {"requests > 100", "rate > 10/s", "offered > 1/s", "lag.p99 < 1ms",
                                      "recovery < 1s", "delta(x) < 3", "rss < 1MB", "uploaded_bytes < 1MB"})
    EXPECT_THAT(told_late(text, {}), testing::HasSubstr("only when the run is over")) << text;
}

}  // namespace
}  // namespace prove
