#include "http/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace http {
namespace {

using Source = ProxyHeader::Source;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string header(int command, int family, std::string_view block) {
  std::string out(kSignature);
  out += static_cast<char>(command);
  out += static_cast<char>(family);
  out += static_cast<char>(block.size() >> 8);
  out += static_cast<char>(block.size() & 0xff);
  return out.append(block);
}

std::string tlv(int type, std::string_view value) {
  std::string out{static_cast<char>(type), static_cast<char>(value.size() >> 8),
                  static_cast<char>(value.size() & 0xff)};
  return out.append(value);
}

// 203.0.113.9:1234 to 192.0.2.1:443
const std::string kIpv4("\xcb\x00\x71\x09\xc0\x00\x02\x01\x04\xd2\x01\xbb", 12);
// [2001:db8::9]:1234 to [2001:db8::1]:443
const std::string kIpv6(
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x04\xd2\x01\xbb",
    36);

ProxyHeader parsed(const std::string& text, std::size_t used) {
  ProxyHeader out;
  const auto n = parse_proxy_header(text, out);
  EXPECT_TRUE(n) << n.error().text;
  EXPECT_EQ(n.value_or(0), used);
  return out;
}

std::string_view refusal(std::string_view text) {
  ProxyHeader out;
  const auto n = parse_proxy_header(text, out);
  return n ? std::string_view("none") : n.error().text;
}

TEST(ProxyHeader, TellsTheSourceOfIpv4) {
  const std::string text = header(0x21, 0x11, kIpv4);
  const ProxyHeader got = parsed(text + "GET / HTTP/1.1\r\n", text.size());
  EXPECT_EQ(got.source, Source::kAddress);
  EXPECT_EQ(got.address,
            (std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 9}));
  EXPECT_EQ(got.port, 1234);
}

TEST(ProxyHeader, TellsTheSourceOfIpv6) {
  const std::string text = header(0x21, 0x21, kIpv6);
  const ProxyHeader got = parsed(text, text.size());
  EXPECT_EQ(got.source, Source::kAddress);
  EXPECT_EQ(got.address,
            (std::array<std::uint8_t, 16>{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}));
  EXPECT_EQ(got.port, 1234);
}

TEST(ProxyHeader, LocalSpeaksForItselfWhateverFollows) {
  EXPECT_EQ(parsed(header(0x20, 0, ""), 16).source, Source::kOwn);
  EXPECT_EQ(parsed(header(0x20, 0x11, kIpv4), 28).source, Source::kOwn);
  EXPECT_EQ(parsed(header(0x20, 0xff, "garbage"), 23).source, Source::kOwn);
}

TEST(ProxyHeader, UnixAndUnspecNameNobody) {
  EXPECT_EQ(parsed(header(0x21, 0, ""), 16).source, Source::kUnnamed);
  EXPECT_EQ(parsed(header(0x21, 0, "whatever"), 24).source, Source::kUnnamed);
  EXPECT_EQ(parsed(header(0x21, 0x31, std::string(216, 'u')), 232).source, Source::kUnnamed);
  EXPECT_EQ(parsed(header(0x21, 0x32, std::string(216, 'u')), 232).source, Source::kUnnamed);
}

TEST(ProxyHeader, PassesOverTlvs) {
  const std::string text =
      header(0x21, 0x11, kIpv4 + tlv(0x01, "h2") + tlv(0x04, "") + tlv(0xea, std::string(600, 'x')));
  EXPECT_EQ(parsed(text, text.size()).source, Source::kAddress);
}

// The checksum is computed here bit by bit, another way than the parser does.
TEST(ProxyHeader, VerifiesTheChecksumWhereThereIsOne) {
  const std::string good =
      header(0x21, 0x11, kIpv4 + tlv(0x01, "h2") + tlv(0x03, std::string("\x11\x22\x33\x44", 4)));
  EXPECT_EQ(refusal(good), "the PROXY header's checksum is wrong");
  std::string right = good;
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < right.size(); ++i) {
    crc ^= i + 4 >= right.size() ? 0 : static_cast<std::uint8_t>(right[i]);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82F63B78 & (0U - (crc & 1)));
  }
  crc = ~crc;
  for (int i = 0; i < 4; ++i)
    right[right.size() - 4 + static_cast<std::size_t>(i)] = static_cast<char>(crc >> (24 - 8 * i));
  EXPECT_EQ(parsed(right, right.size()).source, Source::kAddress);
  for (std::size_t i = 16; i < 28; ++i) {
    std::string bent = right;
    bent[i] = static_cast<char>(bent[i] ^ 1);
    EXPECT_EQ(refusal(bent), "the PROXY header's checksum is wrong") << i;
  }
}

TEST(ProxyHeader, RefusesChecksumsThatCanBeReadTwoWays) {
  const std::string once = tlv(0x03, std::string(4, '\0'));
  EXPECT_EQ(refusal(header(0x21, 0x11, kIpv4 + tlv(0x03, "abc"))),
            "the PROXY header's checksum is malformed");
  EXPECT_NE(refusal(header(0x21, 0x11, kIpv4 + once + once)), "none");
}

TEST(ProxyHeader, IsTheSameHoweverItIsSplit) {
  const std::string text = header(0x21, 0x21, kIpv6 + tlv(0x05, "id"));
  ProxyHeader out;
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto used = parse_proxy_header(std::string_view(text).substr(0, n), out);
    ASSERT_TRUE(used) << n;
    ASSERT_EQ(*used, 0U) << n;
  }
  EXPECT_EQ(parse_proxy_header(text, out), text.size());
}

TEST(ProxyHeader, RefusesTheTextOfVersion1WithAReason) {
  ProxyHeader out;
  EXPECT_EQ(parse_proxy_header("PROXY", out), 0U);
  EXPECT_EQ(refusal("PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\n"),
            "PROXY protocol version 1 (text) is not taken; let the proxy send version 2");
}

TEST(ProxyHeader, RefusesARequestAtItsFirstByte) {
  EXPECT_EQ(refusal("G"), "the connection does not begin with a PROXY v2 header");
  EXPECT_EQ(refusal("\r\n\r\n\r"), "the connection does not begin with a PROXY v2 header");
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\n"), "the connection does not begin with a PROXY v2 header");
}

TEST(ProxyHeader, RefusesWhatItCannotMean) {
  EXPECT_EQ(refusal(header(0x11, 0x11, kIpv4)), "the PROXY header has an unknown version or command");
  EXPECT_EQ(refusal(header(0x22, 0x11, kIpv4)), "the PROXY header has an unknown version or command");
  for (const int family : {0x01, 0x10, 0x12, 0x13, 0x22, 0x30, 0x33, 0x41, 0xff})
    EXPECT_EQ(refusal(header(0x21, family, kIpv4)),
              "the PROXY header is about something other than TCP or UNIX sockets")
        << family;
}

TEST(ProxyHeader, RefusesLengthsThatDoNotFit) {
  constexpr std::string_view kShort = "the PROXY header is too short for its addresses";
  EXPECT_EQ(refusal(header(0x21, 0x11, kIpv4.substr(1))), kShort);
  EXPECT_EQ(refusal(header(0x21, 0x21, kIpv4)), kShort);
  EXPECT_EQ(refusal(header(0x21, 0x31, std::string(215, 'u'))), kShort);
  EXPECT_EQ(refusal(header(0x21, 0x11, kIpv4 + "\x01")), "a TLV of the PROXY header is cut off");
  EXPECT_EQ(refusal(header(0x21, 0x11, kIpv4 + std::string("\x01\x00\x02x", 4))),
            "a TLV of the PROXY header is longer than the header");
}

TEST(ProxyHeader, RefusesTooLongOnesBeforeTheyHaveCome) {
  const std::string largest = header(0x21, 0x11, kIpv4 + tlv(0x04, std::string(4096 - 16 - 12 - 3, '\0')));
  ASSERT_EQ(largest.size(), kProxyHeaderMax);
  EXPECT_EQ(parsed(largest, kProxyHeaderMax).source, Source::kAddress);
  EXPECT_EQ(refusal(std::string(kSignature) + std::string("\x21\x11\x0f\xf1", 4)),
            "the PROXY header is too long");
}

}  // namespace
}  // namespace http
