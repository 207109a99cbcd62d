#include "config/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace config {
namespace {

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T n{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

bool parse_ip(int family, const std::string& text, void* out) {
  return !text.contains('\0') && ::inet_pton(family, text.c_str(), out) == 1;
}

bool is_ip(const std::string& text) {
  std::array<unsigned char, 16> bytes;
  return parse_ip(AF_INET, text, bytes.data()) || parse_ip(AF_INET6, text, bytes.data());
}

std::string bracketed(const std::string& host) {
  return host.contains(':') ? "[" + host + "]" : host;
}

struct HostPort {
  std::string host;       // without brackets
  bool literal6 = false;  // it had brackets
  std::optional<std::string_view> port;
};

// host, host:port, [v6], [v6]:port
std::optional<HostPort> split_host(std::string_view text) {
  HostPort out;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == text.npos) return std::nullopt;
    out.host = text.substr(1, close - 1);
    out.literal6 = true;
    text.remove_prefix(close + 1);
    if (!text.empty() && text[0] != ':') return std::nullopt;
  } else {
    const std::size_t colon = text.find(':');
    out.host = text.substr(0, colon);
    text.remove_prefix(std::min(colon, text.size()));
  }
  if (!text.empty()) out.port = text.substr(1);
  std::array<unsigned char, 16> bytes;
  if (out.literal6 && !parse_ip(AF_INET6, out.host, bytes.data())) return std::nullopt;
  return out;
}

bool is_host_name(const std::string& host) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  if (host.empty() || host.size() > 253 || host.starts_with('.') || host.contains("..")) return false;
  if (!std::ranges::all_of(host, allowed)) return false;
  // What looks like a number must be a whole dotted IPv4 address, not one of inet_aton's short forms.
  const std::size_t dot = host.find_last_of('.');
  const char last = host[dot == host.npos ? 0 : std::min(dot + 1, host.size() - 1)];
  return !(last >= '0' && last <= '9') || is_ip(host);
}

// RFC 3986 §3.3 pchar and '/', percent-encoding well formed.
bool is_path(std::string_view path) {
  constexpr std::string_view kAlso = "-._~!$&'()*+,;=:@/";
  const auto hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '%') {
      if (i + 2 >= path.size() || !hex(path[i + 1]) || !hex(path[i + 2])) return false;
      i += 2;
    } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 kAlso.contains(c))) {
      return false;
    }
  }
  return true;
}

// Host and port into `url`, whose port is the scheme's own before; what is wrong with them, or "".
std::string put_authority(std::string_view authority, Url& url) {
  const std::optional<HostPort> parts = split_host(authority);
  if (!parts) return "has a host that is none";
  url.host = parts->host;
  std::ranges::transform(url.host, url.host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (!parts->literal6 && !is_host_name(url.host)) return "has a host that is none";
  if (!parts->port) return "";
  const auto port = whole_number<std::uint16_t>(*parts->port);
  if (!port || *port == 0) return "has a port that is not 1 to 65535";
  url.port = *port;
  return "";
}

// RFC 3986 §2.1; no control bytes come out of it.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      unsigned char byte = 0;
      const char* const digits = text.data() + i + 1;
      if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2)
        return std::nullopt;
      c = static_cast<char>(byte);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    out += c;
  }
  return out;
}

}  // namespace

Parsed<Address> AddressText::parse(std::string_view text) {
  constexpr const char* kOtherwise = "is not an address and port such as 0.0.0.0:8080 or [::1]:8080";
  const std::optional<HostPort> parts = split_host(text);
  if (parts && parts->port && parts->host == "localhost")
    return std::unexpected("names a host; write the address, 127.0.0.1:" + std::string(*parts->port));
  if (!parts || !parts->port || !is_ip(parts->host)) return std::unexpected(kOtherwise);
  const auto port = whole_number<std::uint16_t>(*parts->port);
  if (!port) return std::unexpected(kOtherwise);
  return Address{parts->host, *port};
}

std::string AddressText::show(const Address& v) {
  return fmt::format("{}:{}", bracketed(v.host), v.port);
}

Parsed<Address> NameServerText::parse(std::string_view text) {
  constexpr const char* kOtherwise =
      "is not an address such as 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53";
  constexpr std::uint16_t kDns = 53;
  if (std::string bare(text); is_ip(bare)) return Address{std::move(bare), kDns};
  const std::optional<HostPort> parts = split_host(text);
  if (!parts || !is_ip(parts->host)) return std::unexpected(kOtherwise);
  const auto port = parts->port ? whole_number<std::uint16_t>(*parts->port) : kDns;
  if (!port || *port == 0) return std::unexpected(kOtherwise);
  return Address{parts->host, *port};
}

Parsed<Network> NetworkText::parse(std::string_view text) {
  constexpr const char* kOtherwise = "is not a network such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7";
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Network out;
  int family_bits = 128;
  if (parse_ip(AF_INET, address, out.bytes.data() + 12)) {
    out.bytes[10] = out.bytes[11] = 0xff;
    family_bits = 32;
  } else if (!parse_ip(AF_INET6, address, out.bytes.data())) {
    return std::unexpected(kOtherwise);
  }
  if (slash != text.npos) {
    const auto prefix = whole_number<std::uint8_t>(text.substr(slash + 1));
    if (!prefix || *prefix > family_bits) return std::unexpected(kOtherwise);
    out.bits = static_cast<std::uint8_t>(128 - family_bits + *prefix);
  }
  Network masked = out;
  for (std::size_t bit = out.bits; bit < 128; ++bit)
    masked.bytes[bit / 8] = static_cast<std::uint8_t>(masked.bytes[bit / 8] & ~(0x80 >> bit % 8));
  if (masked.bytes != out.bytes)
    return std::unexpected(fmt::format("has bits beyond its prefix; that network is {}", show(masked)));
  return out;
}

std::string NetworkText::show(const Network& v) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool v4 = v.bits >= 96 && std::memcmp(v.bytes.data(), kMapped.data(), kMapped.size()) == 0;
  char text[INET6_ADDRSTRLEN];
  ::inet_ntop(v4 ? AF_INET : AF_INET6, v.bytes.data() + (v4 ? 12 : 0), text, sizeof text);
  return fmt::format("{}/{}", text, v.bits - (v4 ? 96 : 0));
}

bool Network::contains(const std::array<std::uint8_t, 16>& address) const {
  const std::size_t whole = bits / 8;
  if (std::memcmp(bytes.data(), address.data(), whole) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((bytes[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

Parsed<Url> UrlText::parse(std::string_view text) {
  std::string scheme(text.substr(0, text.find(':')));
  std::ranges::transform(scheme, scheme.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if ((scheme != "http" && scheme != "https") || !text.substr(scheme.size()).starts_with("://"))
    return std::unexpected("must be a URL that begins with http:// or https://");
  Url url;
  url.tls = scheme == "https";
  url.port = url.tls ? 443 : 80;
  text.remove_prefix(scheme.size() + 3);
  if (text.contains('?') || text.contains('#')) return std::unexpected("must have no query and no fragment");
  const std::size_t slash = text.find('/');
  const std::string_view authority = text.substr(0, slash);
  if (authority.contains('@'))
    return std::unexpected("must have no user or password; use a header or the origin's own keys");
  if (std::string wrong = put_authority(authority, url); !wrong.empty()) return std::unexpected(wrong);
  if (slash == text.npos) return url;
  std::string_view path = text.substr(slash);
  if (path.ends_with('/')) path.remove_suffix(1);
  const std::string closed = std::string(path) + "/";
  if (!is_path(path) || closed.contains("//") || closed.contains("/./") || closed.contains("/../"))
    return std::unexpected("has a path with '//', a dot segment or a character that must be percent-encoded");
  url.path = path;
  return url;
}

std::string UrlText::show(const Url& v) {
  return v.host.empty() ? "" : fmt::format("http{}://{}{}", v.tls ? "s" : "", v.authority(), v.path);
}

Parsed<Url> JwksUrl::parse(std::string_view text) {
  const std::size_t query = text.find('?');
  Parsed<Url> url = UrlText::parse(text.substr(0, query));
  if (!url) return url;
  if (!url->tls && !is_loopback(url->host))
    return std::unexpected(
        "must begin with https://: who can change the keys on their way can sign tokens (http:// is for this "
        "host itself)");
  if (text.substr(0, query).ends_with('/') && !url->path.empty()) url->path += '/';
  if (query == text.npos) return url;
  std::string rest(text.substr(query + 1));
  std::ranges::replace(rest, '?', '/');  // a query may hold both
  if (!is_path(rest)) return std::unexpected("has a query with a character that must be percent-encoded");
  url->path += (url->path.empty() ? "/" : "") + std::string(text.substr(query));
  return url;
}

Parsed<std::string> WebOrigin::parse(std::string_view text) {
  const Parsed<Url> url = UrlText::parse(text);
  if (!url) return std::unexpected(url.error());
  if (!url->path.empty() || text.ends_with('/'))
    return std::unexpected("must be scheme and host alone, as in https://app.example.com");
  return UrlText::show(*url);
}

bool is_loopback(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  if (parse_ip(AF_INET, host, bytes.data())) return bytes[0] == 127;
  if (parse_ip(AF_INET6, host, bytes.data()))
    return bytes == std::array<unsigned char, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return host == "localhost";
}

Parsed<RedisPlace> RedisUrl::parse(std::string_view text) {
  RedisPlace out;
  out.url.tls = text.starts_with("rediss://");
  if (!out.url.tls && !text.starts_with("redis://"))
    return std::unexpected("must be a URL that begins with redis:// or rediss://");
  out.url.port = 6'379;
  text.remove_prefix(text.find("//") + 2);
  if (const std::size_t at = text.rfind('@'); at != text.npos) {
    const std::string_view both = text.substr(0, at);
    const std::size_t colon = both.find(':');
    if (colon == both.npos)
      return std::unexpected("has a user without a password; write :password@ or user:password@");
    const auto user = percent_decoded(both.substr(0, colon));
    auto password = percent_decoded(both.substr(colon + 1));
    if (!user || !password || password->empty() || both.find_first_of("/?#@", 0) != both.npos)
      return std::unexpected("has a user or a password that is empty or not percent-encoded");
    out.user = *user;
    out.password = base::Secret(*std::move(password));
    text.remove_prefix(at + 1);
  }
  if (text.contains('?') || text.contains('#')) return std::unexpected("must have no query and no fragment");
  const std::size_t slash = text.find('/');
  if (std::string wrong = put_authority(text.substr(0, slash), out.url); !wrong.empty())
    return std::unexpected(wrong);
  if (slash == text.npos || slash + 1 == text.size()) return out;
  out.database = whole_number<std::uint16_t>(text.substr(slash + 1));
  if (!out.database) return std::unexpected("has a path that is not the number of a database, 0 to 65535");
  return out;
}

std::string RedisUrl::show(const Url& v) {
  return v.host.empty() ? "" : fmt::format("redis{}://{}:{}", v.tls ? "s" : "", bracketed(v.host), v.port);
}

Parsed<std::string> SyslogAddress::parse(std::string_view text) {
  constexpr std::size_t kMaxPath = 107;  // of sockaddr_un
  const bool plain =
      std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
  if (text.starts_with('/') && text.size() > 1 && text.size() <= kMaxPath && plain) return std::string(text);
  Url url;
  url.port = 0;
  if (text.starts_with('/') || !put_authority(text, url).empty() || url.port == 0)
    return std::unexpected("is neither the path of a socket, such as /dev/log, nor host:port");
  return std::string(text);
}

std::string Url::authority() const {
  const bool usual = port == (tls ? 443 : 80);
  return usual ? bracketed(host) : fmt::format("{}:{}", bracketed(host), port);
}

}  // namespace config
