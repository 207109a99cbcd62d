// The application `status`: is the gateway alive, is it ready, and whom does it take the caller for.
//
// Owner:    see Endpoint.  Thread: that of its loop; what it reads is atomic.
// Failure:  none.
//
//   GET /health   {"alive":true}
//   GET /ready    {"ready":true}, or 503 and false; the reasons are for the admin listener
//   GET /serving  {"serving":true}, or 503 and false once the gateway is shutting down, whatever is behind it
//   GET /whoami   {"issuer":…,"subject":…,"agent":…} as the route's identity found out, or {"anonymous":true}
#pragma once

#include <atomic>

#include "app/endpoint.h"

namespace app {

class Status final : public Endpoint {
 public:
  // `ready`: as the admin listener's /ready says; lives as long as the process. Null: always.
  // `draining`: the end has begun; as `ready`. Null: never.
  explicit Status(const std::atomic<bool>* ready, const std::atomic<bool>* draining = nullptr);

  base::Result<Answer> health(Call& call);
  base::Result<Answer> readiness(Call& call);
  base::Result<Answer> serving(Call& call);
  base::Result<Answer> whoami(Call& call);

 private:
  const std::atomic<bool>* const ready_;
  const std::atomic<bool>* const draining_;
};

}  // namespace app
