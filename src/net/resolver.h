// Names to addresses, looked up off the worker and looked up again, so that an origin may move.
//
// Owner:    a worker; one look-up a name at a time, followers wait for it.
// Thread:   the worker's own; getaddrinfo itself runs on the Offload pool.
// Lifetime: results are kept for the caller's `keep`; when a later look-up fails the last good answer serves
//           on, so that a sick resolver does not take a healthy origin down.
// Failure:  kNoName when there has never been an answer, kCancelled; of connect(): kRefused, kUnreachable,
//           kTimedOut, kCancelled, and kNoRoom where it is our own side that has nothing left.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/error.h"
#include "net/offload.h"
#include "net/scope.h"
#include "net/task.h"

namespace net {

class Resolver {
 public:
  using Addresses = std::shared_ptr<const std::vector<Endpoint>>;

  // Asks the system, off the worker; a test brings its own.
  using LookUp = std::vector<Endpoint> (*)(const std::string& host, std::uint16_t port);

  Resolver(Loop& loop, Offload& offload, LookUp ask = &ask_system)
      : loop_(loop), offload_(offload), ask_(ask), scope_(loop) {}

  static std::vector<Endpoint> ask_system(const std::string& host, std::uint16_t port);

  // `cancel` ends this wait only; the look-up goes on for those who come after.
  Task<Result<Addresses>> resolve(const std::string& host, std::uint16_t port, base::Nanos keep,
                                  base::Mono deadline, Cancel* cancel);
  Task<> drained() { return scope_.drained(); }

 private:
  struct Entry {
    Addresses addresses;
    base::Mono expires{};
    bool running = false;
    std::vector<Event*> waiting;
  };
  static constexpr std::size_t kMany = 256;   // names, from which on those are forgotten that nobody asks for
  static constexpr std::size_t kMost = 4096;  // in use at a time
  static constexpr base::Nanos kForgotten = base::Seconds(300);
  bool make_room();
  Task<> look_up(std::string key, std::string host, std::uint16_t port, base::Nanos keep);

  Loop& loop_;
  Offload& offload_;
  LookUp ask_;
  std::map<std::string, Entry> entries_;
  Scope scope_;
};

// Connects to the first address that answers, trying the next when one refuses or half the time is gone.
Task<Result<class Stream>> connect(Loop& loop, const std::vector<Endpoint>& addresses, base::Mono deadline,
                                   Cancel* cancel);

}  // namespace net
