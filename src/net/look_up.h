// One look-up of a name, from beginning to end, on a thread that may wait; and who is asked.
//
// Owner:    LookUps: the process (cli), shared by the Resolvers of all loops; outlives them.
// Thread:   ask_dns() and ask_system() any that may wait; LookUps is constant.
// Units:    a ttl as DNS tells it, in whole seconds.
// Standard: RFC 1035 and RFC 2308 by c-ares; RFC 6724 for the order of the addresses.
// Failure:  an Answer without addresses; why, nobody here can act upon.
//
// Why not getaddrinfo() alone: it tells no ttl, and its servers cannot be named. c-ares reads what it reads
// (resolv.conf, nsswitch.conf, hosts) anew for each look-up. What c-ares does not find the system is asked
// for, since nsswitch.conf may name sources that c-ares does not know (mDNS, LDAP, the host's own name).
// ADR 0023.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/address.h"
#include "net/offload.h"

namespace net {

struct Answer {
  std::vector<Endpoint> addresses;
  std::optional<base::Nanos> ttl;  // the least on the way; none where no DNS server was asked
};

struct LookUpRules {
  std::vector<Endpoint> servers;  // none: the system's, and then its other sources, too
  base::Millis timeout{2'000};    // of a question to one server, doubled with each round
  unsigned tries = 2;             // rounds
  base::Nanos min_ttl = base::Seconds(1);
};

Answer ask_dns(const LookUpRules& rules, const std::string& host, std::uint16_t port);
std::vector<Endpoint> ask_system(const std::string& host, std::uint16_t port);

struct LookUps {
  using Ask = Answer (*)(const LookUpRules& rules, const std::string& host, std::uint16_t port);

  Offload& threads;
  LookUpRules rules{};
  Ask ask = &ask_dns;  // a test brings its own
};

}  // namespace net
