// What a name means: who is asked (LookUps), and what comes of it (Answer).
//
// Owner:    LookUps: the process (cli), shared by the Resolvers of all loops; outlives them.
// Thread:   ask() any, without a wait; what it was given is called on a thread of the LookUps, which
//           must not be held up. ask_system() any that may wait, and for long.
// Lifetime: what was asked and is not answered when the LookUps end is dropped, without a call.
// Units:    a ttl as DNS tells it, in whole seconds.
// Failure:  an Answer without addresses; why, nobody here can act upon.
//
// In the process it is Dns (net/dns.h) that is asked; tests bring their own (net/testing.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/address.h"

namespace net {

struct Answer {
  std::vector<Endpoint> addresses;  // the port is for who asked to fill in
  std::optional<base::Nanos> ttl;   // the least on the way; none where no DNS server was asked
};

struct LookUpRules {
  std::vector<Endpoint> servers{};          // none: the system's
  base::Millis timeout{2'000};              // of a question to one server, doubled with each round
  unsigned tries = 2;                       // rounds
  base::Nanos min_ttl = base::Seconds(1);   // an answer is kept
  base::Nanos longest = base::Seconds(15);  // of a look-up with all its questions
  bool system = true;                       // whether it is asked for what DNS denies
};

struct Wish {
  std::string host;
  bool failing = false;  // the last look-up failed: others go first
  bool in_dns = false;   // a DNS server has known it: then nobody knows better
};

class LookUps {
 public:
  using Told = std::move_only_function<void(const Answer&)>;

  explicit LookUps(LookUpRules r) : rules(std::move(r)) {}
  virtual ~LookUps() = default;
  LookUps(const LookUps&) = delete;
  LookUps& operator=(const LookUps&) = delete;

  virtual void ask(Wish wish, Told told) = 0;

  LookUpRules rules;  // not changed any more once somebody has asked
};

Endpoint endpoint_of(const sockaddr* address, socklen_t size, std::uint16_t port);

// getaddrinfo(): whatever nsswitch.conf names. Nothing interrupts it.
std::vector<Endpoint> ask_system(const std::string& host, std::uint16_t port);

}  // namespace net
