// The admin listener: health, readiness, metrics and the log level, on an address and a thread of its own.
//
// Owner:    cli::Server.
// Thread:   start(), stop(), watch() and draining() from the owner's; the rest runs on the admin thread, so
//           that it answers also when every worker is busy.
// Failure:  the constructor throws one line when the address cannot be bound.
//
//   GET  /health      200 while the process lives
//   GET  /ready       200 or 503, by dependency, with reasons
//   GET  /metrics     Prometheus text
//   GET  /log/level   {"level":"info"}
//   POST /log/level   {"level":"debug"}, application/json
//
// It listens where the operator says and asks for no credential yet, so say 127.0.0.1. The content type that
// POST insists on keeps other people's web pages from posting here through an operator's browser.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "admin/readiness.h"
#include "config/model.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/offload.h"
#include "net/scope.h"

namespace admin {

struct Response {
  unsigned status = 200;
  std::string_view type = "application/json";
  std::string body;
};

class AdminServer {
 public:
  // metrics: renders the exposition; called on the admin thread.
  using Metrics = std::function<std::string(bool ready)>;
  AdminServer(const net::Endpoint& address, net::Offload& offload, Metrics metrics);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  std::string address() const { return listener_.address(); }
  void start(std::shared_ptr<const gateway::Snapshot> snapshot);
  void watch(std::shared_ptr<const gateway::Snapshot> snapshot);
  void draining();
  void stop();

 private:
  net::Task<> serve(int fd);
  Response answer(const struct Request& request);
  net::Task<> shut();

  net::Loop loop_;
  net::Listener listener_;
  Readiness readiness_;
  Metrics metrics_;
  std::vector<net::Stream*> open_;
  net::Scope connections_;
  net::Scope end_;
  std::thread thread_;
};

}  // namespace admin
