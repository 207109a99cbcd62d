// The subsystems that all workers share, each as a service: what it is made of, and what a reload and the end
// mean to it. The subsystems themselves know nothing of services.
//
// Owner:    Server.  Thread, lifetime, failure: as service.h says.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "admin/admin.h"
#include "base/account.h"
#include "cache/fill.h"
#include "cache/loan.h"
#include "cache/memory.h"
#include "cli/service.h"
#include "cli/trim.h"
#include "config/model.h"
#include "gateway/key_refresh.h"
#include "limit/failures.h"
#include "limit/gate.h"
#include "limit/rates.h"
#include "limit/shared.h"
#include "net/look_up.h"
#include "telemetry/access_log.h"
#include "telemetry/audit_log.h"

namespace cli {

// The operational log, the access log and the audit log.
class Logs final : public Service {
 public:
  explicit Logs(const config::Config& config);

  telemetry::AccessLog* access() { return access_.get(); }  // null: none
  telemetry::AuditLog* audit() { return audit_.get(); }     // null: none
  void event(const telemetry::AuditRecord& record);         // into the audit log, where there is one

  void reopen() override;
  void commit(const Snapshot& now) override;
  void cut() override;
  void give_up_by(base::Mono when);  // what their outputs have not taken by then is lost
  void expose(telemetry::Page& page) const override;
  void dependencies(std::vector<admin::Dependency>& out) const override;

 private:
  std::unique_ptr<telemetry::AccessLog> access_;
  std::unique_ptr<telemetry::AuditLog> audit_;
};

// Rates, failed verifications, places in queues and how origins fare: what a snapshot is compiled with, so it
// is there before the first.
class Limits final : public Service {
 public:
  explicit Limits(const config::Config& config);

  gateway::Registries registries() { return {.rates = rates, .gates = gates, .healths = healths}; }

  void commit(const Snapshot& now) override;
  void expose(telemetry::Page& page) const override;

  limit::Rates rates;
  limit::Failures failures;
  limit::Gates gates;
  upstream::Healths healths;
  const std::unique_ptr<limit::SharedBuckets> shared;  // null: no Redis
};

// The memory tier, the fetches into it, and the count of all that is held for clients.
class Cache final : public Service {
 public:
  explicit Cache(const config::Config& rules);

  void commit(const Snapshot& now) override;
  void start(const Snapshot& now) override;
  void tick();  // once a second
  void close() override { fills.close(); }
  void cut() override { fills.close(); }
  void expose(telemetry::Page& page) const override;

  base::Account account;
  cache::Memory memory;
  cache::Fills fills;
  cache::Loans loans;

 private:
  Trim trim_;
};

// What issuers publish.
class Keys final : public Service {
 public:
  explicit Keys(net::LookUps& look_ups) : refresh_(look_ups) {}

  void start(const Snapshot& now) override { refresh_.watch(now->key_sources()); }
  void commit(const Snapshot& now) override { refresh_.watch(now->key_sources()); }
  void stop() override { refresh_.stop(); }
  void expose(telemetry::Page& page) const override;
  void dependencies(std::vector<admin::Dependency>& out) const override;

 private:
  gateway::KeyRefresh refresh_;
};

// The watch over what is behind us, and the operator's door to it, where there is one. It is open before
// anybody is served and after everybody has been.
// [::] takes IPv4, too, but not beside an IPv4 address with the same port, which then could not be bound.
net::Listener::Ipv4 ipv4_at(const config::Config& config, std::uint16_t port);

class Door final : public Service {
 public:
  // draining: where it says that the end has begun, for workers.
  Door(const config::Config& config, net::LookUps& look_ups, admin::AdminServer::Sources sources,
       std::atomic<bool>& draining, telemetry::AuditLog* audit);

  std::string address() const { return server_.address(); }  // "": nobody can ask

  void start(const Snapshot& now) override { server_.start(now); }
  void commit(const Snapshot& now) override { server_.watch(now); }
  void drain() override;
  void stop() override { server_.stop(); }

 private:
  std::atomic<bool>& draining_;
  admin::AdminServer server_;
};

}  // namespace cli
