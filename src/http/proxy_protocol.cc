#include "http/proxy_protocol.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <optional>

namespace http {

namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kVersion1 = "PROXY ";
constexpr std::size_t kFixed = 16;  // signature, version and command, family and transport, length
constexpr std::size_t kIpv4 = 12;   // the address blocks: two addresses, two ports
constexpr std::size_t kIpv6 = 36;
constexpr std::size_t kUnix = 216;
constexpr std::uint8_t kCrc32c = 0x03;

using Crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

std::unexpected<base::Error> refuse(std::string_view why) {
  return base::fail(base::Code::kBadRequest, why);
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::uint16_t word_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// The checksum is taken over the whole header with its own four bytes as zeros.
bool checksum_holds(std::string_view header, std::size_t at) {
  constexpr char kZeros[4] = {};
  Crc32c crc;
  crc.process_bytes(header.data(), at);
  crc.process_bytes(kZeros, sizeof kZeros);
  crc.process_bytes(header.data() + at + 4, header.size() - at - 4);
  return crc.checksum() == (static_cast<std::uint32_t>(word_at(header, at)) << 16 | word_at(header, at + 2));
}

base::Result<> check_tlvs(std::string_view header, std::size_t at) {
  bool checked = false;
  while (at < header.size()) {
    if (header.size() - at < 3) return refuse("a TLV of the PROXY header is cut off");
    const std::uint8_t type = byte_at(header, at);
    const std::size_t length = word_at(header, at + 1);
    at += 3;
    if (length > header.size() - at) return refuse("a TLV of the PROXY header is longer than the header");
    if (type == kCrc32c) {
      if (checked || length != 4) return refuse("the PROXY header's checksum is malformed");
      if (!checksum_holds(header, at)) return refuse("the PROXY header's checksum is wrong");
      checked = true;
    }
    at += length;
  }
  return {};
}

// The bytes of the address block; none for a family or transport that is refused.
std::optional<std::size_t> block_size(std::uint8_t family) {
  switch (family) {
    case 0x00:
      return 0;
    case 0x11:
      return kIpv4;
    case 0x21:
      return kIpv6;
    case 0x31:
    case 0x32:
      return kUnix;
    default:
      return std::nullopt;
  }
}

}  // namespace

base::Result<std::size_t> parse_proxy_header(std::string_view buffer, ProxyHeader& out) {
  if (buffer.starts_with(kVersion1))
    return refuse("PROXY protocol version 1 (text) is not taken; let the proxy send version 2");
  if (kVersion1.starts_with(buffer)) return 0;
  const std::size_t begun = std::min(buffer.size(), kSignature.size());
  if (buffer.substr(0, begun) != kSignature.substr(0, begun))
    return refuse("the connection does not begin with a PROXY v2 header");
  if (buffer.size() <= 12) return 0;
  const std::uint8_t command = byte_at(buffer, 12);
  if (command != 0x20 && command != 0x21) return refuse("the PROXY header has an unknown version or command");
  const bool local = command == 0x20;
  if (buffer.size() <= 13) return 0;
  // LOCAL: what follows says nothing, whatever it is.
  const std::optional<std::size_t> block = local ? 0 : block_size(byte_at(buffer, 13));
  if (!block) return refuse("the PROXY header is about something other than TCP or UNIX sockets");
  if (buffer.size() < kFixed) return 0;
  const std::size_t size = kFixed + word_at(buffer, 14);
  if (size > kProxyHeaderMax) return refuse("the PROXY header is too long");
  if (size < kFixed + *block) return refuse("the PROXY header is too short for its addresses");
  if (buffer.size() < size) return 0;
  const std::string_view header = buffer.substr(0, size);

  out = {};
  if (local) return size;
  out.source = ProxyHeader::Source::kUnnamed;
  // Without a family nobody knows where TLVs would begin: the rest is passed over, as the standard has it.
  if (*block == 0) return size;
  if (const auto ok = check_tlvs(header, kFixed + *block); !ok) return std::unexpected(ok.error());
  if (*block == kUnix) return size;
  out.source = ProxyHeader::Source::kAddress;
  if (*block == kIpv4) {
    out.address[10] = out.address[11] = 0xff;
    std::ranges::copy(header.substr(kFixed, 4), out.address.begin() + 12);
    out.port = word_at(header, kFixed + 8);
  } else {
    std::ranges::copy(header.substr(kFixed, 16), out.address.begin());
    out.port = word_at(header, kFixed + 32);
  }
  return size;
}

}  // namespace http
