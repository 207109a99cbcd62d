#include <fmt/format.h>

#include <algorithm>

#include "config/rules.h"

namespace config::rules {
namespace {

constexpr std::size_t kMostRates = 4;  // of one route: each costs every request a look-up

bool counts_by_principal(const RateLimit& rate) {
  return contains(rate.per, RateKey::kPrincipal);
}

// The names at `key` of `map` exist, and each stands there once.
void check_names(Reader& reader, const YamlNode& map, const std::vector<std::string>& names,
                 const Config& config) {
  const Entry* entry = map.find("rates");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const YamlNode& list = entry->value;
    const int line = list.kind == YamlNode::Kind::kList ? list.items[i].line : list.line;
    check_name(reader, line, "rates", "rate limit", names[i], config.rates);
    if (std::count(names.begin(), names.end(), names[i]) > 1)
      reader.fail_at(map, "rates", fmt::format("names '{}' twice", names[i]));
  }
}

void check_route_rates(Reader& reader, const YamlNode& node, const Route& route, const Config& config) {
  check_names(reader, node, route.rates, config);
  for (const std::string& name : route.rates) {
    if (contains(config.limits.rates, name))
      reader.fail_at(node, "rates", fmt::format("names '{}', which holds for every route already", name));
    if (route.identity.empty() && counts_by_principal(config.rates.at(name)))
      reader.fail_at(node, "rates",
                     fmt::format("names '{}', which counts by principal and needs 'identity'", name));
  }
  if (const std::size_t n = route.rates.size() + config.limits.rates.size(); n > kMostRates)
    reader.fail_at(node, "rates",
                   fmt::format("are {} with those of 'limits'; {} may hold for one route", n, kMostRates));
}

}  // namespace

void place_rate(Reader&, const Entry& entry, RateLimit&& rate, Config& config) {
  rate.name = entry.name;
  rate.line = entry.line;
  config.rates.emplace(entry.name, std::move(rate));
}

void check_rate(Reader& reader, const YamlNode& node, RateLimit& rate) {
  if (node.find("burst") == nullptr) rate.burst = rate.rate.count;
  for (const RateKey key : rate.per)
    if (std::ranges::count(rate.per, key) > 1) reader.fail_at(node, "per", "names one thing twice");
}

void check_rates(Reader& reader, const YamlNode& node, const Config& config) {
  for (const auto& [name, rate] : config.rates) {
    if (!rate.shared || config.redis.url) continue;
    const Reader::Step rates(reader, "rates");
    const Reader::Step step(reader, name);
    reader.fail_at(node.find("rates")->value.find(name)->value, "shared", "needs 'redis'");
  }
  if (!config.limits.rates.empty()) {
    const Reader::Step step(reader, "limits");
    const YamlNode& limits = node.find("limits")->value;
    check_names(reader, limits, config.limits.rates, config);
    if (const std::size_t n = config.limits.rates.size(); n > kMostRates)
      reader.fail_at(limits, "rates", fmt::format("are {}; {} may hold for one route", n, kMostRates));
    for (const std::string& name : config.limits.rates)
      for (const Route& route : config.routes)
        if (route.identity.empty() && counts_by_principal(config.rates.at(name)))
          reader.fail_at(limits, "rates",
                         fmt::format("names '{}', which counts by principal, but the route in line {} has no "
                                     "'identity'",
                                     name, route.line));
  }
  const Reader::Step step(reader, "routes");
  const YamlNode& routes = node.find("routes")->value;
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    if (config.routes[i].rates.empty()) continue;
    const Reader::Step at(reader, i);
    check_route_rates(reader, routes.kind == YamlNode::Kind::kList ? routes.items[i] : routes,
                      config.routes[i], config);
  }
}

// ---- what limits share, and what is written of them

void place_redis(RedisPlace&& place, Redis& redis) {
  redis.url = std::move(place.url);
  if (!place.user.empty()) redis.user = std::move(place.user);
  if (!place.password.empty()) redis.password = std::move(place.password);
  if (place.database) redis.database = *place.database;
}

void check_redis(Reader& reader, const YamlNode& node, Redis& redis) {
  const Entry* url = node.find("url");
  if (url == nullptr) return;
  const Parsed<RedisPlace> place = RedisUrl::parse(reader.text(url->value));
  const auto once = [&](std::string_view key, bool in_url) {
    if (in_url && node.find(key) != nullptr)
      reader.fail_at(node, key, "stands in the url, too; give it once");
  };
  once("user", !place->user.empty());
  once("password", !place->password.empty());
  once("database", place->database.has_value());
  if (!redis.user.empty() && redis.password.empty()) reader.fail_at(node, "user", "needs 'password'");
  if (!redis.url->tls && node.find("tls") != nullptr)
    reader.fail_at(node, "tls", "needs a url with rediss://");
}

void check_audit(Reader& reader, const YamlNode& node, Audit& audit) {
  const bool syslog = audit.output == "syslog";
  if (audit.output == "off") audit.output.clear();
  const bool file = !audit.output.empty() && !syslog && audit.output != "stdout" && audit.output != "stderr";
  if (file) audit.output = reader.own(audit.output);
  if (!syslog && node.find("syslog") != nullptr) reader.fail_at(node, "syslog", "needs 'output: syslog'");
  if (node.find("rotate") == nullptr) return;
  if (!file) reader.fail_at(node, "rotate", "needs a file as 'output'");
  if (audit.rotate_size == 0 && audit.rotate_every == Seconds(0))
    reader.fail_at(node, "rotate", "needs 'size' or 'every'");
}

}  // namespace config::rules
