#include "prove/record/hdr_log.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <ostream>
#include <vector>

#include "prove/model/seconds.h"

namespace prove {
namespace {

using base::Code;
using base::fail;

constexpr std::uint32_t kCookie = 0x1c849313;            // V2, counts as ZigZag LEB128
constexpr std::uint32_t kCompressedCookie = 0x1c849314;  // the same within zlib
constexpr std::size_t kHead = 40;
constexpr std::size_t kLongestCount = 9;  // bytes
constexpr std::size_t kMostBytes = kHead + Hdr::kCells * kLongestCount;
constexpr double kMilli = 1e6;  // nanoseconds

template <class Int>
void put(std::string& out, Int value) {  // big-endian
  for (int shift = (sizeof(Int) - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xff);
}

std::uint64_t get(std::string_view in, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(in[at + i]);
  return value;
}

// Seven bits a byte, least first, the top bit for "more follows"; the ninth byte has eight.
void put_count(std::string& out, std::int64_t value) {
  auto bits = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  for (std::size_t i = 1; i < kLongestCount && bits >= 0x80; ++i, bits >>= 7)
    out += static_cast<char>((bits & 0x7f) | 0x80);
  out += static_cast<char>(bits);
}

bool take_count(std::string_view& in, std::int64_t& value) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kLongestCount; ++i) {
    if (i == in.size()) return false;
    const auto byte = static_cast<unsigned char>(in[i]);
    const bool last = i + 1 == kLongestCount || byte < 0x80;
    bits |= static_cast<std::uint64_t>(i + 1 == kLongestCount ? byte : byte & 0x7f) << (7 * i);
    if (!last) continue;
    value = static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
    in.remove_prefix(i + 1);
    return true;
  }
  return false;
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int n =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(n));
  return text;
}

std::string from_base64(std::string_view text) {  // "": it is none
  if (text.size() % 4 != 0 || text.size() > kMostBytes * 2) return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int n =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return {};
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(n) - std::min(static_cast<std::size_t>(n), padding));
  return bytes;
}

}  // namespace

std::string encode_hdr(const Hdr& h) {
  std::string counts;
  std::int64_t zeros = 0;
  for (std::size_t i = 0; h.count() > 0 && i <= h.last_cell(); ++i) {
    const std::uint64_t n = h.cell(i);
    if (n == 0) {
      ++zeros;
      continue;
    }
    if (zeros > 0) put_count(counts, -zeros);  // a run of empty cells is one negative number
    zeros = 0;
    put_count(counts, static_cast<std::int64_t>(n));
  }
  std::string plain;
  put<std::uint32_t>(plain, kCookie);
  put<std::uint32_t>(plain, static_cast<std::uint32_t>(counts.size()));
  put<std::uint32_t>(plain, 0);  // normalizing offset
  put<std::uint32_t>(plain, Hdr::kDigits);
  put<std::uint64_t>(plain, Hdr::kLowest);
  put<std::uint64_t>(plain, Hdr::kHighest);
  put<std::uint64_t>(plain, std::bit_cast<std::uint64_t>(1.0));  // integer to double ratio
  plain += counts;

  uLongf size = compressBound(plain.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
            plain.size(),
            Z_DEFAULT_COMPRESSION);  // cannot fail: the room is the bound's
  std::string out;
  put<std::uint32_t>(out, kCompressedCookie);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(size));
  out.append(packed, 0, size);
  return base64(out);
}

base::Result<Hdr> decode_hdr(std::string_view text) {
  const std::string packed = from_base64(text);
  if (packed.size() < 8 || get(packed, 0, 4) != kCompressedCookie || get(packed, 4, 4) != packed.size() - 8)
    return fail(Code::kBadRequest, "not an HdrHistogram in the V2 compressed encoding");
  std::string plain(kMostBytes, '\0');
  uLongf size = plain.size();
  if (uncompress(reinterpret_cast<Bytef*>(plain.data()), &size,
                 reinterpret_cast<const Bytef*>(packed.data() + 8), packed.size() - 8) != Z_OK)
    return fail(Code::kBadRequest, "a histogram's compressed part is damaged");
  plain.resize(size);
  if (size < kHead || get(plain, 0, 4) != kCookie || get(plain, 4, 4) != size - kHead)
    return fail(Code::kBadRequest, "a histogram's head is damaged");
  if (get(plain, 8, 4) != 0 || get(plain, 12, 4) != Hdr::kDigits || get(plain, 16, 8) != Hdr::kLowest ||
      get(plain, 24, 8) != Hdr::kHighest)
    return fail(Code::kBadRequest, "a histogram of another layout");

  Hdr h;
  std::string_view rest = std::string_view(plain).substr(kHead);
  std::size_t cell = 0;
  while (!rest.empty()) {
    std::int64_t n = 0;
    if (!take_count(rest, n)) return fail(Code::kBadRequest, "a histogram's counts are damaged");
    const std::uint64_t cells = n < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(n) : 1;
    if (cells > Hdr::kCells - cell)
      return fail(Code::kBadRequest, "a histogram counts more than it has cells");
    if (n > 0) h.add_cell(cell, static_cast<std::uint64_t>(n));
    cell += cells;
  }
  return h;
}

HlogWriter::HlogWriter(std::ostream& out, base::Wall start, std::string_view comment) : out_(out) {
  const double seconds = seconds_of(start.time_since_epoch());
  const std::time_t whole = base::unix_seconds(start);
  std::tm utc{};
  gmtime_r(&whole, &utc);
  char date[40];
  std::strftime(date, sizeof date, "%a %b %d %H:%M:%S UTC %Y", &utc);
  out_ << fmt::format(
      "#[{}]\n#[Histogram log format version 1.3]\n#[StartTime: {:.3f} (seconds since epoch), {}]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      comment, seconds, date);
}

void HlogWriter::add(std::string_view tag, double from, double seconds, const Hdr& h) {
  out_ << fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", tag, from, seconds,
                      static_cast<double>(h.max().count()) / kMilli, encode_hdr(h));
}

std::string hgrm(const Hdr& h) {
  constexpr double kTicks = 5;  // lines for each halving of what is left above
  const auto ms = [](base::Nanos t) { return static_cast<double>(t.count()) / kMilli; };
  std::string out =
      fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  double percentile = 0;
  std::uint64_t seen = 0;
  std::size_t cell = h.first_cell();
  while (h.count() > 0) {
    const auto wanted = static_cast<std::uint64_t>(
        std::max(1.0, std::ceil(percentile / 100 * static_cast<double>(h.count()) - 1e-9)));
    while (seen < wanted) seen += h.cell(cell++);
    if (seen == h.count()) break;
    out += fmt::format("{:12.3f} {:2.12f} {:10} {:14.2f}\n", ms(h.percentile(percentile)), percentile / 100,
                       seen, 1 / (1 - percentile / 100));
    const double halvings = std::floor(std::log2(100 / (100 - percentile))) + 1;
    percentile += 100 / (kTicks * std::exp2(halvings));
  }
  if (h.count() > 0) out += fmt::format("{:12.3f} {:2.12f} {:10}\n", ms(h.max()), 1.0, h.count());
  out += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", ms(h.mean()), h.stddev() / kMilli);
  out += fmt::format("#[Max     = {:12.3f}, Total count    = {:12}]\n", ms(h.max()), h.count());
  out += fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n", Hdr::kBuckets, 2 * Hdr::kHalf);
  return out;
}

}  // namespace prove
