#include "config/keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/error.h"
#include "config/rows.h"
#include "config/rules.h"
#include "config/tables.h"

namespace config {
namespace rows {

template <>
struct WordsOf<PathParameters> {
  static constexpr std::string_view kNames[] = {"guard", "allow", "refuse"};
};

std::string none_of(std::string_view text, std::span<const std::string_view> words) {
  return fmt::format("is none of: {}{}", fmt::join(words, ", "), did_you_mean(text, words));
}

// In the order of the enumeration.
template <>
struct WordsOf<ClientNoCache> {
  static constexpr std::string_view kNames[] = {"limited", "ignore", "always"};
};

}  // namespace rows

namespace {

using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of this one table
using namespace std::chrono_literals;

// ---- routes

constexpr Row kRouteCacheRows[] = {
    toggle<&RouteCache::enabled>("enabled", "true", kLive, "Whether replies of this route may be cached."),
    duration<&RouteCache::ttl>("ttl", "", {0ms, 365 * 24h}, kLive,
                               "How long a reply is fresh where the origin does not say."),
    rows::text<&RouteCache::ignore_cookies, HeaderName>(
        "ignore_cookies", "[]", kLive,
        "Cookies that do not count: `_ga`, or `_g*` for all that begin so. A request with any other cookie "
        "bypasses the cache of an http origin, as its answer may be for that caller alone; one with none but "
        "these does not, and what is fetched for the cache is asked for without them."),
    word<&RouteCache::client_no_cache>(
        "client_no_cache", "limited", kLive,
        "What a client's `no-cache`, `max-age`, `min-fresh` or `Pragma: no-cache` does where what is kept is "
        "fresh but not what it asks for. `limited`: the origin is asked again, of one object four times at "
        "once "
        "and then once in ten seconds, whoever asks; beyond that what is kept is given. `ignore`: that is "
        "always "
        "given. `always`: the origin is asked each time."),
    toggle<&RouteCache::shared>(
        "public", "false", kLive,
        "On a route with `identity`: leave the origin's Cache-Control as it is, so that caches in front may "
        "share its replies. Without it they go out as `private`."),
};
constexpr Section kRouteCache =
    table<RouteCache>({"route_cache", "", "Caching on one route.", "enabled"}, kRouteCacheRows,
                      checked<RouteCache, rules::check_route_cache>);

constexpr Row kRouteRows[] = {
    rows::text<&Route::path, RoutePath>(
        "path", kRequired, kLive,
        "The prefix, matched at segment boundaries; the longest wins. It is taken off before the origin. No "
        "pattern, and not encoded; however a request spells it, it matches."),
    rows::text<&Route::origin, Name>("origin", "", kLive, "The name of an origin. This or `app`."),
    rows::text<&Route::app, Name>("app", "", kLive, "The name of an app. This or `origin`."),
    rows::text<&Route::identity, Name>("identity", "", kLive,
                                       "The identities that callers may have, chosen by the issuer of their "
                                       "token. Without it the route is open."),
    drafts<Route, ClaimRule, kClaimRule, rules::place_require<Route>>(
        "require", "", kLive,
        "What must hold for the token's claims, all of it, else 403. Needs `identity`."),
    rows::text<&Route::rates, Name>("rates", "[]", kLive,
                                    "The names of `rates` that hold here, beside those of `limits`."),
    draft<Route, Concurrency, kConcurrency, rules::place_concurrency<Route>>(
        "concurrency", "", kLive,
        "How many requests of this route may be under way at a time in this process."),
    rows::text<&Route::methods, MethodName>("methods", "[]", kLive,
                                            "The methods that are let through, else 405. Without it all that "
                                            "the origin takes: an `http` origin any "
                                            "but CONNECT and TRACE."),
    word<&Route::path_parameters>(
        "path_parameters", "guard", kLive,
        "What becomes of a `;` in a path, in either spelling. `guard`: 400 where an http origin that takes "
        "`;parameters` off would see a path of another route, with an identity, methods or limits of its "
        "own. "
        "`allow`, or `refuse`: 400."),
    duration<&Route::deadline>("deadline", "0s", {0ms, 24h}, kLive,
                               "How long a request and its reply may take together: then 504, or the reply "
                               "is cut. Of an event stream "
                               "or an upgrade only what comes before it. 0s: as long as it takes."),
    toggle<&Route::forward_authorization>(
        "forward_authorization", "false", kLive,
        "Pass Authorization on to an http origin, and the credential that `identity` consumed, unless that "
        "came in the query. Such requests bypass the cache."),
    rows::text<&Route::forward_credentials, Name>(
        "forward_credentials", "[]", kLive,
        "The identities whose credentials an http origin may have, and whose cookies it may set: those of a "
        "login page, say. A route hides what any identity takes, be it its own or not, unless it is named "
        "here. Such a route bypasses the cache."),
    rows::text<&Route::forward_fields, HeaderName>(
        "forward_fields", "[]", kLive,
        "Fields of a client that go on to an http origin although they would be dropped: those that steer "
        "some servers past the route (X-Original-URL, X-Forwarded-Prefix, X-HTTP-Method-Override and "
        "others), names with an underscore, a dot or the like, or that end as a person's (-user, -groups), "
        "and, from `trusted_proxies` only, those that say who the caller "
        "is (X-Forwarded-User, X-Real-IP). What is named here is part of the cache's key, and no reason to "
        "bypass it."),
    size<&Route::read_ahead>(
        "read_ahead", "0", {0, 16_MiB}, kLive,
        "How much of a request's body is read before the origin is asked, so that a slow upload keeps no "
        "connection and no place there; a body that fits can be sent again. Needs an http origin."),
    section<&Route::cache, kRouteCache>("cache", "Caching on this route; `off` turns it off."),
};
constexpr Section kRoute =
    table<Route>({"route", "", "Which requests go to which origin or app, and for whom.", ""}, kRouteRows,
                 checked<Route, rules::check_route>);

// ---- the rest

constexpr Row kListenRows[] = {
    address<&Listen::address>("address", kRequired, kRestart,
                              "An IP address and a port; port 0 lets the system choose. `[::]` takes IPv4 as "
                              "well, unless an IPv4 address with the same port stands beside it."),
    toggle<&Listen::proxy_protocol>("proxy_protocol", "false", kRestart,
                                    "Connections begin with a PROXY protocol v2 header, or are closed. It is "
                                    "believed from `trusted_proxies` only."),
    planned("tls"),
    planned("http2"),
};
constexpr Section kListen = table<Listen>({"listen", "", "One listener.", "address"}, kListenRows);

constexpr Row kAdminRows[] = {
    address<&Admin::listen>(
        "listen", "", kRestart,
        "Where /health, /ready, /serving and /metrics are served. Nowhere where absent. Keep it private."),
    file<&Admin::token_file>(
        "token_file", "(admin.token)", kRestart,
        "The file of the bootstrap token. Where it is missing one is made, with mode 0600. It may be a "
        "mounted secret: a link, owned by root, readable by the group; others may not read it, and nobody "
        "else write it."),
    rows::text<&Admin::hosts, HostName>(
        "hosts", "[]", kLive,
        "The names by which this listener may be asked, without a port. Literal addresses and `localhost` "
        "always may; any other name is answered 403, so that no web page reaches it by a name of its own."),
    rows::text<&Admin::identity, Name>("identity", "", kLive,
                                       "The identities whose tokens are taken beside the bootstrap token. "
                                       "Needs `require`."),
    drafts<Admin, ClaimRule, kClaimRule, rules::place_require<Admin>>(
        "require", "", kLive,
        "What must hold for the claims of those tokens, all of it, else 403. Needs `identity`."),
};
constexpr Section kAdmin =
    table<Admin>({"admin", "", "The admin listener.", ""}, kAdminRows, checked<Admin, rules::check_admin>);

constexpr Row kTimeoutRows[] = {
    duration<&Timeouts::header>("header", "10s", {1ms, 1h}, kLive,
                                "From the first byte of a request's head to its end, else 408."),
    duration<&Timeouts::idle>("idle", "60s", {1ms, 24h}, kLive,
                              "Between two requests; then the connection is closed."),
    duration<&Timeouts::body>("body", "30s", {1ms, 1h}, kLive,
                              "Between two reads of a request's body, else 408."),
    duration<&Timeouts::write>("write", "30s", {1ms, 1h}, kLive,
                               "Without the client taking a byte; then the connection is closed."),
    duration<&Timeouts::tunnel>(
        "tunnel", "10m", {1ms, 7 * 24h}, kLive,
        "Without a byte either way behind an upgrade (WebSocket); then it is closed."),
};
constexpr Section kTimeouts = table<Timeouts>({"timeouts", "", "What a client may take.", ""}, kTimeoutRows);

constexpr Row kShutdownRows[] = {
    duration<&Shutdown::delay>(
        "delay", "0s", {0ms, 1h}, kLive,
        "How long connections are still accepted while readiness says no, so that balancers notice."),
    duration<&Shutdown::timeout>(
        "timeout", "30s", {0ms, 24h}, kLive,
        "After that, what is still in flight is cut. Logs whose outputs take no lines get 3 s more."),
};
constexpr Section kShutdown = table<Shutdown>({"shutdown", "", "How the process ends.", ""}, kShutdownRows);

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

constexpr Row kHeldRows[] = {
    size<&Memory::max>("max", "(cache.memory.size + cache.fill_budget)", {1_MiB, 16_TiB}, kLive,
                       "Bytes that may be held for clients at a time, by whoever holds them: what is cached, "
                       "what is being fetched, what replies under way keep, bodies read ahead (a quarter at "
                       "the most). Beyond it nothing "
                       "is fetched into the cache, and the slowest readers are cut."),
};
constexpr Section kHeld =
    table<Memory>({"memory_bound", "", "How much memory clients may cause to be held.", "max"}, kHeldRows);

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

constexpr const Section* kOriginKinds[] = {&kDir, &kS3, &kHttp};
constexpr const Section* kAppKinds[] = {&kStatus};
constexpr const Section* kIdentityKinds[] = {&kJwt};

constexpr Row kRootRows[] = {
    listen_row(),
    count<&Config::workers>("workers", "0", {0, 1'024}, kRestart,
                            "Threads that serve. 0: one for each CPU the process may use."),
    networks<&Config::trusted_proxies>(
        "trusted_proxies", "[]", kLive,
        "Networks whose word about the client is believed: Forwarded, X-Forwarded-For and its kin, PROXY "
        "headers, request ids."),
    section<&Config::admin, kAdmin>("admin", "The admin listener."),
    section<&Config::timeouts, kTimeouts>("timeouts", "What a client may take."),
    section<&Config::limits, kLimits>("limits", "How much a client may send, and how often."),
    section<&Config::shutdown, kShutdown>("shutdown", "How the process ends."),
    section<&Config::log, kLog>("log", "The logs."),
    section<&Config::audit, kAudit>("audit", "The audit log. None where absent."),
    section<&Config::cache, kCache>("cache", "The cache."),
    section<&Config::memory, kHeld>("memory", "How much memory clients may cause to be held."),
    section<&Config::redis, kRedis>("redis", "What instances share. None where absent."),
    section<&Config::resolver, kResolver>("resolver", "Who is asked what names mean."),
    named_drafts<Config, RateLimit, kRate, rules::place_rate>(
        "rates", "", kLive,
        "Limits on how often requests may come, by name, for `limits` and routes to name."),
    rows::named<Config, rules::place_origin>("origins", kOriginKinds, "Where objects come from, by name."),
    rows::named<Config, rules::place_app>("apps", kAppKinds, "What the gateway answers itself, by name."),
    rows::named<Config, rules::place_identity>("identities", kIdentityKinds,
                                               "How callers prove who they are, by name."),
    drafts<Config, Route, kRoute, rules::place_route>("routes", kRequired, kLive, "What is served."),
};
constexpr Section kRoot =
    table<Config>({"root", "", "The whole file.", ""}, kRootRows, checked<Config, rules::check_config>);

bool differ(const Row& row, const void* before, const void* after) {
  if (row.print == nullptr) return row.show != nullptr && row.show(before) != row.show(after);
  Print a, b;
  row.print(before, a);
  row.print(after, b);
  return a.bytes() != b.bytes();
}

void compare(const Section& section, const std::string& path, const void* before, const void* after,
             std::vector<std::string>& out) {
  for (const Row& row : section.rows) {
    const std::string here = path + std::string(row.name);
    if (row.part != nullptr)
      compare(*row.sections[0], here + ".", row.part(before), row.part(after), out);
    else if (row.reload == Reload::kRestart && differ(row, before, after))
      out.push_back(here);
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
