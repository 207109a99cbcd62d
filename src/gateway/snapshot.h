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
#include <span>
#include <string>
#include <vector>

#include "app/make.h"
#include "base/ref.h"
#include "cache/key.h"
#include "config/model.h"
#include "gateway/credentials.h"
#include "gateway/router.h"
#include "http/target.h"
#include "identity/claim_rules.h"
#include "identity/verifiers.h"
#include "limit/gate.h"
#include "limit/rates.h"
#include "origin/origin.h"
#include "serve/request.h"
#include "telemetry/labels.h"
#include "upstream/health.h"

namespace gateway {

struct Route {
  config::Route rules;
  const config::Origin* origin = nullptr;                // null: an app answers
  const config::App* app = nullptr;                      // null: an origin does
  origin::Abilities can;                                 // of the origin; of an app: nothing
  std::shared_ptr<const identity::Verifiers> verifiers;  // null: open to everybody
  std::span<const config::TokenSource> token_sources;    // with verifiers, at least one
  identity::ClaimRules require{{}};
  std::shared_ptr<const limit::Policies> rates;
  bool tells_rates = false;                  // replies say how the caller stands with them
  std::shared_ptr<limit::Gate> gate;         // null: no limit of requests at a time
  std::shared_ptr<limit::Gate> origin_gate;  // the same of the origin, for requests that are with it
  std::shared_ptr<upstream::Health> health;  // of the origin
  std::uint16_t methods = 0xffff;            // a bit for each http::Method that is let through
  std::string allow;                         // for Allow, where the configuration lists methods
  bool guards = false;  // asks more of a request than others may: who it is, its method, how often
  std::optional<base::Nanos> ttl;
  cache::OriginId cache_id;    // who answers, as the cache knows it
  bool cacheable = false;      // GET and HEAD may be answered from the cache
  bool is_private = false;     // replies are for the caller's own cache alone
  std::uint8_t rendering = 0;  // of cache::KeyParts: what of this route stands in what is kept
  Credentials credentials;     // what is not for the origin

  bool allows(const http::RequestHead& head) const;  // its method

  telemetry::LabelId label = telemetry::LabelRegistry::kNone;
  telemetry::LabelId origin_label = telemetry::LabelRegistry::kNone;
};

// What is left of a path behind a route's prefix, in the reading of whoever answers there; may be empty.
std::string_view rest_for(const Route& route, const http::Target& target, const Match& match);

// What outlives snapshots and is found again by name when one is built. Owner: whoever builds them.
struct Registries {
  limit::Rates& rates;
  limit::Gates& gates;
  upstream::Healths& healths;
};

class Snapshot {
 public:
  Snapshot(config::Config configuration, Registries registries);
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const config::Config& config() const { return config_; }
  const Router& router() const { return router_; }
  const std::vector<Route>& routes() const { return routes_; }
  // Issuers whose published keys are in use.
  const std::vector<std::shared_ptr<identity::KeySource>>& key_sources() const { return key_sources_; }
  // The verifiers and rules of the admin listener; null: none.
  const std::shared_ptr<const identity::Verifiers>& admin_verifiers() const { return admin_verifiers_; }
  const identity::ClaimRules& admin_require() const { return admin_require_; }
  // Query parameters that hold a credential on some route; no log shows them on any.
  const std::vector<std::string>& credential_queries() const { return credential_queries_; }
  // When it serves: what the gates allow from now on.
  void configure_gates() const;
  // How the origin of this name has fared; null where no route leads to it.
  std::shared_ptr<const upstream::Health> health_of(std::string_view origin) const;
  bool trusts(const std::array<std::uint8_t, 16>& address) const;

 private:
  using VerifierMap = std::map<std::string, std::shared_ptr<const identity::Verifier>>;
  VerifierMap make_verifiers();
  void find_who_answers(Route& route, Registries registries) const;
  std::shared_ptr<const identity::Verifiers> choose(const std::vector<std::string>& names, int line,
                                                    const VerifierMap& all) const;
  static void list_methods(Route& route);

  const config::Config config_;
  std::vector<std::shared_ptr<identity::KeySource>> key_sources_;
  std::shared_ptr<const identity::Verifiers> admin_verifiers_;
  identity::ClaimRules admin_require_;
  std::vector<std::string> credential_queries_;
  std::vector<Route> routes_;
  Router router_;
};

struct LocalSnapshot : base::Local<LocalSnapshot> {
  // Origins of `before` whose configuration did not change are kept, with their pools. Applications are made
  // anew.
  LocalSnapshot(std::shared_ptr<const Snapshot> shared, const LocalSnapshot* before, origin::Env env,
                const app::Env& apps = {});

  struct LocalRoute {
    const Route* rules = nullptr;
    std::shared_ptr<origin::Origin> origin;  // null: the other answers
    std::shared_ptr<app::Endpoint> app;
    cache::OriginId cache_id{};

    const std::string& path() const { return rules->rules.path; }
  };

  const config::Config& config() const { return snapshot->config(); }

  std::shared_ptr<const Snapshot> snapshot;
  serve::Terms terms;  // of limits and timeouts
  std::map<std::string, std::shared_ptr<origin::Origin>> origins;
  std::vector<LocalRoute> routes;  // by the router's index
};

}  // namespace gateway
