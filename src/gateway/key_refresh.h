// Fetches the keys that issuers publish, before they are needed: the driver of identity::KeySource.
//
// Owner:    cli::Server; dies before the LookUps that it is given.
// Thread:   watch() and stop() from the owner's, sources() from any; everything else runs on a thread of its
//           own, so that neither a worker's requests nor a slow issuer wait for each other.
// Lifetime: holds the sources it watches; stop() ends fetches under way, wakes whoever waits for them and
//           joins the thread; within milliseconds.
// Failure:  none: what a fetch came to is the source's to know (readiness, metrics, log).
//
// Usage:    gateway::KeyRefresh refresh(look_ups);            // cli::Server, after look_ups_
//           refresh.watch(snapshot->key_sources());           // before the workers run, after each reload
//           refresh.stop();                                   // after the last worker has ended
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "client/client.h"
#include "config/model.h"
#include "identity/key_source.h"
#include "net/look_up.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/scope.h"
#include "net/task.h"

namespace gateway {

class KeyRefresh {
 public:
  explicit KeyRefresh(net::LookUps& look_ups);  // the thread starts with the first source
  ~KeyRefresh();                                // stops
  KeyRefresh(const KeyRefresh&) = delete;
  KeyRefresh& operator=(const KeyRefresh&) = delete;

  // From now on these and no others.
  void watch(std::vector<std::shared_ptr<identity::KeySource>> sources);
  void stop();

  // What it watches, for metrics and readiness.
  std::vector<std::shared_ptr<identity::KeySource>> sources() const;

 private:
  struct Watched;

  void take(const std::vector<std::shared_ptr<identity::KeySource>>& sources);
  net::Task<> keep(std::shared_ptr<Watched> watched);
  net::Task<identity::KeySource::Reply> fetch(Watched& watched, config::Url url);
  net::Task<> shut();

  net::Loop loop_;
  net::Resolver resolver_;
  client::Client client_;  // the next fetch is minutes away: keeps no connections
  std::map<identity::KeySource*, std::shared_ptr<Watched>> watched_;
  mutable std::mutex lock_;
  std::vector<std::shared_ptr<identity::KeySource>> sources_;  // as last given to watch()
  bool stopped_ = false;                                       // the owner's thread
  net::Scope tasks_;
  net::Scope end_;
  std::thread thread_;
};

// Waits on a worker's loop until the fetch that is under way (or due) has ended, until `until`, or until
// `cancel`. Whether keys have come, the next verification tells. Safe when the source calls late, from
// another thread or never.
net::Task<> keys_fetched(identity::KeySource& source, net::Loop& loop, base::Mono until,
                         net::Cancel* cancel = nullptr);

}  // namespace gateway
