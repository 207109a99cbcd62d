// The texts of errors about identities, rules over claims, limits, the audit log and Redis: pinned as in
// errors_test.cc.
#include <gtest/gtest.h>

#include "config/testing.h"

namespace config {
namespace {

constexpr const char* kPem = "-----BEGIN PUBLIC KEY-----";

std::string after(const std::string& text) {
  return error_of(
      "listen: 0.0.0.0:8080\n"
      "origins: { site: { type: dir, path: p } }\n"
      "routes: { path: /, origin: site }\n" +
      text);
}
std::string jwt(const std::string& text) {
  return after("identities: { i: { type: jwt, " + text + " } }");
}
std::string route(const std::string& keys) {
  return error_of(
      "listen: 0.0.0.0:8080\n"
      "origins: { site: { type: dir, path: p } }\n"
      "identities: { a: { type: jwt, algorithms: ES256, keys: { inline: x } }, b: { type: jwt, algorithms: "
      "ES256, "
      "keys: { inline: x }, from: { cookie: t } } }\n"
      "routes: [ { path: /, origin: site, " +
      keys + " } ]\n" +
      "rates: { all: { requests: 1/s }, each: { requests: 1/s, per: principal }, c: { requests: 1/s }, d: { "
      "requests: "
      "1/s }, e: { requests: 1/s } }\n");
}
std::string rule(const std::string& text) {
  constexpr std::string_view kPlace = ":4: routes[0].require[0]";
  const std::string error = route("identity: a, require: " + text);
  if (error.empty()) return "";
  EXPECT_TRUE(error.starts_with(kPlace)) << error;
  return error.substr(std::min(error.size(), kPlace.size()));
}

TEST(IdentityErrors, KeysOrAPlaceToFetchThem) {
  EXPECT_EQ(jwt("algorithms: ES256"), ":4: identities.i.keys: is missing, and so are 'jwks' and 'discovery'");
  EXPECT_EQ(jwt("algorithms: ES256, discovery: off"),
            ":4: identities.i.keys: is missing, and so are 'jwks' and 'discovery'");
  EXPECT_EQ(jwt("issuer: any, audience: any, algorithms: ES256, jwks: 'https://a/keys'"), "");
  EXPECT_EQ(jwt("algorithms: ES256, jwks: { timeout: 1s }"),
            ":4: identities.i.jwks: needs 'url', or 'discovery: on' beside it");
  EXPECT_EQ(jwt("algorithms: ES256, jwks: { timeout: 1s }, discovery: off"),
            ":4: identities.i.jwks: needs 'url', or 'discovery: on' beside it");
  EXPECT_EQ(jwt("algorithms: ES256, issuer: 'https://a', discovery: on, jwks: 'https://a/keys'"),
            ":4: identities.i.jwks: has a 'url' and stands beside 'discovery'; give one of them");
  EXPECT_EQ(
      jwt("audience: any, algorithms: ES256, issuer: 'https://a', jwks: { timeout: 1s }, discovery: on"), "");
  EXPECT_EQ(
      jwt("audience: any, algorithms: ES256, issuer: 'https://a', discovery: on, jwks: { timeout: 1s }"), "");
}

TEST(IdentityErrors, PublishedKeysNeedToKnowForWhomATokenIs) {
  const std::string missing =
      "is missing: published keys sign for others, too; say which, or 'any' to take them all";
  EXPECT_EQ(jwt("algorithms: ES256, jwks: 'https://a/keys'"), ":4: identities.i.issuer: " + missing);
  EXPECT_EQ(jwt("algorithms: ES256, jwks: 'https://a/keys', audience: a"),
            ":4: identities.i.issuer: " + missing);
  EXPECT_EQ(jwt("algorithms: ES256, jwks: 'https://a/keys', issuer: a"),
            ":4: identities.i.audience: " + missing);
  EXPECT_EQ(jwt("algorithms: ES256, discovery: on, issuer: 'https://a'"),
            ":4: identities.i.audience: " + missing);
  EXPECT_EQ(jwt("algorithms: ES256, jwks: 'https://a/keys', issuer: any, audience: [any]"), "");
  EXPECT_EQ(jwt("algorithms: ES256, jwks: 'https://a/keys', issuer: a, audience: [any, b]"),
            ":4: identities.i.audience: names others beside 'any'");
  EXPECT_EQ(jwt("algorithms: ES256, keys: { inline: x }"), "");
}

TEST(IdentityErrors, DiscoveryNeedsAnIssuerThatIsAUrl) {
  EXPECT_EQ(jwt("algorithms: ES256, discovery: on"),
            ":4: identities.i.discovery: needs 'issuer', the URL that the document is under");
  EXPECT_EQ(
      jwt("algorithms: ES256, discovery: on, issuer: me"),
      ":4: identities.i.issuer: must be a URL that begins with http:// or https://; 'discovery' needs that");
  EXPECT_EQ(jwt("algorithms: ES256, discovery: on, issuer: 'https://a?b'"),
            ":4: identities.i.issuer: must have no query and no fragment; 'discovery' needs that");
  EXPECT_EQ(jwt("algorithms: ES256, discovery: on, issuer: 'http://id.test'"),
            ":4: identities.i.issuer: must begin with https://: who can change the keys on their way can "
            "sign tokens "
            "(http:// is for this host itself); 'discovery' needs that");
  EXPECT_EQ(jwt("audience: any, algorithms: ES256, discovery: on, issuer: 'http://127.0.0.1:9'"), "");
}

TEST(IdentityErrors, KeySetsComeOverTlsOrFromThisHost) {
  const std::string wrong =
      ":4: identities.i.jwks: must begin with https://: who can change the keys on their way can sign tokens "
      "(http:// "
      "is for this host itself)";
  for (const char* host :
       {"id.test", "10.0.0.1", "127.0.0.1.test", "localhost.test", "[::2]", "[::ffff:127.0.0.1]"})
    EXPECT_EQ(jwt("algorithms: ES256, jwks: 'http://" + std::string(host) + "/k'"), wrong) << host;
  for (const char* host : {"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]"})
    EXPECT_EQ(
        jwt("issuer: any, audience: any, algorithms: ES256, jwks: 'http://" + std::string(host) + ":1/k'"),
        "")
        << host;
  EXPECT_EQ(
      jwt("algorithms: ES256, jwks: { url: 'https://me:hunter2@a/k' }"),
      ":4: identities.i.jwks.url: must have no user or password; use a header or the origin's own keys");
}

TEST(IdentityErrors, KeySetTimesAreInOrder) {
  EXPECT_EQ(jwt("algorithms: ES256, jwks: { url: 'https://a', min_ttl: 2m, max_ttl: 1m }"),
            ":4: identities.i.jwks.min_ttl: is more than 'max_ttl'");
  EXPECT_EQ(jwt("algorithms: ES256, jwks: { url: 'https://a', ttl: 2h }"),
            ":4: identities.i.jwks.ttl: is not between 'min_ttl' and 'max_ttl', 1m to 1h");
  EXPECT_EQ(jwt("algorithms: ES256, jwks: { url: 'https://a', cooldown: 0s }"),
            ":4: identities.i.jwks.cooldown: '0s' is out of bounds: 1s to 1h");
}

TEST(IdentityErrors, SharedSecretsAreNeverPublished) {
  EXPECT_EQ(jwt("algorithms: [RS256, HS256], jwks: 'https://a'"),
            ":4: identities.i.algorithms: 'HS256' needs a secret among 'keys'");
  EXPECT_EQ(jwt("algorithms: HS256, jwks: 'https://a'"),
            ":4: identities.i.algorithms: 'HS256' needs a secret among 'keys'");
  EXPECT_EQ(jwt("algorithms: HS256, jwks: 'https://a', keys: { inline: x }"),
            ":4: identities.i.jwks: has no use: no algorithm of the identity takes a published key");
  EXPECT_EQ(jwt("algorithms: [HS256, HS512], keys: { inline: x, algorithm: HS256 }"),
            ":4: identities.i.algorithms: 'HS512' needs a secret among 'keys'");
  EXPECT_EQ(
      jwt("issuer: any, audience: any, algorithms: [RS256, HS256], jwks: 'https://a', keys: { inline: x }"),
      "");
}

TEST(IdentityErrors, AKeyThatDoesNotTellItsKindNamesItsAlgorithm) {
  EXPECT_EQ(jwt("algorithms: [RS256, ES256], keys: { inline: '" + std::string(kPem) + "' }"), "");
  EXPECT_EQ(jwt("algorithms: [RS256, ES256], keys: { inline: '{\"kty\":\"RSA\"}' }"), "");
  EXPECT_EQ(jwt("algorithms: [RS256, HS256], keys: { inline: x }"), "");
  EXPECT_EQ(jwt("algorithms: [HS256, HS384], keys: [ { inline: x, algorithm: HS256 }, { inline: x } ]"),
            ":4: identities.i.keys[1]: needs 'algorithm', as the identity lists several HS algorithms");
  EXPECT_EQ(jwt("algorithms: [RS256, ES256], keys: { inline: hunter2 }"),
            ":4: identities.i.keys[0]: is neither PEM nor a JWK, and the identity lists no HS algorithm");
}

TEST(RouteErrors, IdentitiesOfOneRouteLookInTheSamePlaces) {
  EXPECT_EQ(route("identity: [a, b]"),
            ":4: routes[0].identity: names 'a' and 'b', which look for tokens in different places; their "
            "'from' must "
            "be the same");
  EXPECT_EQ(route("identity: [a, a]"), ":4: routes[0].identity: names 'a' twice");
  EXPECT_EQ(route("identity: [a, x]"), ":4: routes[0].identity: there is no identity 'x', did you mean 'a'?");
  EXPECT_EQ(route("identity: []"), ":4: routes[0].identity: is an empty list");
}

TEST(RouteErrors, RulesNeedAnIdentity) {
  EXPECT_EQ(route("require: { claim: a, exists: true }"), ":4: routes[0].require: needs 'identity'");
  EXPECT_EQ(after("admin: { listen: '127.0.0.1:1', require: { claim: a, exists: true } }"),
            ":4: admin.require: needs 'identity'");
  EXPECT_EQ(after("admin: { identity: x }"), ":4: admin.identity: there is no identity 'x'");
  EXPECT_EQ(
      after(
          "admin: { identity: i }\nidentities: { i: { type: jwt, algorithms: HS256, keys: { inline: x } } }"),
      ":4: admin.identity: needs 'require', which says who of them is an administrator");
}

TEST(ClaimRuleErrors, OneWayAndOneTest) {
  EXPECT_EQ(rule("{ claim: a, equals: x }"), "");
  EXPECT_EQ(rule("{}"), ": needs one of: all, any, not, claim");
  EXPECT_EQ(rule("x"), ": must be a map of keys, not a single value; write { all: … }");
  EXPECT_EQ(rule("{ claim: a }"),
            ": needs one of: equals, in, contains, substring, gt, lt, gte, lte, exists");
  EXPECT_EQ(rule("{ equals: x }"), ": needs one of: all, any, not, claim");
  EXPECT_EQ(rule("{ claim: a, equals: x, in: [y] }"), ".in: stands beside 'equals'; give one of them");
  EXPECT_EQ(rule("{ claim: a, equals: x, not: { claim: b, exists: true } }"),
            ".claim: stands beside 'not'; give one of them");
  EXPECT_EQ(rule("{ not: { claim: b, exists: true }, equals: x }"), ".equals: needs 'claim'");
  EXPECT_EQ(rule("{ all: [ { claim: a, equals: x }, { any: [ { claim: b, is: x } ] } ] }"),
            ".all[1].any[0].is: unknown key, did you mean 'in'?");
  EXPECT_EQ(rule("{ all: [] }"), ".all: is an empty list");
  EXPECT_EQ(rule("{ not: [ { claim: a, equals: x } ] }"), ".not: must be a map of keys, not a list");
  EXPECT_EQ(rule("{ claim: a, equal: x }"), ".equal: unknown key, did you mean 'equals'?");
}

TEST(ClaimRuleErrors, PathsAndValues) {
  EXPECT_EQ(rule("{ claim: a..b, equals: x }"),
            ".claim: 'a..b' is no path of a claim: at character 3 a name is missing");
  EXPECT_EQ(rule("{ claim: a, gt: x }"), ".gt: 'x' is not a number");
  EXPECT_EQ(rule("{ claim: a, gt: '3' }"), ".gt: '3' is not a number");
  EXPECT_EQ(rule("{ claim: a, lte: true }"), ".lte: 'true' is not a number");
  EXPECT_EQ(rule("{ claim: a, exists: 1 }"), ".exists: '1' is neither true (on) nor false (off)");
  EXPECT_EQ(rule("{ claim: a, contains: [x] }"), ".contains: must be a single value, not a list");
  EXPECT_EQ(rule("{ claim: a, contains: '' }"), ".contains: is empty");
  EXPECT_EQ(rule("{ claim: a, substring: '' }"), ".substring: is empty");
  EXPECT_EQ(rule("{ claim: a, substring: 3 }"), ".substring: '3' is not a text; put it in quotes");
  EXPECT_EQ(rule("{ claim: a, in: [] }"), ".in: is an empty list");
  EXPECT_EQ(rule("{ claim: a, in: [x, yes] }"),
            ".in[1]: 'yes' is a text or a switch; write true or false, or put the text in quotes");
  EXPECT_EQ(rule("{ claim: a, equals: 007 }"),
            ".equals: '007' is a text or a number; write the number as JSON does, or put the text in quotes");
  EXPECT_EQ(rule("{ claim: a, equals: ~ }"), ".equals: has no value; give it one or take the key out");
  EXPECT_EQ(rule("{ claim: a, gt: \"${SECRET}\" }"), ".gt: '${SECRET}' is not a number");
}

TEST(RateErrors, RatesAndTheirNames) {
  EXPECT_EQ(after("rates: { a: { requests: 10 } }"),
            ":4: rates.a.requests: '10' is not a rate; write 100/s, 10/m, 1000/h or 5/10s");
  EXPECT_EQ(after("rates: { a: { burst: 10 } }"), ":4: rates.a.requests: is missing");
  EXPECT_EQ(after("rates: { a: { requests: 1/s, burst: 0 } }"),
            ":4: rates.a.burst: '0' is out of bounds: 1 to 1000000000");
  EXPECT_EQ(after("rates: { a: { requests: 1/s, per: [route, route] } }"),
            ":4: rates.a.per: names one thing twice");
  EXPECT_EQ(after("rates: { a: { requests: 1/s, per: ip } }"),
            ":4: rates.a.per[0]: 'ip' is none of: address, principal, route");
  EXPECT_EQ(after("rates: { a: { requests: 1/s, shared: on } }"), ":4: rates.a.shared: needs 'redis'");
  EXPECT_EQ(after("limits: { rates: all }"), ":4: limits.rates: there is no rate limit 'all'");
  EXPECT_EQ(route("rates: al"), ":4: routes[0].rates: there is no rate limit 'al', did you mean 'all'?");
  EXPECT_EQ(route("rates: [all, all]"), ":4: routes[0].rates: names 'all' twice");
}

TEST(RateErrors, NoMoreThanFourForARoute) {
  EXPECT_EQ(route("identity: a, rates: [all, each, c, d]"), "");
  EXPECT_EQ(route("identity: a, rates: [all, each, c, d, e]"),
            ":4: routes[0].rates: are 5 with those of 'limits'; 4 may hold for one route");
  const std::string five =
      "rates: { a: { requests: 1/s }, b: { requests: 1/s }, c: { requests: 1/s }, d: { requests: 1/s }, e: { "
      "requests: 1/s } }\n";
  EXPECT_EQ(after(five + "limits: { rates: [a, b, c, d] }"), "");
  EXPECT_EQ(after(five + "limits: { rates: [a, b, c, d, e] }"),
            ":5: limits.rates: are 5; 4 may hold for one route");
  EXPECT_EQ(error_of("listen: 0.0.0.0:1\norigins: { o: { type: dir, path: p } }\n" + five +
                     "limits: { rates: [a, b] }\nroutes:\n  - { path: /, origin: o }\n  - { path: /a, "
                     "origin: o, rates: [c, d, e] }\n"),
            ":7: routes[1].rates: are 5 with those of 'limits'; 4 may hold for one route");
  EXPECT_EQ(error_of("listen: 0.0.0.0:1\norigins: { o: { type: dir, path: p } }\n" + five +
                     "limits: { rates: [a, b] }\nroutes: { path: /, origin: o, rates: b }\n"),
            ":5: routes[0].rates: names 'b', which holds for every route already");
}

TEST(RateErrors, PrincipalsComeFromAnIdentity) {
  EXPECT_EQ(route("rates: each"),
            ":4: routes[0].rates: names 'each', which counts by principal and needs 'identity'");
  EXPECT_EQ(route("identity: a, rates: each"), "");
  EXPECT_EQ(
      after("rates: { each: { requests: 1/s, per: [address, principal] } }\nlimits: { rates: each }"),
      ":5: limits.rates: names 'each', which counts by principal, but the route in line 3 has no 'identity'");
}

TEST(LimitErrors, BoundsOfTheRest) {
  EXPECT_EQ(after("limits: { failures: none }"),
            ":4: limits.failures: 'none' is not a rate; write 100/s, 10/m, 1000/h or 5/10s");
  EXPECT_EQ(after("limits: { ipv6_prefix: 129 }"),
            ":4: limits.ipv6_prefix: '129' is out of bounds: 32 to 128");
  EXPECT_EQ(after("limits: { headers: none }"), ":4: limits.headers: 'none' is none of: both, standard, off");
  EXPECT_EQ(route("concurrency: 0"), ":4: routes[0].concurrency: '0' is out of bounds: 1 to 10000000");
  EXPECT_EQ(route("concurrency: { queue: 5 }"), ":4: routes[0].concurrency.max: is missing");
  EXPECT_EQ(after("listen2: x"), ":4: listen2: unknown key, did you mean 'listen'?");
  EXPECT_EQ(error_of("listen: 0.0.0.0:1\nroutes: { path: /, origin: o }\norigins: { o: { type: dir, path: p, "
                     "concurency: 5 } }"),
            ":3: origins.o.concurency: unknown key, did you mean 'concurrency'?");
  EXPECT_EQ(error_of("listen: 0.0.0.0:1\nroutes: { path: /, origin: o }\norigins: { o: { type: dir, path: p, "
                     "concurrency: { max: 1, max: 2 } } }"),
            ":3: origins.o.concurrency.max: is given twice, first in line 3");
}

TEST(ListenErrors, ProxyProtocolNeedsSomebodyToTrust) {
  const std::string rest = "\norigins: { site: { type: dir, path: p } }\nroutes: { path: /, origin: site }\n";
  EXPECT_EQ(error_of("listen: [ '0.0.0.0:1', { address: '0.0.0.0:443', proxy_protocol: on } ]" + rest),
            ":1: listen[1].proxy_protocol: needs 'trusted_proxies', whose connections it is believed of");
  EXPECT_EQ(error_of("listen: { address: '0.0.0.0:443', proxy_protocol: on }\ntrusted_proxies: []" + rest),
            ":1: listen[0].proxy_protocol: needs 'trusted_proxies', whose connections it is believed of");
  EXPECT_EQ(
      error_of("listen: { address: '0.0.0.0:443', proxy_protocol: on }\ntrusted_proxies: 10.0.0.0/8" + rest),
      "");
}

TEST(AuditErrors, WhatGoesWithWhat) {
  EXPECT_EQ(after("audit: { requests: all }"), ":4: audit.output: is missing");
  EXPECT_EQ(after("audit: { output: stdout, rotate: { size: 1MiB } }"),
            ":4: audit.rotate: needs a file as 'output'");
  EXPECT_EQ(after("audit: { output: a.log, rotate: { keep: 3 } }"),
            ":4: audit.rotate: needs 'size' or 'every'");
  EXPECT_EQ(after("audit: { output: a.log, syslog: /dev/log }"), ":4: audit.syslog: needs 'output: syslog'");
  EXPECT_EQ(
      after("audit: { output: syslog, syslog: { address: log } }"),
      ":4: audit.syslog.address: 'log' is neither the path of a socket, such as /dev/log, nor host:port");
  EXPECT_EQ(after("audit: { output: a.log, when_full: wait }"),
            ":4: audit.when_full: 'wait' is none of: drop, block");
  EXPECT_EQ(after("audit: { output: off, rotate: { size: 1MiB } }"),
            ":4: audit.rotate: needs a file as 'output'");
}

TEST(RedisErrors, ShowNoPassword) {
  EXPECT_EQ(after("redis: 'http://:hunter2@a'"),
            ":4: redis: must be a URL that begins with redis:// or rediss://");
  EXPECT_EQ(after("redis: 'redis://hunter2@a'"),
            ":4: redis: has a user without a password; write :password@ or user:password@");
  EXPECT_EQ(after("redis: 'redis://:@a'"),
            ":4: redis: has a user or a password that is empty or not percent-encoded");
  EXPECT_EQ(after("redis: 'redis://:hunter2/@a'"),
            ":4: redis: has a user or a password that is empty or not percent-encoded");
  EXPECT_EQ(after("redis: 'redis://:hunter2@a:0'"), ":4: redis: has a port that is not 1 to 65535");
  EXPECT_EQ(after("redis: 'redis://:hunter2@a/x'"),
            ":4: redis: has a path that is not the number of a database, 0 to 65535");
  EXPECT_EQ(after("redis: { url: 'redis://:hunter2@a?x=1' }"),
            ":4: redis.url: must have no query and no fragment");
  EXPECT_EQ(after("redis: { url: 'redis://:hunter2@a', password: hunter2 }"),
            ":4: redis.password: stands in the url, too; give it once");
  EXPECT_EQ(after("redis: { password: hunter2, url: 'redis://u:hunter2@a', user: v }"),
            ":4: redis.user: stands in the url, too; give it once");
  EXPECT_EQ(after("redis: { url: 'redis://a/1', database: 1 }"),
            ":4: redis.database: stands in the url, too; give it once");
  EXPECT_EQ(after("redis: { url: 'redis://a', user: v }"), ":4: redis.user: needs 'password'");
  EXPECT_EQ(after("redis: { url: 'redis://a', tls: { verify: false } }"),
            ":4: redis.tls: needs a url with rediss://");
  EXPECT_EQ(after("redis: { password: [hunter2], url: 'redis://a' }"),
            ":4: redis.password: must be a single value, not a list");
  EXPECT_EQ(after("redis: { prefix: x }"), ":4: redis.url: is missing");
}

}  // namespace
}  // namespace config
