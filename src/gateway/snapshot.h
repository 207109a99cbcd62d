// Everything a configuration decides, built as a whole, never changed: what a reload swaps.
//
// Owner:    Snapshot: shared by the process; LocalSnapshot: one a worker, with that worker's origins.
// Thread:   a Snapshot is immutable, so any; a LocalSnapshot belongs to its worker and counts its references
//           without atomic operations.
// Lifetime: requests hold the LocalSnapshot they began with; the old one goes with the last of them.
// Failure:  the constructors throw one line; then nothing has changed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ref.h"
#include "cache/key.h"
#include "config/model.h"
#include "gateway/router.h"
#include "identity/verifier.h"
#include "origin/origin.h"
#include "telemetry/labels.h"

namespace gateway {

struct Route {
  config::Route rules;
  const config::Origin* origin = nullptr;
  const config::JwtIdentity* identity = nullptr;       // null: open to everybody
  std::shared_ptr<const identity::Verifier> verifier;  // with identity, always
  std::optional<base::Nanos> ttl;
  bool cacheable = false;        // GET and HEAD may be answered from the cache
  bool forwards_fields = false;  // http: the client's own fields go on
  bool keeps_slashes = false;    // s3: `//` is part of the key
  // What identity consumes is not for the origin (unless the operator says so).
  bool strips_authorization = false;
  std::vector<std::string> stripped_fields;   // other credential fields
  std::vector<std::string> stripped_cookies;  // cookies that are a credential
  std::vector<std::string> stripped_queries;  // credential parameters; these go in any case
  telemetry::LabelId label = telemetry::LabelRegistry::kNone;
  telemetry::LabelId origin_label = telemetry::LabelRegistry::kNone;
};

class Snapshot {
 public:
  explicit Snapshot(config::Config configuration);
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const config::Config& config() const { return config_; }
  const Router& router() const { return router_; }
  const std::vector<Route>& routes() const { return routes_; }
  bool trusts(const std::array<std::uint8_t, 16>& address) const;

 private:
  const config::Config config_;
  std::vector<Route> routes_;
  Router router_;
};

struct LocalSnapshot : base::Local<LocalSnapshot> {
  // Origins of `before` whose configuration did not change are kept, with their pools.
  LocalSnapshot(std::shared_ptr<const Snapshot> shared, const LocalSnapshot* before, origin::Env env);

  struct LocalRoute {
    const Route* rules = nullptr;
    std::shared_ptr<origin::Origin> origin;
    cache::OriginId cache_id{};
  };

  std::shared_ptr<const Snapshot> snapshot;
  std::map<std::string, std::shared_ptr<origin::Origin>> origins;
  std::vector<LocalRoute> routes;  // by the router's index
};

}  // namespace gateway
