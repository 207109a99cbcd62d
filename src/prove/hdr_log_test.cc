#include "prove/hdr_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <sstream>

namespace prove {
namespace {

using base::Nanos;
using ::testing::HasSubstr;

Hdr sample(int count, unsigned seed = 5) {
  std::mt19937_64 random(seed);
  Hdr h;
  for (int i = 0; i < count; ++i)
    h.record(Nanos(static_cast<std::int64_t>(std::exp(std::normal_distribution<>(14, 3)(random)))),
             1 + random() % 300);
  return h;
}

TEST(HdrCodec, BringsEveryCellBack) {
  for (const int count : {0, 1, 10, 3'000}) {
    const Hdr h = sample(count);
    const auto back = decode_hdr(encode_hdr(h));
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(back->count(), h.count());
    for (std::size_t i = 0; i < Hdr::kCells; ++i) ASSERT_EQ(back->cell(i), h.cell(i)) << i;
  }
}

TEST(HdrCodec, BringsEdgesBack) {
  Hdr h;
  h.record(Nanos(0), 1);
  h.record(Nanos(Hdr::kHighest), std::uint64_t{1} << 62);
  const auto back = decode_hdr(encode_hdr(h));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->cell(0), 1u);
  EXPECT_EQ(back->cell(h.last_cell()), std::uint64_t{1} << 62);
  EXPECT_EQ(back->max().count(), Hdr::kHighest);
}

TEST(HdrCodec, RefusesWhatIsDamaged) {
  const std::string good = encode_hdr(sample(500));
  EXPECT_TRUE(decode_hdr(good));
  for (const std::string& bad : {std::string(), std::string("HIST"), std::string("not base64!!"),
                                 good.substr(4), good.substr(0, good.size() - 4), good + "AAAA"})
    EXPECT_FALSE(decode_hdr(bad)) << bad.size();
  for (std::size_t i = 0; i < good.size(); i += 7) {
    std::string flipped = good;
    flipped[i] = flipped[i] == 'A' ? 'B' : 'A';
    (void)decode_hdr(flipped);  // any answer, no crash
  }
}

TEST(HdrLog, WritesTheFormat) {
  std::ostringstream out;
  HlogWriter log(out, base::Wall(base::Seconds(1'700'000'000)), "made up");
  Hdr h;
  h.record(Nanos(2'500'000), 3);
  log.add("response", 0, 1, h);
  log.add("service", 1, 0.5, Hdr());
  const std::string text = out.str();
  EXPECT_THAT(text, HasSubstr("#[Histogram log format version 1.3]\n"));
  EXPECT_THAT(
      text, HasSubstr("#[StartTime: 1700000000.000 (seconds since epoch), Tue Nov 14 22:13:20 UTC 2023]\n"));
  EXPECT_THAT(text, HasSubstr("\nTag=response,0.000,1.000,2.500,HISTFAAAA"));
  EXPECT_THAT(text, HasSubstr("\nTag=service,1.000,0.500,0.000,HISTFAAAA"));
}

TEST(Hgrm, ListsPercentilesToTheMaximum) {
  Hdr h;
  for (int ms = 1; ms <= 1'000; ++ms) h.record(Nanos(ms * 1'000'000LL));
  const std::string text = hgrm(h);
  EXPECT_THAT(text, HasSubstr("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
  EXPECT_THAT(text, HasSubstr("       1.000 0.000000000000          1           1.00\n"));
  EXPECT_THAT(text, HasSubstr("     500.171 0.500000000000        500           2.00\n"));
  EXPECT_THAT(text, HasSubstr("    1000.000 1.000000000000       1000\n"));
  EXPECT_THAT(text, HasSubstr("#[Max     =     1000.000, Total count    =         1000]\n"));
  EXPECT_THAT(text, HasSubstr("#[Buckets =           23, SubBuckets     =         2048]\n"));
}

TEST(Hgrm, IsATableWithoutLinesWhenEmpty) {
  EXPECT_THAT(hgrm(Hdr()), HasSubstr("#[Max     =        0.000, Total count    =            0]\n"));
}

}  // namespace
}  // namespace prove
