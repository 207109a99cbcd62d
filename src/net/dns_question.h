// One name that DNS is asked for, A and AAAA, on a channel of c-ares of its own.
//
// Owner:    Dns, which polls its sockets beside those of others and calls turn().
// Thread:   its owner's; nothing here waits, but for files (resolv.conf, nsswitch.conf, hosts), which c-ares
//           reads anew for each channel.
// Lifetime: destroyed at any time, answered or not.
// Standard: RFC 1035 and RFC 2308 by c-ares; RFC 6724 for the order of the addresses.
// Failure:  Outcome; servers that c-ares does not take are an error in the operational log, once.
//
// Why not one channel for all: c-ares (1.18) keeps its socket for the channel's life, so that all questions
// would go out from one port, which who forges answers had to guess only once (RFC 5452 §9.2). And it would
// not notice a changed resolv.conf.
#pragma once

#include <poll.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "net/look_up.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace net {

class DnsQuestion {
 public:
  enum class Outcome : std::uint8_t {
    kNone,    // not yet
    kFound,   // answer() has addresses
    kDenied,  // there is no such name, or it has no address
    kFailed,  // nobody answered, or not to the question
  };

  DnsQuestion(const LookUpRules& rules, const std::string& host);
  ~DnsQuestion();
  DnsQuestion(const DnsQuestion&) = delete;
  DnsQuestion& operator=(const DnsQuestion&) = delete;

  Outcome outcome() const { return outcome_; }
  Answer& answer() { return answer_; }

  // Appends what is to be polled, and keeps in mind where that is.
  void poll_for(std::vector<pollfd>& all);
  // How long the wait may be at the most.
  base::Millis patience() const;
  // After the wait, with the same list.
  void turn(std::span<const pollfd> all);

 private:
  struct Destroy {
    void operator()(ares_channeldata* channel) const;
  };
  void on_answer(int status, const ares_addrinfo* found);

  Answer answer_;
  Outcome outcome_ = Outcome::kNone;
  bool asked_ = false;  // a server, and not only a file
  std::size_t first_ = 0, polled_ = 0;
  std::unique_ptr<ares_channeldata, Destroy> channel_;  // dies first: it calls back
};

}  // namespace net
