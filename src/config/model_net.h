// Where things are, in the model: addresses, networks, URLs; and TLS towards other servers.
//
// Owner, thread, lifetime: as model.h says.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace config {

using base::Millis;
using base::Seconds;

struct Address {  // what a listener binds: a literal IP address (IPv6 in brackets) and a port
  std::string host;
  std::uint16_t port = 0;  // 0: the system chooses; the log line "listening" tells which
};

struct Network {  // 10.0.0.0/8, ::1/128, or a bare address; IPv4 is kept as ::ffff:a.b.c.d
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t bits = 128;
  bool contains(const std::array<std::uint8_t, 16>& address) const;
};

struct Url {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 80;
  std::string path;               // "" or "/base", never with a trailing slash
  std::string authority() const;  // for Host: brackets where needed, the port unless it is the scheme's own
};

struct Resolver {                // who is asked what names mean, and how
  std::vector<Address> servers;  // none: the system's
  Millis timeout{2'000};         // of a question to one of them, doubled with each round
  std::uint64_t tries = 2;       // rounds
  Millis min_ttl{1'000};         // an answer is kept for as long at the least
};

struct OriginTls {
  bool verify = true;
  std::string ca_file;      // "": the system's
  std::string server_name;  // "": the host
};

}  // namespace config
