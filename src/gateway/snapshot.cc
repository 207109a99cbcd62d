#include "gateway/snapshot.h"

#include <algorithm>
#include <stdexcept>

#include "base/sabotage.h"
#include "config/fingerprint.h"
#include "http/field.h"
#include "identity/key_sources.h"

namespace gateway {

namespace {

std::vector<std::string> prefixes_of(const config::Config& config) {
  std::vector<std::string> out;
  out.reserve(config.routes.size());
  for (const auto& route : config.routes) out.push_back(route.path);
  return out;
}

serve::Terms terms_of(const config::Config& config) {
  const config::Limits& limits = config.limits;
  return {.head = {.head = limits.head, .target = limits.target, .fields = limits.fields},
          .body = limits.body,
          .head_patience = config.timeouts.header,
          .idle = config.timeouts.idle,
          .body_patience = config.timeouts.body,
          .write = config.timeouts.write,
          .tunnel = config.timeouts.tunnel,
          .least = {.per_second = limits.least_rate, .span = limits.least_rate_span}};
}

[[noreturn]] void refuse(const config::Config& config, int line, const std::string& what) {
  throw std::runtime_error(config.file + ":" + std::to_string(line) + ": " + what);
}

}  // namespace

Snapshot::Snapshot(config::Config configuration, Registries registries)
    : config_(std::move(configuration)),
      admin_require_(config_.admin.require),
      router_(prefixes_of(config_)) {
  const bool open = sabotage::after_first("reload-opens-door");
  const VerifierMap verifiers = make_verifiers();
  for (const auto& [name, rules] : config_.identities)
    for (const config::TokenSource& source : rules.from)
      if (source.kind == config::TokenSource::Kind::kQuery) credential_queries_.push_back(source.name);
  if (!config_.admin.identity.empty()) admin_verifiers_ = choose(config_.admin.identity, 0, verifiers);
  for (const auto& rules : config_.routes) {
    Route route;
    route.rules = rules;
    route.require = identity::ClaimRules(rules.require);
    find_who_answers(route, registries);
    route.credentials = Credentials(config_, rules);
    if (!rules.identity.empty() && !open) {
      route.verifiers = choose(rules.identity, rules.line, verifiers);
      route.token_sources = config_.identities.at(rules.identity.front()).from;
    }
    list_methods(route);
    route.guards = !rules.identity.empty() || !rules.methods.empty() || !rules.rates.empty() ||
                   rules.concurrency.has_value();
    route.rates = registries.rates.compile(config_, rules);
    route.tells_rates = !route.rates->empty() && config_.limits.rate_fields != config::RateFields::kOff;
    if (rules.concurrency)
      route.gate = registries.gates.get(limit::Gates::Of::kRoute, rules.path, *rules.concurrency);
    route.is_private = !rules.identity.empty() && !rules.cache.shared;
    route.rendering = static_cast<std::uint8_t>((route.is_private ? 1 : 0) | (route.tells_rates ? 2 : 0));
    for (const std::string& name : rules.forward_fields)
      if (http::field_id(name) != http::FieldId::kOther)
        refuse(config_, rules.line,
               "forward_fields of route '" + rules.path + "': " + name +
                   " is the gateway's own to decide about");
    route.label = telemetry::routes().intern(rules.path);
    routes_.push_back(std::move(route));
  }
}

void Snapshot::find_who_answers(Route& route, Registries registries) const {
  const config::Route& rules = route.rules;
  if (const auto app = config_.apps.find(rules.app); app != config_.apps.end()) {
    route.app = &app->second;
    return;
  }
  const auto origin = config_.origins.find(rules.origin);
  if (origin == config_.origins.end())
    refuse(config_, rules.line, "unknown origin '" + rules.origin + "', unknown app '" + rules.app + "'");
  route.origin = &origin->second;
  route.can = origin::abilities_of(origin->second);
  if (rules.cache.ttl) route.ttl = *rules.cache.ttl;
  // Without a ttl there would be nothing to keep of one that says nothing.
  route.cacheable =
      rules.cache.enabled && config_.cache.memory.size > 0 && (route.can.says_freshness || route.ttl);
  const config::AnswerId id = config::answer_id(origin->second);
  route.cache_id = {.high = id.high, .low = id.low};
  if (origin->second.concurrency)
    route.origin_gate =
        registries.gates.get(limit::Gates::Of::kOrigin, rules.origin, *origin->second.concurrency);
  route.health = registries.healths.get(rules.origin);
  route.origin_label = telemetry::origins().intern(rules.origin);
}

std::shared_ptr<const upstream::Health> Snapshot::health_of(std::string_view origin) const {
  const auto route = std::ranges::find(routes_, origin, [](const Route& one) { return one.rules.origin; });
  return route == routes_.end() ? nullptr : route->health;
}

Snapshot::VerifierMap Snapshot::make_verifiers() {
  VerifierMap verifiers;
  for (const auto& [name, rules] : config_.identities) {
    try {
      auto source = identity::key_sources().source_for(rules);
      verifiers[name] = std::make_shared<const identity::Verifier>(rules, source);
      if (source) key_sources_.push_back(std::move(source));
    } catch (const identity::VerifierError& error) {
      refuse(config_, error.line, "identities." + name + ": " + error.what());
    } catch (const std::runtime_error& error) {
      refuse(config_, rules.line, "identities." + name + ": " + error.what());
    }
  }
  return verifiers;
}

// Asked for and missing must never mean open.
std::shared_ptr<const identity::Verifiers> Snapshot::choose(const std::vector<std::string>& names, int line,
                                                            const VerifierMap& all) const {
  std::vector<std::shared_ptr<const identity::Verifier>> chosen;
  for (const std::string& name : names) {
    const auto found = all.find(name);
    if (found == all.end()) refuse(config_, line, "unknown identity '" + name + "'");
    chosen.push_back(found->second);
  }
  return std::make_shared<const identity::Verifiers>(std::move(chosen));
}

void Snapshot::list_methods(Route& route) {
  if (route.rules.methods.empty()) return;
  route.methods = 0;
  for (const std::string& name : route.rules.methods) {
    route.methods |= std::uint16_t(1U << static_cast<unsigned>(http::method_of(name)));
    route.allow.append(route.allow.empty() ? "" : ", ").append(name);
  }
}

std::string_view rest_for(const Route& route, const http::Target& target, const Match& match) {
  switch (route.can.path) {
    case origin::PathForm::kDecodedWhole:
      return rest_of(target.path, match);
    case origin::PathForm::kSent:
      return rest_of(target.sent, match);
    case origin::PathForm::kDecoded:
      break;
  }
  return rest_of(target.collapsed, match);
}

bool Route::allows(const http::RequestHead& head) const {
  if ((methods >> static_cast<unsigned>(head.method) & 1) == 0) return false;
  return head.method != http::Method::kOther || rules.methods.empty() ||
         std::ranges::find(rules.methods, head.method_text) != rules.methods.end();
}

void Snapshot::configure_gates() const {
  for (const Route& route : routes_) {
    if (route.gate) route.gate->configure(*route.rules.concurrency);
    if (route.origin_gate) route.origin_gate->configure(*route.origin->concurrency);
  }
}

bool Snapshot::trusts(const std::array<std::uint8_t, 16>& address) const {
  return std::ranges::any_of(config_.trusted_proxies,
                             [&](const auto& network) { return network.contains(address); });
}

LocalSnapshot::LocalSnapshot(std::shared_ptr<const Snapshot> shared, const LocalSnapshot* before,
                             origin::Env env, const app::Env& apps)
    : snapshot(std::move(shared)), terms(terms_of(snapshot->config())) {
  for (const auto& [name, configuration] : snapshot->config().origins) {
    std::shared_ptr<origin::Origin> kept;
    if (before) {
      const auto old = before->origins.find(name);
      if (old != before->origins.end() && old->second->fingerprint() == config::fingerprint(configuration))
        kept = old->second;
    }
    try {
      origins[name] = kept ? kept : origin::make_origin(configuration, env);
    } catch (const std::exception& error) {
      refuse(snapshot->config(), configuration.line, "origins." + name + ": " + error.what());
    }
  }
  std::map<std::string, std::shared_ptr<app::Endpoint>> endpoints;
  for (const auto& [name, configuration] : snapshot->config().apps)
    endpoints[name] = app::make_endpoint(configuration, apps);
  for (const Route& route : snapshot->routes())
    routes.push_back({.rules = &route,
                      .origin = route.origin ? origins.at(route.rules.origin) : nullptr,
                      .app = route.app ? endpoints.at(route.rules.app) : nullptr,
                      .cache_id = route.cache_id});
}

}  // namespace gateway
