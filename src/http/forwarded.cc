#include "http/forwarded.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "http/chars.h"
#include "http/head.h"

namespace http {

namespace {

using Bytes = std::array<std::uint8_t, 16>;

constexpr std::size_t kLongestAddress = INET6_ADDRSTRLEN - 1;
constexpr std::size_t kLongestNode = 128;  // with a port, brackets and escapes; none is longer

std::unexpected<base::Error> malformed() {
  return base::fail(base::Code::kBadRequest, "the Forwarded field is malformed");
}

std::optional<Bytes> address_of(int family, std::string_view text) {
  char copy[kLongestAddress + 1];
  if (text.empty() || text.size() > kLongestAddress) return std::nullopt;
  *std::ranges::copy(text, copy).out = '\0';
  Bytes out{};
  if (family == AF_INET6) {
    if (::inet_pton(AF_INET6, copy, out.data()) != 1) return std::nullopt;
  } else {
    out[10] = out[11] = 0xff;
    if (::inet_pton(AF_INET, copy, out.data() + 12) != 1) return std::nullopt;
  }
  return out;
}

bool is_port(std::string_view text) {
  std::uint64_t port = 0;
  return text.size() <= 5 && parse_decimal(text, port) && port <= 65'535;
}

// obfnode and obfport: "_" 1*( ALPHA / DIGIT / "." / "_" / "-" )
bool is_obfuscated(std::string_view text) {
  if (text.size() < 2 || text.front() != '_') return false;
  return std::ranges::all_of(text.substr(1), [](char c) { return is(kHostChar, c) && c != '~'; });
}

// Divides name and port; IPv6 keeps its brackets. False where what follows a bracket is no port.
bool split_port(std::string_view node, std::string_view& name, std::optional<std::string_view>& port) {
  std::size_t end = node.find(':');
  if (node.starts_with('[')) {
    end = node.find(']');
    if (end == node.npos) return false;
    ++end;
    if (end < node.size() && node[end] != ':') return false;
  }
  name = node.substr(0, end);
  port.reset();
  if (end < node.size()) port = node.substr(end + 1);
  return true;
}

std::optional<Bytes> address_of_name(std::string_view name) {
  if (!name.starts_with('[')) return address_of(AF_INET, name);
  return address_of(AF_INET6, name.substr(1, name.size() - 2));
}

// node = nodename [ ":" node-port ], RFC 7239 §6
std::optional<ForwardedNode> parse_node(std::string_view text) {
  using Kind = ForwardedNode::Kind;
  std::string_view name;
  std::optional<std::string_view> port;
  if (!split_port(text, name, port)) return std::nullopt;
  if (port && !is_port(*port) && !is_obfuscated(*port)) return std::nullopt;
  if (iequals(name, "unknown")) return ForwardedNode{.kind = Kind::kUnknown};
  if (is_obfuscated(name)) return ForwardedNode{.kind = Kind::kObfuscated};
  const std::optional<Bytes> address = address_of_name(name);
  if (!address) return std::nullopt;
  return ForwardedNode{.kind = Kind::kAddress, .address = *address};
}

// value = token / quoted-string, taken off the front; the inside of a quoted-string with its escapes.
bool take_value(std::string_view& rest, std::string_view& value) {
  if (!rest.starts_with('"')) {
    const auto end = std::ranges::find_if_not(rest, [](char c) { return is(kTokenChar, c); });
    value = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    rest.remove_prefix(value.size());
    return !value.empty();
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      value = rest.substr(1, i - 1);
      rest.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

// A client whose node is escaped is the same client: `"\[::1]"`. Nobody writes that, but it may be read.
std::optional<ForwardedNode> parse_escaped_node(std::string_view value) {
  if (value.size() > kLongestNode) return std::nullopt;
  char plain[kLongestNode];
  std::size_t size = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') ++i;
    plain[size++] = value[i];
  }
  return parse_node({plain, size});
}

// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
bool is_scheme(std::string_view text) {
  const auto alpha = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
  return !text.empty() && alpha(text.front()) && std::ranges::all_of(text, [&](char c) {
    return alpha(c) || is(kDigitChar, c) || c == '+' || c == '-' || c == '.';
  });
}

enum Parameter : unsigned { kFor = 1, kBy = 2, kProto = 4, kHost = 8 };

// One forwarded-pair, taken off the front.
bool take_pair(std::string_view& rest, ForwardedElement& out, unsigned& seen) {
  const std::size_t equals = rest.find('=');
  if (equals == rest.npos) return false;
  const std::string_view name = rest.substr(0, equals);
  if (!is_token(name)) return false;
  rest.remove_prefix(equals + 1);
  std::string_view value;
  if (!take_value(rest, value)) return false;
  unsigned which = 0;
  if (iequals(name, "for")) {
    which = kFor;
    const auto node = parse_escaped_node(value);
    if (!node) return false;
    out.client = *node;
  } else if (iequals(name, "by")) {
    which = kBy;
  } else if (iequals(name, "proto")) {
    which = kProto;
    if (!is_scheme(value)) return false;
    out.proto = value;
  } else if (iequals(name, "host")) {
    which = kHost;
    if (value.empty() || !is_host(value)) return false;
    out.host = value;
  }
  if ((seen & which) != 0) return false;
  seen |= which;
  return true;
}

void skip_space(std::string_view& rest) {
  while (rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
}

}  // namespace

base::Result<bool> next_forwarded(std::string_view& rest, ForwardedElement& out) {
  for (skip_space(rest); rest.starts_with(','); skip_space(rest)) rest.remove_prefix(1);
  if (rest.empty()) return false;
  out = {};
  unsigned seen = 0;
  for (;;) {
    if (!rest.empty() && rest.front() != ';' && rest.front() != ',' && !take_pair(rest, out, seen))
      return malformed();
    skip_space(rest);
    if (rest.empty()) return true;
    const char next = rest.front();
    if (next != ';' && next != ',') return malformed();
    rest.remove_prefix(1);
    if (next == ',') return true;
    skip_space(rest);
  }
}

std::optional<std::array<std::uint8_t, 16>> parse_forwarded_for(std::string_view hop) {
  hop = trim_ows(hop);
  if (const auto bare = address_of(AF_INET6, hop)) return bare;
  std::string_view name;
  std::optional<std::string_view> port;
  if (!split_port(hop, name, port) || (port && !is_port(*port))) return std::nullopt;
  return address_of_name(name);
}

}  // namespace http
