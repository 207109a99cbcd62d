#include "config/keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/error.h"
#include "config/rows.h"
#include "config/rules.h"

namespace config {
namespace rows {

// In the order of the enumerations.
template <>
struct WordsOf<LogLevel> {
  static constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error"};
};
template <>
struct WordsOf<S3Style> {
  static constexpr std::string_view kNames[] = {"path", "virtual-host"};
};
template <>
struct WordsOf<Algorithm> {
  static constexpr std::string_view kNames[] = {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512",
                                                "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"};
};
template <>
struct WordsOf<Encoding> {
  static constexpr std::string_view kNames[] = {"text", "base64", "base64url", "hex"};
};
template <>
struct WordsOf<CredentialsSource> {
  static constexpr std::string_view kNames[] = {"env"};
};
template <>
struct WordsOf<Scheme> {
  static constexpr std::string_view kNames[] = {"bearer"};
};

std::string none_of(std::string_view text, std::span<const std::string_view> words) {
  return fmt::format("is none of: {}{}", fmt::join(words, ", "), did_you_mean(text, words));
}

}  // namespace rows

namespace {

using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of this one table
using namespace std::chrono_literals;

// ---- origins

constexpr Row kOriginTimeoutRows[] = {
    duration<&OriginTimeouts::connect>(
        "connect", "2s", {1ms, 10min}, kLive,
        "To look the name up, connect and finish the TLS handshake, else 504."),
    duration<&OriginTimeouts::first_byte>("first_byte", "30s", {1ms, 1h}, kLive,
                                          "From the request sent to the head of the reply, else 504."),
    duration<&OriginTimeouts::idle>("idle", "30s", {1ms, 1h}, kLive, "Between two reads of a reply's body."),
};
constexpr Section kOriginTimeouts =
    table<OriginTimeouts>({"origin_timeouts", "", "What an origin may take.", ""}, kOriginTimeoutRows);

constexpr Row kPoolRows[] = {
    count<&Pool::idle>("idle", "64", {0, 65'536}, kLive, "Idle connections that each worker keeps open."),
    duration<&Pool::idle_timeout>("idle_timeout", "30s", {1ms, 24h}, kLive,
                                  "How long an idle connection is kept; stay below the origin's own limit."),
    duration<&Pool::resolve_every>("resolve_every", "30s", {1s, 24h}, kLive,
                                   "How often the host's name is looked up again."),
};
constexpr Section kPool = table<Pool>({"pool", "", "The connections kept to an origin.", ""}, kPoolRows);

constexpr Row kOriginTlsRows[] = {
    toggle<&OriginTls::verify>("verify", "true", kLive,
                               "Whether the origin's certificate is verified. Turn it off for tests only."),
    file<&OriginTls::ca_file>("ca_file", "", kLive,
                              "PEM file of the authorities to trust instead of the system's."),
    rows::text<&OriginTls::server_name, HostName>(
        "server_name", "", kLive, "The name to ask for and to verify, where it is not the host."),
};
constexpr Section kOriginTls = table<OriginTls>({"origin_tls", "", "TLS towards an https origin.", ""},
                                                kOriginTlsRows, checked<OriginTls, rules::check_tls>);

constexpr Row kDirRows[] = {
    file<&DirOrigin::path>("path", kRequired, kLive,
                           "The folder whose files are served; nothing outside it is."),
};
constexpr Section kDir = table<DirOrigin>({"dir", "dir", "A folder, served like a bucket.", ""}, kDirRows,
                                          checked<DirOrigin, rules::check_dir>);

constexpr Row kCredentialsRows[] = {
    word<&CredentialsDraft::source>(
        "source", "", kLive,
        "`env`: take them from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where "
        "set, AWS_SESSION_TOKEN."),
    file<&CredentialsDraft::file>("file", "", kLive, "A shared credentials file in the AWS format."),
    rows::text<&CredentialsDraft::profile>("profile", "default", kLive, "The profile in that file."),
};
constexpr Section kCredentials = table<CredentialsDraft>(
    {"credentials", "", "Where S3 credentials are found.", "source"}, kCredentialsRows);

constexpr Row kS3Rows[] = {
    rows::text<&S3Origin::bucket, Bucket>("bucket", kRequired, kLive, "The bucket's name."),
    rows::text<&S3Origin::region, Region>("region", "us-east-1", kLive,
                                          "The region that requests are signed for."),
    url<&S3Origin::endpoint>("endpoint", "(https://s3.<region>.amazonaws.com)", kLive,
                             "Where the service is, without the bucket and without a path."),
    word<&S3Origin::style>("style", "(virtual-host for amazonaws.com, path elsewhere)", kLive,
                           "Whether the bucket stands in the host's name or in the path."),
    rows::text<&S3Origin::prefix, KeyPrefix>("prefix", "", kLive, "Put before every key, e.g. `public/`."),
    rows::text<&S3Origin::access_key_id, AccessKeyId>(
        "access_key_id", "", kLive,
        "With secret_access_key; without these and `credentials`, requests are anonymous."),
    secret<&S3Origin::secret_access_key, SecretText>("secret_access_key", "", kLive,
                                                     "The secret that requests are signed with."),
    secret<&S3Origin::session_token, OptionalSecret>("session_token", "", kLive,
                                                     "With temporary credentials; may be empty."),
    draft<S3Origin, CredentialsDraft, kCredentials, rules::place_credentials>(
        "credentials", "", kLive, "Where to find credentials that are not written here: `env` or a file."),
    section<&S3Origin::timeouts, kOriginTimeouts>("timeouts", "What the origin may take."),
    section<&S3Origin::pool, kPool>("pool", "The connections kept to the origin."),
    section<&S3Origin::tls, kOriginTls>("tls", "TLS towards the origin."),
};
constexpr Section kS3 = table<S3Origin>({"s3", "s3", "A bucket of an S3 service, GET and HEAD.", ""}, kS3Rows,
                                        checked<S3Origin, rules::check_s3>);

constexpr Row kHttpRows[] = {
    url<&HttpOrigin::url>(
        "url", kRequired, kLive,
        "Where requests go: http or https, a host, and maybe a port and a path to put in front."),
    toggle<&HttpOrigin::preserve_host>("preserve_host", "false", kLive,
                                       "Send the client's Host instead of the one in `url`."),
    section<&HttpOrigin::timeouts, kOriginTimeouts>("timeouts", "What the origin may take."),
    section<&HttpOrigin::pool, kPool>("pool", "The connections kept to the origin."),
    section<&HttpOrigin::tls, kOriginTls>("tls", "TLS towards the origin."),
};
constexpr Section kHttp = table<HttpOrigin>(
    {"http", "http", "Another HTTP server: a reverse proxy for all methods.", ""}, kHttpRows);

constexpr const Section* kOriginKinds[] = {&kDir, &kS3, &kHttp};

// ---- identities

constexpr Row kKeyRows[] = {
    file<&KeyDraft::file>("file", "", kLive,
                          "A file with the key; one newline at its end is not part of it."),
    rows::text<&KeyDraft::env>("env", "", kLive, "The name of an environment variable with the key."),
    secret<&KeyDraft::inlined, SecretBytes>("inline", "", kLive, "The key itself, best as \"${VARIABLE}\"."),
    rows::text<&KeyDraft::kid>(
        "kid", "", kLive,
        "Verify only tokens that name this `kid`. Without it the key is tried for any token."),
    word<&KeyDraft::algorithm>("algorithm", "", kLive, "Needed where the identity lists several algorithms."),
    word<&KeyDraft::encoding>("encoding", "text", kLive, "How an HS256 secret is written."),
};
constexpr Section kKey = table<KeyDraft>(
    {"key", "",
     "A verification key: exactly one of `file`, `env` and `inline`. For HS256 the bytes of the secret, for "
     "ES256 a public key in PEM.",
     ""},
    kKeyRows);

constexpr Row kTokenSourceRows[] = {
    word<&TokenSourceDraft::scheme>("scheme", "", kLive,
                                    "`bearer`: the Authorization header's Bearer token."),
    rows::text<&TokenSourceDraft::header, HeaderName>("header", "", kLive, "A header of this name."),
    rows::text<&TokenSourceDraft::prefix>("prefix", "", kLive,
                                          "Taken off that header's value, e.g. \"Token \"."),
    rows::text<&TokenSourceDraft::query, QueryName>(
        "query", "", kLive,
        "A query parameter of this name. It is taken out before origin, cache and log see it."),
};
constexpr Section kTokenSource = table<TokenSourceDraft>(
    {"token_source", "", "Where a token is looked for: `bearer`, a header or a query parameter.", "scheme"},
    kTokenSourceRows);

constexpr Row kJwtRows[] = {
    rows::text<&JwtIdentity::issuer>("issuer", "", kLive, "What `iss` must be. Not checked where absent."),
    rows::text<&JwtIdentity::audience>("audience", "", kLive,
                                       "One of these must be in `aud`. Not checked where absent."),
    word<&JwtIdentity::algorithms>("algorithms", kRequired, kLive, "The only algorithms that are accepted."),
    drafts<JwtIdentity, KeyDraft, kKey, rules::place_key>("keys", kRequired, kLive,
                                                          "The keys that tokens are verified with."),
    drafts<JwtIdentity, TokenSourceDraft, kTokenSource, rules::place_token_source>(
        "from", "bearer", kLive, "Where the token is looked for, in this order."),
    duration<&JwtIdentity::leeway>("leeway", "30s", {0ms, 1h}, kLive,
                                   "Clock difference allowed for exp, nbf and iat."),
    toggle<&JwtIdentity::require_exp>("require_exp", "true", kLive, "Refuse tokens that never expire."),
    size<&JwtIdentity::max_token>("max_token", "8KiB", {64, 64_KiB}, kLive,
                                  "Longer tokens are refused unread."),
};
constexpr Section kJwt = table<JwtIdentity>({"jwt", "jwt", "Signed JSON Web Tokens (RFC 7519).", ""},
                                            kJwtRows, checked<JwtIdentity, rules::check_identity>);

constexpr const Section* kIdentityKinds[] = {&kJwt};

// ---- routes

constexpr Row kRouteCacheRows[] = {
    toggle<&RouteCache::enabled>("enabled", "true", kLive, "Whether replies of this route may be cached."),
    duration<&RouteCache::ttl>("ttl", "", {0ms, 365 * 24h}, kLive,
                               "How long a reply is fresh where the origin does not say."),
};
constexpr Section kRouteCache =
    table<RouteCache>({"route_cache", "", "Caching on one route.", "enabled"}, kRouteCacheRows);

constexpr Row kRouteRows[] = {
    rows::text<&Route::path, RoutePath>(
        "path", kRequired, kLive,
        "The prefix, matched at segment boundaries; the longest wins. It is taken "
        "off before the origin."),
    rows::text<&Route::origin, Name>("origin", kRequired, kLive, "The name of an origin."),
    rows::text<&Route::identity, Name>(
        "identity", "", kLive,
        "The name of an identity that callers must have. Without it the route is open."),
    toggle<&Route::forward_authorization>(
        "forward_authorization", "false", kLive,
        "Pass the credential that `identity` consumed on to an http origin. Such requests bypass the cache."),
    section<&Route::cache, kRouteCache>("cache", "Caching on this route; `off` turns it off."),
};
constexpr Section kRoute =
    table<Route>({"route", "", "Which requests go to which origin, and for whom.", ""}, kRouteRows);

// ---- the rest

constexpr Row kListenRows[] = {
    address<&Listen::address>("address", kRequired, kRestart,
                              "An IP address and a port; port 0 lets the system choose."),
    planned("tls"),
    planned("proxy_protocol"),
    planned("http2"),
};
constexpr Section kListen = table<Listen>({"listen", "", "One listener.", "address"}, kListenRows);

constexpr Row kAdminRows[] = {
    address<&Admin::listen>(
        "listen", "", kRestart,
        "Where /health, /ready and /metrics are served. Nowhere where absent. Keep it private."),
};
constexpr Section kAdmin = table<Admin>({"admin", "", "The admin listener.", ""}, kAdminRows);

constexpr Row kTimeoutRows[] = {
    duration<&Timeouts::header>("header", "10s", {1ms, 1h}, kLive,
                                "From the first byte of a request's head to its end, else 408."),
    duration<&Timeouts::idle>("idle", "60s", {1ms, 24h}, kLive,
                              "Between two requests; then the connection is closed."),
    duration<&Timeouts::body>("body", "30s", {1ms, 1h}, kLive,
                              "Between two reads of a request's body, else 408."),
    duration<&Timeouts::write>("write", "30s", {1ms, 1h}, kLive,
                               "Without the client taking a byte; then the connection is closed."),
};
constexpr Section kTimeouts = table<Timeouts>({"timeouts", "", "What a client may take.", ""}, kTimeoutRows);

constexpr Row kLimitRows[] = {
    size<&Limits::head>("head", "16KiB", {1_KiB, 32_KiB}, kLive, "Bytes of a request's head, else 431."),
    size<&Limits::target>("target", "8KiB", {64, 16_KiB}, kLive, "Bytes of a request's target, else 414."),
    count<&Limits::fields>("fields", "100", {1, 128}, kLive, "Header fields of a request, else 431."),
    size<&Limits::body>("body", "1GiB", {0, 16_TiB}, kLive, "Bytes of a request's body, else 413."),
    count<&Limits::connections>("connections", "0", {0, 10'000'000}, kRestart,
                                "Open client connections, else 503. 0: what the limit on open files allows."),
};
constexpr Section kLimits = table<Limits>({"limits", "", "How much a client may send.", ""}, kLimitRows);

constexpr Row kShutdownRows[] = {
    duration<&Shutdown::delay>(
        "delay", "0s", {0ms, 1h}, kLive,
        "How long connections are still accepted while readiness says no, so that balancers notice."),
    duration<&Shutdown::timeout>("timeout", "30s", {0ms, 24h}, kLive,
                                 "After that, what is still in flight is cut."),
};
constexpr Section kShutdown = table<Shutdown>({"shutdown", "", "How the process ends.", ""}, kShutdownRows);

constexpr Row kAccessRows[] = {
    toggle<&AccessLog::enabled>("enabled", "true", kRestart, "Whether requests are logged."),
    file<&AccessLog::output>("output", "stdout", kRestart, "`stdout`, `stderr` or a file's path."),
};
constexpr Section kAccess =
    table<AccessLog>({"access", "", "The access log: one JSON line a request.", "enabled"}, kAccessRows);

constexpr Row kLogRows[] = {
    word<&Log::level>("level", "info", kLive, "The least level that is written."),
    file<&Log::output>("output", "stderr", kRestart, "`stdout`, `stderr` or a file's path."),
    section<&Log::access, kAccess>("access", "The access log; `off` turns it off."),
};
constexpr Section kLog = table<Log>({"log", "", "The operational log and the access log.", ""}, kLogRows);

constexpr Row kMemoryRows[] = {
    size<&MemoryCache::size>("size", "256MiB", {0, 16_TiB}, kLive,
                             "Bytes of keys, heads and bodies that are kept. 0 turns the cache off."),
    size<&MemoryCache::max_object>("max_object", "16MiB", {0, 16_GiB}, kLive, "Larger objects pass through."),
};
constexpr Section kMemory =
    table<MemoryCache>({"memory", "", "The memory tier of the cache.", ""}, kMemoryRows);

constexpr Row kCacheRows[] = {
    section<&Cache::memory, kMemory>("memory", "The memory tier."),
    size<&Cache::fill_budget>("fill_budget", "256MiB", {1_MiB, 16_TiB}, kLive,
                              "Bytes that all fetches under way may hold together before they are stored."),
    planned("disk"),
    planned("redis"),
};
constexpr Section kCache = table<Cache>({"cache", "", "The cache that all routes share.", ""}, kCacheRows);

consteval Row listen_row() {
  Row row = drafts<Config, Listen, kListen, rules::place_listen>(
      "listen", kRequired, kRestart, "Where clients connect: an address with port, or a list of them.");
  row.show = [](const void* owner) {
    std::string out;
    for (const Listen& each : static_cast<const Config*>(owner)->listen)
      out += AddressText::show(each.address) + (each.proxy_protocol ? " proxy, " : ", ");
    return out;
  };
  return row;
}

constexpr Row kRootRows[] = {
    listen_row(),
    count<&Config::workers>("workers", "0", {0, 1'024}, kRestart,
                            "Threads that serve. 0: one for each CPU the process may use."),
    networks<&Config::trusted_proxies>(
        "trusted_proxies", "[]", kLive,
        "Networks whose forwarding fields (X-Forwarded-For and its kin) and request ids are believed."),
    section<&Config::admin, kAdmin>("admin", "The admin listener."),
    section<&Config::timeouts, kTimeouts>("timeouts", "What a client may take."),
    section<&Config::limits, kLimits>("limits", "How much a client may send."),
    section<&Config::shutdown, kShutdown>("shutdown", "How the process ends."),
    section<&Config::log, kLog>("log", "The logs."),
    section<&Config::cache, kCache>("cache", "The cache."),
    rows::named<Config, rules::place_origin>("origins", kOriginKinds, "Where objects come from, by name."),
    rows::named<Config, rules::place_identity>("identities", kIdentityKinds,
                                               "How callers prove who they are, by name."),
    drafts<Config, Route, kRoute, rules::place_route>("routes", kRequired, kLive, "What is served."),
};
constexpr Section kRoot =
    table<Config>({"root", "", "The whole file.", ""}, kRootRows, checked<Config, rules::check_config>);

void compare(const Section& section, const std::string& path, const void* before, const void* after,
             std::vector<std::string>& out) {
  for (const Row& row : section.rows) {
    const std::string here = path + std::string(row.name);
    if (row.part != nullptr) {
      compare(*row.sections[0], here + ".", row.part(before), row.part(after), out);
    } else if (row.reload == Reload::kRestart && row.show != nullptr && row.show(before) != row.show(after)) {
      out.push_back(here);
    }
  }
}

}  // namespace

const Section& root_section() {
  return kRoot;
}

const Row* Section::find(std::string_view key) const {
  for (const Row& row : rows)
    if (row.name == key) return &row;
  return nullptr;
}

std::string show_bound(Kind kind, std::uint64_t bound) {
  if (kind == Kind::kDuration) return Duration::show(Millis(static_cast<Millis::rep>(bound)));
  return kind == Kind::kSize ? Size::show(bound) : Count::show(bound);
}

std::vector<std::string> changed_but_fixed(const Config& before, const Config& after) {
  std::vector<std::string> out;
  compare(kRoot, "", &before, &after, out);
  return out;
}

}  // namespace config
