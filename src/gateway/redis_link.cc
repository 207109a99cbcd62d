#include "gateway/redis_link.h"

#include "limit/figures.h"
#include "redis/metrics.h"

namespace gateway {

namespace {

redis::Options options_of(const config::Redis& rules) {
  redis::Options options;
  options.host = rules.url->host;
  options.port = rules.url->port;
  if (rules.url->tls)
    options.tls = redis::TlsOptions{
        .verify = rules.tls.verify, .ca_file = rules.tls.ca_file, .server_name = rules.tls.server_name};
  options.greeting = {.user = rules.user,
                      .password = rules.password,
                      .database = rules.database,
                      .prelude = limit::SharedLink::prelude()};
  options.connect = rules.connect;
  options.timeout = rules.timeout;
  return options;
}

}  // namespace

RedisLink::RedisLink(net::Loop& loop, net::Resolver& resolver, const config::Redis& rules,
                     limit::SharedBuckets& shared)
    : connection_(loop, resolver, options_of(rules), connection_metrics_),
      limits_(shared, connection_, rules.prefix, limit_metrics_) {}

void expose(telemetry::Page& page, const std::vector<const RedisLink*>& links) {
  if (links.empty()) return;
  std::vector<const redis::Metrics*> connections;
  std::vector<const limit::SharedMetrics*> limits;
  for (const RedisLink* link : links) {
    connections.push_back(&link->connection_metrics());
    limits.push_back(&link->limit_metrics());
  }
  redis::expose(page, connections);
  limit::expose(page, limits);
}

}  // namespace gateway
