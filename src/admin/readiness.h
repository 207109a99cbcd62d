// Which dependencies are there: origins that can be reached, and what services tell of (issuers whose keys
// have come). Origins are asked again and again, so that /ready tells what is and not what was.
//
// Owner:    AdminServer.  Thread: the admin loop's; report() too.
// Lifetime: starts with watch(), ends with stop(); a reload calls watch() again.
// Failure:  none; a dependency that cannot be built or reached is reported with its reason.
//
// Ready means: not shutting down, every configured origin was usable when last asked, and of every issuer
// there are keys to verify by; but for those that are `optional`. An origin that is down at start shows here
// until it comes (R7); requests are tried all the same, and how these fared stands beside it, since a server
// that takes connections may still answer none. An issuer that is away while its last good keys serve is
// ready, with a reason.
//
// What is wrong, and every change of that, stands in the operational log, once a change, whether or not
// anybody can ask here. What an origin has found out about our own credentials, its bucket or its certificate
// is for who shows a credential: strangers hear that it is not ready.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
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
  bool is_draining() const { return draining_; }
  bool ready() const;
  std::string report(bool whole) const;  // JSON; `whole`: for who may know all

 private:
  struct Asked {
    std::shared_ptr<origin::Origin> origin;
    bool asked = false;
    bool usable = false;
    bool withheld = false;  // the reason is not for everybody
    bool optional = false;
    bool sick = false;  // requests fail, and the log says so
    std::string reason;
    std::shared_ptr<const upstream::Health> health{};  // null: no route leads there
  };
  void tell() { told_.store(ready(), std::memory_order_relaxed); }
  net::Task<> probe_all();
  void look_at_requests(const std::string& name, Asked& asked);
  bool is_optional(const Dependency& other) const;
  net::Task<> probe(std::string name, std::shared_ptr<origin::Origin> origin);

  net::Loop& loop_;
  net::Resolver resolver_;
  const Others others_;
  std::atomic<bool>& told_;
  std::map<std::string, Asked> origins_;
  std::set<std::string, std::less<>> optional_identities_;
  std::vector<net::Cancel*> probing_;
  bool draining_ = false;
  bool stopping_ = false;
  bool running_ = false;
  net::Event again_;
  net::Scope scope_;
};

}  // namespace admin
