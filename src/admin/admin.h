// The admin thread: it watches what the gateway needs, and answers the operator where there is a listener for
// that: health, readiness, metrics and the log level, on an address of its own.
// What can be asked of it stands in operations.h, who may in credential.h, a request's way in session.h.
//
// Owner:    cli::Server.
// Thread:   start(), stop(), watch() and draining() from the owner's; the rest runs on the admin thread, so
//           that it answers also when every worker is busy.
// Failure:  the constructor throws one line when the address cannot be bound.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "admin/credential.h"
#include "admin/operations.h"
#include "admin/readiness.h"
#include "admin/session.h"
#include "base/secret.h"
#include "config/model.h"
#include "net/listener.h"
#include "net/look_up.h"
#include "net/loop.h"
#include "net/scope.h"
#include "serve/http1.h"
#include "telemetry/audit_log.h"

namespace admin {

class AdminServer {
 public:
  // What it tells of the rest of the process; called on the admin thread.
  struct Sources {
    Metrics metrics;
    Readiness::Others dependencies;  // beside the origins, which it asks itself
    std::atomic<bool>& ready;        // where it says what /ready says
  };
  struct Place {
    net::Endpoint address;
    net::Listener::Ipv4 ipv4 = net::Listener::Ipv4::kToo;
  };
  // place: none, and nobody can ask; token: see open_token_file(); audit: may be null.
  AdminServer(const std::optional<Place>& place, net::LookUps& look_ups, Sources sources, base::Secret token,
              telemetry::AuditLog* audit);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  std::string address() const { return listener_ ? listener_->address() : ""; }
  void start(const std::shared_ptr<const gateway::Snapshot>& snapshot);
  void watch(std::shared_ptr<const gateway::Snapshot> snapshot);
  void draining();
  void stop();

 private:
  void accepted(int fd, const net::Endpoint& peer);
  void adopt(const std::shared_ptr<const gateway::Snapshot>& snapshot);
  net::Task<> shut();

  net::Loop loop_;
  std::optional<net::Listener> listener_;
  Readiness readiness_;
  Operations operations_;
  Credentials credentials_;
  serve::Shared shared_{loop_};
  House house_;
  net::Scope connections_;
  net::Scope end_;
  std::thread thread_;
};

}  // namespace admin
