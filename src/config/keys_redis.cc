#include "config/rows.h"
#include "config/rules.h"
#include "config/tables.h"

namespace config {
using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of these tables
using namespace std::chrono_literals;

// The same rows as an origin's, but a change needs a restart.
constexpr Row kRedisTlsRows[] = {
    toggle<&OriginTls::verify>("verify", "true", kRestart,
                               "Whether the server's certificate is verified. Turn it off for tests only."),
    file<&OriginTls::ca_file>("ca_file", "", kRestart,
                              "PEM file of the authorities to trust instead of the system's."),
    rows::text<&OriginTls::server_name, HostName>(
        "server_name", "", kRestart, "The name to ask for and to verify, where it is not the host."),
};
constexpr Section kRedisTls = table<OriginTls>({"redis_tls", "", "TLS towards Redis, with rediss://.", ""},
                                               kRedisTlsRows, checked<OriginTls, rules::check_tls>);

consteval Row url_row() {
  Row row;
  row.name = "url";
  row.kind = Kind::kUrl;
  row.fallback = kRequired;
  row.reload = Reload::kRestart;
  row.text =
      "Where Redis is: `redis://` or, with TLS, `rediss://`, maybe `user:password@` (never shown, but better "
      "kept in `password`), a host, maybe a port (6379) and `/` with the number of a database. What the "
      "host's name "
      "means is asked for each new connection.";
  row.pattern = "^rediss?://([^/?#@]*@)?[^/?#@]+(/[0-9]*)?$";
  row.owner_tag = &kTag<Redis>;
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    rules::place_redis(read_value<RedisUrl>(reader, self, node), *static_cast<Redis*>(owner));
  };
  row.show = [](const void* owner) { return show_value<RedisUrl>(static_cast<const Redis*>(owner)->url); };
  return row;
}

constexpr Row kRedisRows[] = {
    url_row(),
    rows::text<&Redis::user>("user", "", kRestart, "The user, where it is not Redis's `default`."),
    secret<&Redis::password, SecretBytes>("password", "", kRestart, "The password, best as \"${VARIABLE}\"."),
    count<&Redis::database>("database", "0", {0, 65'535}, kRestart, "The number of the database."),
    rows::text<&Redis::prefix, OptionalText>("prefix", "sekisho:", kRestart, "Put before every key."),
    duration<&Redis::connect>("connect", "1s", {1ms, 1min}, kRestart,
                              "To connect, with the TLS handshake and the login."),
    duration<&Redis::timeout>("timeout", "250ms", {1ms, 1min}, kRestart,
                              "Of a command; one that takes longer counts as lost."),
    section<&Redis::tls, kRedisTls>("tls", "TLS towards Redis."),
};
constexpr Section kRedis = table<Redis>({"redis", "", "The Redis server that instances share.", "url"},
                                        kRedisRows, checked<Redis, rules::check_redis>);

}  // namespace config
