#include "prove/record/hdr_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <zlib.h>

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
    const auto any = decode_hdr(flipped);  // whatever it says: no crash
    EXPECT_TRUE(any || !any.error().text.empty());
  }
}

// A whole and valid envelope around these counts.
std::string enveloped(const std::string& counts) {
  const auto word = [](std::uint64_t value, int bytes) {
    std::string out;
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
    return out;
  };
  const std::string plain = word(0x1c849313, 4) + word(counts.size(), 4) + word(0, 4) +
                            word(Hdr::kDigits, 4) + word(Hdr::kLowest, 8) + word(Hdr::kHighest, 8) +
                            word(0x3ff0000000000000, 8) + counts;
  uLongf size = compressBound(plain.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
           plain.size());
  const std::string bytes = word(0x1c849314, 4) + word(size, 4) + packed.substr(0, size);
  std::string text(bytes.size() * 2, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                                       static_cast<int>(bytes.size()))));
  return text;
}

TEST(HdrCodec, RefusesMoreCellsThanThereAre) {
  EXPECT_EQ(decode_hdr(enveloped("\x02"))->cell(0), 1u);        // one in the first cell
  EXPECT_TRUE(decode_hdr(enveloped("\xfd\xff\x02\x02")));       // 24,575 empty cells, and one in the last
  EXPECT_FALSE(decode_hdr(enveloped("\xfd\xff\x02\x02\x02")));  // one more
  EXPECT_FALSE(decode_hdr(enveloped(std::string(9, '\xff') + "\x02")));  // empty cells without end
  EXPECT_FALSE(decode_hdr(enveloped("\x80")));                           // a number that is cut off
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
