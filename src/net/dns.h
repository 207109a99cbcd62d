// Looks names up: many at a time on one thread, by c-ares; and the system's other sources on threads of their
// own.
//
// Owner:    the process (cli); outlives all who ask.
// Thread:   ask() any. One thread asks DNS and polls for all; two more sit in getaddrinfo(), which nobody can
//           interrupt: they hold what they need and are left to themselves at the end.
// Lifetime: the destructor drops what is under way and returns within milliseconds.
// Failure:  as LookUps; the constructor throws std::system_error when there is no thread to be had.
//
// A name that several ask for at the same time is looked up once. A silent name costs a socket, not a thread:
// kAtATime are asked for at a time, names that failed the last time have half of these places at most, and
// wait behind others. After rules.longest, waiting for a place included, the answer is that there is none.
//
// Why not getaddrinfo() alone: it tells no ttl, and takes no servers. Where DNS says that a name is
// not there (and only there: not where it fails or is silent, and never for a name that it once knew) the
// system is asked, since nsswitch.conf may name sources that c-ares does not know (mDNS, LDAP, the host's own
// name). ADR 0023.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/look_up.h"

namespace net {

class Dns final : public LookUps {
 public:
  using System = std::vector<Endpoint> (*)(const std::string& host, std::uint16_t port);

  explicit Dns(LookUpRules rules = {}, System system = &ask_system);
  ~Dns() override;
  void ask(Wish wish, Told told) override;

  static constexpr std::size_t kAtATime = 128;
  static constexpr std::size_t kFailing = 64;

 private:
  struct Mail;
  class SystemThreads;
  class Desk;

  std::shared_ptr<Mail> mail_;
  std::thread thread_;
};

}  // namespace net
