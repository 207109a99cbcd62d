// Which dependencies are there: origins that can be reached, and what services tell of (issuers whose keys
// have come). Origins are asked again and again, so that /ready tells what is and not what was.
//
// Owner:    AdminServer.  Thread: the admin loop's; report() too.
// Lifetime: starts with watch(), ends with stop(); a reload calls watch() again.
// Failure:  none; a dependency that cannot be built or reached is reported with its reason.
//
// Ready means: not shutting down, every configured origin was reachable when last asked, and of every issuer
// there are keys to verify by. An origin that is down at start shows here until it comes (R7); requests are
// tried all the same, and how these fared stands beside it, since a server that takes connections may still
// answer none. An issuer that is away while its last good keys serve is ready, with a reason.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "admin/dependency.h"
#include "gateway/snapshot.h"
#include "net/resolver.h"
#include "net/scope.h"
#include "origin/origin.h"

namespace admin {

class Readiness {
 public:
  // others: what else is needed, asked at each report; on this thread.
  using Others = std::function<std::vector<Dependency>()>;
  // told: where ready() is written when something has changed, for whoever runs on another thread.
  Readiness(net::Loop& loop, net::LookUps& look_ups, Others others, std::atomic<bool>& told)
      : loop_(loop),
        resolver_(loop, look_ups),
        others_(std::move(others)),
        told_(told),
        again_(loop),
        scope_(loop) {}

  void watch(const std::shared_ptr<const gateway::Snapshot>& snapshot);
  net::Task<> stop();

  void draining();
  bool ready() const;
  std::string report() const;  // JSON

 private:
  struct Asked {
    std::shared_ptr<origin::Origin> origin;
    bool asked = false;
    bool reachable = false;
    std::string reason;
    std::shared_ptr<const upstream::Health> health{};  // null: no route leads there
  };
  void tell() { told_.store(ready(), std::memory_order_relaxed); }
  net::Task<> probe_all();
  net::Task<> probe(std::string name, std::shared_ptr<origin::Origin> origin);

  net::Loop& loop_;
  net::Resolver resolver_;
  const Others others_;
  std::atomic<bool>& told_;
  std::map<std::string, Asked> origins_;
  std::vector<net::Cancel*> probing_;
  bool draining_ = false;
  bool stopping_ = false;
  bool running_ = false;
  net::Event again_;
  net::Scope scope_;
};

}  // namespace admin
