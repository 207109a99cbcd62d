#include "gateway/redis_link.h"

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
                     limit::SharedBuckets& shared, telemetry::WorkerMetrics& metrics)
    : connection_(loop, resolver, options_of(rules), metrics.redis),
      limits_(shared, connection_, rules.prefix, metrics.shared_limits) {}

}  // namespace gateway
