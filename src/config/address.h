// Where things are: listen addresses, networks, URLs.
//
// Thread: any; pure functions. Failures as in values.h.
#pragma once

#include <optional>

#include "config/values.h"

namespace config {

struct AddressText {  // 0.0.0.0:8080, [::1]:9901
  using Value = Address;
  static Parsed<Address> parse(std::string_view text);
  static std::string show(const Address& v);
};

struct NameServerText {  // the same, and 192.0.2.1 or 2001:db8::1 for port 53
  using Value = Address;
  static constexpr std::string_view kForm = "address or address:port";
  static constexpr std::string_view kPattern =
      "^(\\[[0-9a-fA-F:.]+\\](:[0-9]+)?|[0-9.]+(:[0-9]+)?|[0-9a-fA-F:.]+)$";
  static Parsed<Address> parse(std::string_view text);
  static std::string show(const Address& v) { return AddressText::show(v); }
};

struct NetworkText {  // 10.0.0.0/8, ::1; an address must have no bits beyond its prefix
  using Value = Network;
  static Parsed<Network> parse(std::string_view text);
  static std::string show(const Network& v);
};

// RFC 3986, http and https only: no user, query or fragment; the host in lower case, the path without dot
// segments, "//" or a trailing slash, and still percent-encoded.
struct UrlText {
  using Value = Url;
  static Parsed<Url> parse(std::string_view text);
  static std::string show(const Url& v);
};

// Where an issuer publishes its keys: a UrlText whose path may also end with a slash and a query, since
// others choose it; http only for this host itself.
struct JwksUrl {
  using Value = Url;
  static Parsed<Url> parse(std::string_view text);
  static std::string show(const Url& v) { return UrlText::show(v); }
};

// Where a page is from, as browsers write it in Origin (RFC 6454 §6.1): scheme, host and perhaps a port, in
// lower case, without the scheme's own port and without a slash behind.
struct WebOrigin {
  using Value = std::string;
  static constexpr std::string_view kForm = "https://host or https://host:port";
  static constexpr std::string_view kPattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+$";
  static Parsed<std::string> parse(std::string_view text);
  static std::string show(const std::string& v) { return v; }
};

// localhost, 127.0.0.0/8, ::1
bool is_loopback(const std::string& host);

// redis:// or rediss://, maybe user:password@ or :password@ (percent-encoded), a host, maybe a port and a
// number of a database: rediss://:secret@redis.test:6380/2
struct RedisPlace {
  Url url;           // path: ""
  std::string user;  // "": none given
  base::Secret password;
  std::optional<std::uint64_t> database;
};
struct RedisUrl {
  using Value = RedisPlace;
  static Parsed<RedisPlace> parse(std::string_view text);
  static std::string show(const Url& v);  // without user, password and database
};

struct SyslogAddress {  // the path of a socket, from the root on, or host:port
  using Value = std::string;
  static constexpr std::string_view kForm = "path or host:port";
  static constexpr std::string_view kPattern = "^(/.+|[^/ ]+:[0-9]+)$";
  static Parsed<std::string> parse(std::string_view text);
  static std::string show(const std::string& v) { return v; }
};

}  // namespace config
