// The admin listener: health, readiness, metrics and the log level, on an address and a thread of its own.
//
// Owner:    cli::Server.
// Thread:   start(), stop(), watch() and draining() from the owner's; the rest runs on the admin thread, so
//           that it answers also when every worker is busy.
// Failure:  the constructor throws one line when the address cannot be bound.
//
//   GET  /health      200 while the process lives                       open to everybody
//   GET  /ready       200 or 503, by dependency, with reasons           open to everybody
//   GET  /metrics     Prometheus text                                   open where the listener is loopback
//   GET  /log/level   {"level":"info"}
//   POST /log/level   {"level":"debug"}, application/json
//
// Everything else needs a credential (credential.h), unknown paths too. Every action and every refused
// attempt goes to the audit log; of attempts beyond the bound on failures only the first of a second does.
// The content type that POST insists on keeps other people's web pages from posting here through an
// operator's browser.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "admin/credential.h"
#include "admin/readiness.h"
#include "base/secret.h"
#include "config/model.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/offload.h"
#include "net/scope.h"
#include "telemetry/audit_log.h"

namespace admin {

struct Response {
  unsigned status = 200;
  std::string_view type = "application/json";
  std::string body;
  std::string_view challenge{};  // of a 401 or 403
  // For the audit log.
  base::Error error{};
  std::string_view action{};  // that was done, or tried
  telemetry::AuditArgument argument{};
};

class AdminServer {
 public:
  // What it tells of the rest of the process; called on the admin thread.
  struct Sources {
    std::function<std::string(bool ready)> metrics;         // the page
    std::function<std::vector<Dependency>()> dependencies;  // beside the origins, which it asks itself
  };
  // token: see open_token_file(); audit: may be null.
  AdminServer(const net::Endpoint& address, net::Offload& offload, Sources sources, base::Secret token,
              telemetry::AuditLog* audit);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  std::string address() const { return listener_.address(); }
  void start(const std::shared_ptr<const gateway::Snapshot>& snapshot);
  void watch(std::shared_ptr<const gateway::Snapshot> snapshot);
  void draining();
  void stop();

 private:
  net::Task<> serve(int fd, net::Endpoint peer);
  net::Task<Response> respond(const struct Request& request, const net::Endpoint& peer);
  net::Task<base::Result<Credentials::Caller>> identify(const Request& request, const net::Endpoint& peer);
  Response answer(const Request& request);
  void audit(const Request& request, const net::Endpoint& peer, const Credentials::Caller& caller,
             const Response& response, base::Mono began);
  void adopt(const std::shared_ptr<const gateway::Snapshot>& snapshot);
  net::Task<> shut();

  net::Loop loop_;
  net::Listener listener_;
  const bool loopback_;
  Readiness readiness_;
  const std::function<std::string(bool ready)> metrics_;
  Credentials credentials_;
  telemetry::AuditLog* const audit_;
  base::Mono told_of_flood_{};  // when the last refusal for too many failures was audited
  std::vector<net::Stream*> open_;
  net::Scope connections_;
  net::Scope end_;
  std::thread thread_;
};

}  // namespace admin
