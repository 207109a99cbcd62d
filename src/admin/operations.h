// What the operator can ask of the gateway, as an application (app/endpoint.h): the table of the admin
// listener.
//
// Owner:    AdminServer.  Thread: the admin loop's.  Failure: see Endpoint.
//
//   GET  /health        200 while the process lives              open to everybody
//   GET  /ready         200 or 503, by dependency                open to everybody; why, with a credential
//   GET  /serving       200, and 503 once it is shutting down    open to everybody
//   GET  /metrics       Prometheus text                          open where the listener is on loopback
//   GET  /log/level     {"level":"info"}
//   POST /log/level     {"level":"debug"}, application/json
//   GET  /openapi.json  all of this, for machines
//
// Everything else needs a credential (credential.h), unknown paths too.
#pragma once

#include <functional>
#include <string>

#include "admin/readiness.h"
#include "app/endpoint.h"

namespace admin {

// Renders the exposition; called on the admin thread.
using Metrics = std::function<std::string(bool ready)>;

class Operations final : public app::Endpoint {
 public:
  // `readiness` outlives it.
  Operations(const Readiness& readiness, Metrics metrics);

  base::Result<app::Answer> health(app::Call& call);
  base::Result<app::Answer> ready(app::Call& call);
  base::Result<app::Answer> serving(app::Call& call);
  base::Result<app::Answer> metrics(app::Call& call);
  base::Result<app::Answer> log_level(app::Call& call);
  base::Result<app::Answer> set_log_level(app::Call& call);

 private:
  const Readiness& readiness_;
  const Metrics metrics_;
};

}  // namespace admin
