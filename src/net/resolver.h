// Names to addresses, looked up off the worker and looked up again, so that an origin may move.
//
// Owner:    a worker; one look-up a name at a time, followers wait for it.
// Thread:   the worker's own; the look-up itself is the business of LookUps.
// Lifetime: an answer is kept for as long as its ttl says, but min_ttl at the least and the asker's `keep` at
//           the most; where no ttl is known, for `keep`. When a later look-up fails the last good answer
//           serves on, so that a sick resolver does not take a healthy origin down; it is asked again after a
//           second, and after twice that with each failure in a row, up to half a minute (or `keep`).
//           A look-up that is under way when the Resolver dies is left to itself; nobody waits for it.
// Failure:  kNoName when there has never been an answer, kCancelled, kNoRoom (too many names).
//
// Who keeps connections to a name holds on to it and glances at it before each use: that costs a comparison,
// starts a look-up where one is due, and waits for nothing. Another answer is another pointer.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/error.h"
#include "net/look_up.h"
#include "net/loop.h"
#include "net/race.h"
#include "net/task.h"

namespace net {

class Resolver {
 public:
  using Addresses = std::shared_ptr<const std::vector<Endpoint>>;

  // A name and what is known of it. The Resolver's to change.
  class Name {
   public:
    // As of the last good look-up; null before.
    const Addresses& addresses() const { return addresses_; }

   private:
    friend class Resolver;
    Name(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}
    const std::string host_;
    const std::uint16_t port_;
    Addresses addresses_;
    base::Mono asked_{};     // when the last look-up ended
    base::Nanos lasts_{-1};  // from then on; less than nothing: never asked
    unsigned failures_ = 0;  // in a row
    bool in_dns_ = false;    // it has been found there
    bool literal_ = false;
    bool running_ = false;
    std::vector<Event*> waiting_;
  };
  using Handle = std::shared_ptr<Name>;

  Resolver(Loop& loop, LookUps& look_ups);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Null where there is no room for another name.
  Handle name(const std::string& host, std::uint16_t port);

  // What is known now; a look-up begins where one is due.
  const Addresses& glance(const Handle& name, base::Nanos keep) {
    if (due(*name, keep)) begin(name);
    return name->addresses_;
  }

  // Waits where nothing is known yet. `cancel` ends this wait only; the look-up goes on for those who come
  // after.
  Task<Result<Addresses>> resolve(Handle name, base::Nanos keep, base::Mono deadline, Cancel* cancel);
  Task<Result<Addresses>> resolve(const std::string& host, std::uint16_t port, base::Nanos keep,
                                  base::Mono deadline, Cancel* cancel);
  // Until no look-up is under way; for tests.
  Task<> drained();

  // Whom this loop has found slow to answer; for connect().
  Laggards& laggards() { return laggards_; }

 private:
  static constexpr std::size_t kMany = 256;   // names, from which on those are forgotten that nobody asks for
  static constexpr std::size_t kMost = 4096;  // in use at a time
  static constexpr base::Nanos kForgotten = base::Seconds(300);
  static constexpr base::Nanos kFailed = base::Seconds(1);  // doubled with each failure, up to …
  static constexpr base::Nanos kFailedLongest = base::Seconds(30);

  struct Line;  // between a Resolver and a look-up that may outlive it

  bool due(const Name& name, base::Nanos keep) const {
    return !name.running_ && !name.literal_ && loop_.now() - name.asked_ >= std::min(name.lasts_, keep);
  }
  bool make_room();
  void begin(const Handle& name);
  void told(Name& name, const Answer& found);

  Loop& loop_;
  LookUps& look_ups_;
  std::map<std::string, Handle> names_;
  Laggards laggards_;
  std::size_t running_ = 0;  // look-ups
  Event idle_;
  const std::shared_ptr<Line> line_;
};

}  // namespace net
