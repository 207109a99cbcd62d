// The texts of errors: what an operator reads, so they are pinned.
#include <gtest/gtest.h>

#include "config/testing.h"

namespace config {
namespace {

// Three good lines, then `text` from line 4 on.
std::string after(const std::string& text) {
  return error_of(
      "listen: 0.0.0.0:8080\n"
      "origins: { site: { type: dir, path: p }, api: { type: http, url: 'http://a' } }\n"
      "routes: { path: /, origin: site }\n" +
      text);
}
std::string route(const std::string& text) {
  return error_of(
      "listen: 0.0.0.0:8080\n"
      "origins: { site: { type: dir, path: p }, api: { type: http, url: 'http://a' } }\n"
      "identities: { staff: { type: jwt, algorithms: ES256, keys: { inline: x } } }\n"
      "routes:\n" +
      text);
}
std::string origin(const std::string& text) {
  return error_of("listen: 0.0.0.0:8080\nroutes: { path: /, origin: o }\norigins:\n  o: " + text);
}
std::string jwt(const std::string& text) {
  return after("identities: { i: { type: jwt, " + text + " } }");
}

TEST(ConfigErrors, NameTheNearestKey) {
  EXPECT_EQ(after("timeout: { header: 1s }"), ":4: timeout: unknown key, did you mean 'timeouts'?");
  EXPECT_EQ(after("timeouts: { haeder: 1s }"), ":4: timeouts.haeder: unknown key, did you mean 'header'?");
  EXPECT_EQ(origin("{ type: http, url: 'http://a', timeouts: { firstbyte: 1s } }"),
            ":4: origins.o.timeouts.firstbyte: unknown key, did you mean 'first_byte'?");
  EXPECT_EQ(after("grafana: on"), ":4: grafana: unknown key");
  EXPECT_EQ(after("<<: { workers: 1 }"), ":4: <<: unknown key");
}

TEST(ConfigErrors, TellWhatDoesNotWorkYet) {
  EXPECT_EQ(error_of("listen:\n  - address: 0.0.0.0:443\n    tls: {}\n"),
            ":3: listen[0].tls: is not supported yet: let a proxy in front speak it, and name that in "
            "'trusted_proxies'");
  EXPECT_EQ(error_of("listen: { address: '0.0.0.0:443', http2: on }\n"),
            ":1: listen[0].http2: is not supported yet");
}

TEST(ConfigErrors, WantRoomForAnObjectBesideTheCache) {
  const std::string cache = "cache: { memory: { size: 64MiB, max_object: 16MiB } }\n";
  EXPECT_EQ(after(cache + "memory: { max: 79MiB }"),
            ":5: memory.max: 79MiB leaves no room beside 'cache.memory.size': 64MiB and an object of "
            "'cache.memory.max_object' need 80MiB");
  EXPECT_EQ(after(cache + "memory: 1MiB").substr(0, 15), ":5: memory.max:");
}

TEST(ConfigErrors, ReadAheadOnlyWhatAnOriginTakes) {
  EXPECT_EQ(route("  - { path: /, origin: site, read_ahead: 1KiB }"),
            ":5: routes[0].read_ahead: needs an origin of type http; others take no body");
}

TEST(ConfigErrors, RefuseRepetition) {
  EXPECT_EQ(after("workers: 1\nworkers: 2"), ":5: workers: is given twice, first in line 4");
  EXPECT_EQ(after("log: { level: info, level: warn }"), ":4: log.level: is given twice, first in line 4");
  EXPECT_EQ(
      error_of("listen: 0.0.0.0:1\norigins:\n  a: { type: dir, path: p }\n  a: { type: dir, path: q }\n"),
      ":4: origins.a: is given twice, first in line 3");
  EXPECT_EQ(error_of("listen: ['0.0.0.0:1', '0.0.0.0:1']\norigins: { a: { type: dir, path: p } }\nroutes: { "
                     "path: /, origin: a }"),
            ":1: listen: 0.0.0.0:1 is given twice");
  EXPECT_EQ(after("admin: { listen: '0.0.0.0:8080' }"),
            ":4: admin.listen: is also an address of the top-level 'listen'");
  EXPECT_EQ(route("  - { path: /a, origin: site }\n  - { path: /a/, origin: api, identity: staff }"),
            ":6: routes[1].path: '/a/' is also the path of the route in line 5");
}

TEST(ConfigErrors, NameWhatIsMissing) {
  EXPECT_EQ(error_of(""), ":1: listen: is missing (and 1 more: sekisho check)");
  EXPECT_EQ(error_of("listen: 0.0.0.0:1"), ":1: routes: is missing");
  EXPECT_EQ(error_of("listen: []"), ":1: listen: is an empty list");
  EXPECT_EQ(error_of("listen:"), ":1: listen: has no value; give it one or take the key out");
  EXPECT_EQ(error_of("listen: 0.0.0.0:1\nroutes: []"), ":2: routes: is an empty list");
  EXPECT_EQ(route("  - { path: / }"), ":5: routes[0]: needs one of: origin, app");
  EXPECT_EQ(route("  - { origin: site }"), ":5: routes[0].path: is missing");
  EXPECT_EQ(after("cache:"), ":4: cache: has no value; give it one or take the key out");
  EXPECT_EQ(origin("{ type: s3 }"), ":4: origins.o.bucket: is missing");
  EXPECT_EQ(origin("{ type: http }"), ":4: origins.o.url: is missing");
  EXPECT_EQ(origin("{ path: p }"), ":4: origins.o.type: is missing; one of: dir, s3, http");
  EXPECT_EQ(jwt("algorithms: ES256"), ":4: identities.i.keys: is missing, and so are 'jwks' and 'discovery'");
  EXPECT_EQ(jwt("algorithms: ES256, keys: []"), ":4: identities.i.keys: is an empty list");
  EXPECT_EQ(jwt("algorithms: [], keys: { inline: x }"), ":4: identities.i.algorithms: is an empty list");
  EXPECT_EQ(jwt("keys: { inline: x }"), ":4: identities.i.algorithms: is missing");
  EXPECT_EQ(jwt("algorithms: ES256, keys: { inline: x }, audience: []"),
            ":4: identities.i.audience: is an empty list");
  EXPECT_EQ(jwt("algorithms: ES256, keys: { inline: x }, issuer: '${EMPTY}'"),
            ":4: identities.i.issuer: '${EMPTY}' is empty");
}

// Rules that compare parts read only parts that are there.
TEST(ConfigErrors, BesideAMisspeltKeyAreNoPartsThatAreMissing) {
  EXPECT_EQ(error_of("require: []"), ":1: require: unknown key");
  EXPECT_EQ(error_of("listn: 127.0.0.1:0\nmemory: { max: 1m }"),
            ":1: listn: unknown key, did you mean 'listen'? (and 1 more: sekisho check)");
}

TEST(ConfigErrors, TellTypesApart) {
  EXPECT_EQ(after("workers: many"), ":4: workers: 'many' is not a whole number");
  EXPECT_EQ(after("workers: -1"), ":4: workers: '-1' is not a whole number");
  EXPECT_EQ(after("workers: [1]"), ":4: workers: must be a single value, not a list");
  EXPECT_EQ(after("timeouts: 10s"),
            ":4: timeouts: must be a map of keys, not a single value; write { header: … }");
  EXPECT_EQ(after("timeouts: { idle: 10 }"),
            ":4: timeouts.idle: '10' is not a duration; write 500ms, 10s, 3m30s, 1h or 1d");
  EXPECT_EQ(after("limits: { body: 1gb }"),
            ":4: limits.body: '1gb' is not a size; write 512, 64KB, 16KiB, 16MiB or 1GiB");
  EXPECT_EQ(after("log: { access: no }"), ":4: log.access: 'no' is neither true (on) nor false (off)");
  EXPECT_EQ(after("log: { level: warning }"),
            ":4: log.level: 'warning' is none of: trace, debug, info, warn, error, did you mean 'warn'?");
  EXPECT_EQ(after("trusted_proxies: [10.0.0.0/8, 10.1.0.0/8]"),
            ":4: trusted_proxies[1]: '10.1.0.0/8' has bits beyond its prefix; that network is 10.0.0.0/8");
  EXPECT_EQ(error_of("listen: localhost:8080"),
            ":1: listen[0]: 'localhost:8080' names a host; write the address, 127.0.0.1:8080");
  EXPECT_EQ(error_of("- listen"), ":1: must be a map of keys, not a list");
  EXPECT_EQ(origin("{ type: S3, bucket: b }"),
            ":4: origins.o.type: 'S3' is none of: dir, s3, http, did you mean 's3'?");
  EXPECT_EQ(jwt("algorithms: [HS265], keys: { inline: x }"),
            ":4: identities.i.algorithms[0]: 'HS265' is none of: HS256, HS384, HS512, RS256, RS384, RS512, "
            "PS256, PS384, PS512, ES256, ES384, EdDSA, did you mean 'HS256'?");
}

TEST(ConfigErrors, TellTheBounds) {
  EXPECT_EQ(after("timeouts: { header: 2h }"), ":4: timeouts.header: '2h' is out of bounds: 1ms to 1h");
  EXPECT_EQ(after("timeouts: { header: 0s }"), ":4: timeouts.header: '0s' is out of bounds: 1ms to 1h");
  EXPECT_EQ(after("limits: { fields: 129 }"), ":4: limits.fields: '129' is out of bounds: 1 to 128");
  EXPECT_EQ(after("limits: { head: 1MiB }"), ":4: limits.head: '1MiB' is out of bounds: 1KiB to 32KiB");
}

TEST(ConfigErrors, NameTheNearestOriginAndIdentity) {
  EXPECT_EQ(route("  - { path: /, origin: sit }"),
            ":5: routes[0].origin: there is no origin 'sit', did you mean 'site'?");
  EXPECT_EQ(route("  - { path: /, app: sit }\napps: { site: { type: status }, other: { type: status } }"),
            ":5: routes[0].app: there is no app 'sit', did you mean 'site'?");
  EXPECT_EQ(route("  - { path: /, app: site }\napps: { site: { type: stat } }"),
            ":6: apps.site.type: 'stat' is none of: status, did you mean 'status'?");
  EXPECT_EQ(route("  - { path: /, origin: site, app: site }\napps: { site: { type: status } }"),
            ":5: routes[0].app: stands beside 'origin'; give one of them");
  EXPECT_EQ(route("  - { path: /, origin: site, identity: stuff }"),
            ":5: routes[0].identity: there is no identity 'stuff', did you mean 'staff'?");
  EXPECT_EQ(route("  - path: /\n    identity: other\n    origin: site"),
            ":6: routes[0].identity: there is no identity 'other'");
}

TEST(ConfigErrors, RefuseRoutesThatCannotMatch) {
  EXPECT_EQ(route("  - { path: a, origin: site }"), ":5: routes[0].path: 'a' must begin with '/'");
  EXPECT_EQ(route("  - { path: /../a, origin: site }"), ":5: routes[0].path: '/../a' holds a dot segment");
  EXPECT_EQ(route("  - { path: /a//b, origin: site }"), ":5: routes[0].path: '/a//b' holds '//'");
  EXPECT_EQ(route("  - { path: '/a?b', origin: site }"),
            ":5: routes[0].path: '/a?b' holds '?': a path ends before it, and it is no pattern");
  EXPECT_EQ(route("  - { path: '/a#b', origin: site }"),
            ":5: routes[0].path: '/a#b' holds '#'; a path ends before it");
  EXPECT_EQ(route("  - { path: /a%20b, origin: site }"),
            ":5: routes[0].path: '/a%20b' holds '%': write the character itself, not its encoding");
  EXPECT_EQ(route("  - { path: '/a/..;x/b', origin: site }"),
            ":5: routes[0].path: '/a/..;x/b' holds a dot segment");
  EXPECT_EQ(route("  - { path: '/a;b', origin: site, path_parameters: refuse }"),
            ":5: routes[0].path: holds ';', which 'path_parameters' refuses; no request can match it");
  EXPECT_EQ(route("  - { path: /abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789abcdef, "
                  "origin: site }\n"
                  "limits: { target: 64 }"),
            ":5: routes[0].path: is longer than 'limits.target'; no request can match it");
}

TEST(ConfigErrors, RefuseRoutesThatAreMeantAsPatterns) {
  const auto refused = [](const std::string& path, char sign) {
    EXPECT_EQ(route("  - { path: '" + path + "', origin: site }"),
              ":5: routes[0].path: '" + path + "' holds '" + sign +
                  "': a path is no pattern but a prefix, which everything beneath it has");
  };
  EXPECT_EQ(
      route("  - { path: /a/*, origin: site }"),
      ":5: routes[0].path: '/a/*' ends with '*'; a path holds for all beneath it, so leave the '*' out");
  refused("/a/**/b", '*');
  refused("/a/{id}", '{');
  refused("/a/:id/b", ':');
  refused("/a/<id>", '<');
  refused("/^a", '^');
  refused("/a$", '$');
  refused("/a.+", '+');
  refused("/(a|b)", '|');
  refused("/a/[0-9]", '[');
  for (const char* path :
       {"/$metadata", "/c++/x", "/~me", "/a:b", "/Products(1)/", "/a b", "/a;b", "/a$b", "/@x", "/ü"})
    EXPECT_EQ(route("  - { path: '" + std::string(path) + "', origin: site }"), "") << path;
}

TEST(ConfigErrors, RefuseMethodsThatNoRequestHas) {
  EXPECT_EQ(route("  - { path: /, origin: api, methods: [GET, post] }"),
            ":5: routes[0].methods[1]: 'post' is not POST: the names of methods are in capitals");
  EXPECT_EQ(route("  - { path: /, origin: api, methods: TRACE }"),
            ":5: routes[0].methods[0]: 'TRACE' is never let through");
  EXPECT_EQ(route("  - { path: /, origin: api, methods: 'G T' }"),
            ":5: routes[0].methods[0]: 'G T' is not a method");
  EXPECT_EQ(route("  - { path: /, origin: api, methods: 'GET, POST' }"),
            ":5: routes[0].methods[0]: 'GET, POST' is not a method; several are a list: [GET, POST]");
  EXPECT_EQ(route("  - { path: /, origin: site, methods: [GET, PUT] }"),
            ":5: routes[0].methods: names 'PUT'; this origin takes GET and HEAD");
  EXPECT_EQ(route("  - { path: /, origin: api, methods: [GET, QUERY, PROPFIND] }"), "");
}

TEST(ConfigErrors, RefuseToForwardACredentialToWhoSignsForItself) {
  EXPECT_EQ(route("  - { path: /, origin: site, identity: staff, forward_authorization: true }"),
            ":5: routes[0].forward_authorization: needs an origin of type http; others take no credential of "
            "a caller");
}

TEST(ConfigErrors, RefuseHalfACredential) {
  EXPECT_EQ(origin("{ type: s3, bucket: b, access_key_id: A }"),
            ":4: origins.o.access_key_id: needs 'secret_access_key'");
  EXPECT_EQ(origin("{ type: s3, bucket: b, secret_access_key: s }"),
            ":4: origins.o.secret_access_key: needs 'access_key_id'");
  EXPECT_EQ(origin("{ type: s3, bucket: b, session_token: s }"),
            ":4: origins.o.session_token: needs 'access_key_id' and 'secret_access_key'");
  EXPECT_EQ(origin("{ type: s3, bucket: b, access_key_id: '${EMPTY}', secret_access_key: s }"),
            ":4: origins.o.access_key_id: '${EMPTY}' is empty");
  EXPECT_EQ(origin("{ type: s3, bucket: b, credentials: env, access_key_id: A }"),
            ":4: origins.o.credentials: the environment gives no AWS_ACCESS_KEY_ID");
  EXPECT_EQ(origin("{ type: s3, bucket: b, credentials: { source: env, file: f } }"),
            ":4: origins.o.credentials.file: stands beside 'source'; give one of them");
  EXPECT_EQ(origin("{ type: s3, bucket: b, credentials: { profile: p } }"),
            ":4: origins.o.credentials: needs one of: source, file");
  EXPECT_EQ(origin("{ type: s3, bucket: b, endpoint: 'http://a/b' }"),
            ":4: origins.o.endpoint: must have no path; a prefix of keys is 'prefix'");
}

TEST(ConfigErrors, WantExactlyOneKeyAndOnePlaceForATokenEach) {
  EXPECT_EQ(jwt("algorithms: ES256, keys: { kid: a }"),
            ":4: identities.i.keys[0]: needs one of: file, env, inline");
  EXPECT_EQ(jwt("algorithms: ES256, keys: { inline: a, env: B }"),
            ":4: identities.i.keys[0].inline: stands beside 'env'; give one of them");
  EXPECT_EQ(
      jwt("algorithms: ES256, keys: { file: nowhere.pem }"),
      ":4: identities.i.keys[0].file: the file 'nowhere.pem' cannot be read: No such file or directory");
  EXPECT_EQ(jwt("algorithms: ES256, keys: { env: NONE }"),
            ":4: identities.i.keys[0].env: the environment variable NONE is not set, or empty");
  EXPECT_EQ(jwt("algorithms: [HS256, HS512, ES256], keys: { inline: a }"),
            ":4: identities.i.keys[0]: needs 'algorithm', as the identity lists several HS algorithms");
  EXPECT_EQ(jwt("algorithms: [RS256, ES256], keys: { inline: a }"),
            ":4: identities.i.keys[0]: is neither PEM nor a JWK, and the identity lists no HS algorithm");
  EXPECT_EQ(jwt("algorithms: ES256, keys: [ { inline: a, algorithm: HS256 } ]"),
            ":4: identities.i.keys[0].algorithm: is not among the identity's 'algorithms'");
  EXPECT_EQ(jwt("algorithms: ES256, keys: [ { inline: a, kid: k }, { inline: b, kid: k } ]"),
            ":4: identities.i.keys[1].kid: is also the kid of the key in line 4");
  EXPECT_EQ(jwt("algorithms: ES256, keys: { inline: a }, from: [ bearer, {} ]"),
            ":4: identities.i.from[1]: needs one of: scheme, header, query, cookie");
  EXPECT_EQ(jwt("algorithms: ES256, keys: { inline: a }, from: { query: t, prefix: p }"),
            ":4: identities.i.from[0].prefix: needs 'header'");
  EXPECT_EQ(jwt("algorithms: ES256, keys: { inline: a }, from: cookie"),
            ":4: identities.i.from[0]: 'cookie' is none of: bearer");
}

TEST(ConfigErrors, ShowNoSecretAndNoVariablesValue) {
  EXPECT_EQ(origin("{ type: s3, bucket: b, access_key_id: A, secret_access_key: 'hunter2 hunter2' }"),
            ":4: origins.o.secret_access_key: holds a space, a control byte or a byte beyond ASCII");
  EXPECT_EQ(after("workers: ${SECRET}"), ":4: workers: '${SECRET}' is not a whole number");
  EXPECT_EQ(origin("{ type: http, url: 'http://me:hunter2@a' }"),
            ":4: origins.o.url: must have no user or password; use a header or the origin's own keys");
  EXPECT_EQ(jwt("algorithms: HS256, keys: { inline: hunter2, encoding: hex }"),
            ":4: identities.i.keys[0].inline: is not hexadecimal");
  EXPECT_EQ(jwt("algorithms: HS256, keys: { inline: [hunter2] }"),
            ":4: identities.i.keys[0].inline: must be a single value, not a list");
}

TEST(ConfigErrors, NameTheVariableThatIsMissing) {
  EXPECT_EQ(after("workers: ${WORKERS}"),
            ":4: workers: the environment variable WORKERS is not set, and ${WORKERS} gives no default");
  EXPECT_EQ(after("workers: ${WORKERS:-2}"), "");
}

TEST(ConfigErrors, TurnYamlsOwnIntoOneLine) {
  EXPECT_EQ(error_of("listen: [\n"), ":1: is not valid YAML: is this [ never closed?");
  EXPECT_EQ(error_of("a: b: c\n"), ":1: is not valid YAML: a value that holds ': ' needs quotes");
  EXPECT_EQ(error_of("listen: \"x\n"), ":1: is not valid YAML: is this \" never closed?");
  EXPECT_EQ(after("---\nlisten: x"), ":5: one document only, but here a second begins");
  EXPECT_EQ(after("workers: !!int 1"), ":4: YAML tags are not supported");
  EXPECT_EQ(after("? [a]\n: b"), ":4: a key must be plain text");
  EXPECT_EQ(after("\"a\\nb\": 1"), ":4: a?b: unknown key");
}

TEST(ConfigErrors, StopBombs) {
  EXPECT_EQ(error_of(std::string(100, '[')), ":1: is nested too deeply");
  std::string bomb = "a: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ",*a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_TRUE(error_of(bomb).ends_with(": is too large, or its aliases make it so"));
  EXPECT_EQ(error_of("a: &a [*a]"), ":1: an alias stands inside its own anchor");
}

}  // namespace
}  // namespace config
