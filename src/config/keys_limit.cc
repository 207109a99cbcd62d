#include "config/rate.h"
#include "config/rows.h"
#include "config/rules.h"
#include "config/tables.h"

namespace config {
namespace rows {

// In the order of the enumerations.
template <>
struct WordsOf<RateKey> {
  static constexpr std::string_view kNames[] = {"address", "principal", "route"};
};
template <>
struct WordsOf<RateFields> {
  static constexpr std::string_view kNames[] = {"both", "standard", "off"};
};

}  // namespace rows

using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of these tables
using namespace std::chrono_literals;

constexpr Row kRateRows[] = {
    form<&RateLimit::rate, RateText>("requests", kRequired, kLive,
                                     "How many requests in which time, in the long run."),
    count<&RateLimit::burst>("burst", "(the count of requests)", {1, 1'000'000'000}, kLive,
                             "How many requests may come at once after a pause."),
    word<&RateLimit::per>(
        "per", "[]", kLive,
        "What has a count of its own: each `address`, each `principal`, each `route`, or each "
        "combination of several. Without it all requests share one."),
    toggle<&RateLimit::shared>(
        "shared", "false", kLive,
        "Counted in Redis together with other instances; needs `redis`. While Redis is away "
        "each instance counts for itself."),
};
constexpr Section kRate =
    table<RateLimit>({"rate", "", "A token bucket: how often requests may come, else 429.", ""}, kRateRows,
                     checked<RateLimit, rules::check_rate>);

constexpr Row kConcurrencyRows[] = {
    count<&Concurrency::max>("max", kRequired, {1, 10'000'000}, kLive, "Requests at a time; more wait."),
    count<&Concurrency::queue>("queue", "0", {0, 10'000'000}, kLive,
                               "How many may wait; more get 503 at once."),
    duration<&Concurrency::wait>("wait", "1s", {1ms, 1h}, kLive, "How long a request may wait, else 503."),
};
constexpr Section kConcurrency = table<Concurrency>(
    {"concurrency", "", "How many requests may be under way at a time.", "max"}, kConcurrencyRows);

constexpr Row kFailureRows[] = {
    form<&Failures::rate, RateOrOff>("rate", "10/s", kLive,
                                     "How many failures in which time, in the long run."),
    count<&Failures::burst>("burst", "50", {1, 1'000'000'000}, kLive,
                            "How many failures may come at once after a pause."),
};
constexpr Section kFailures = table<Failures>(
    {"failures", "", "How often tokens from one address may fail to verify.", "rate"}, kFailureRows);

constexpr Row kLimitRows[] = {
    size<&Limits::head>("head", "16KiB", {1_KiB, 32_KiB}, kLive, "Bytes of a request's head, else 431."),
    size<&Limits::target>("target", "8KiB", {64, 16_KiB}, kLive, "Bytes of a request's target, else 414."),
    count<&Limits::fields>("fields", "100", {1, 128}, kLive, "Header fields of a request, else 431."),
    size<&Limits::body>("body", "1GiB", {0, 16_TiB}, kLive, "Bytes of a request's body, else 413."),
    size<&Limits::least_rate>(
        "least_rate", "240", {0, 1_GiB}, kLive,
        "Bytes a second, on the average of a `least_rate_span`, that a client must send of "
        "a body, else 408, and take of a reply, else it is cut. 0: however few."),
    duration<&Limits::least_rate_span>(
        "least_rate_span", "10s", {1s, 1h}, kLive,
        "How long a client has to be waited for in all, until its rate is looked at again."),
    count<&Limits::connections>("connections", "0", {0, 10'000'000}, kRestart,
                                "Open client connections, else 503. 0: what the limit on open files allows."),
    count<&Limits::connections_per_address>(
        "connections_per_address", "0", {0, 10'000'000}, kLive,
        "Open connections of one client address (or network, see `ipv6_prefix`), else 503. Trusted proxies "
        "are not counted, but those for whom a PROXY header speaks. 0: a quarter of all, 16 at the least."),
    rows::text<&Limits::rates, Name>("rates", "[]", kLive, "The names of `rates` that hold for every route."),
    section<&Limits::failures, kFailures>("failures",
                                          "How often tokens from one address may fail to verify; then 429 "
                                          "and the connection is closed, but for "
                                          "tokens that are known to be good. `off`: as often as they like."),
    duration<&Limits::lag>("lag", "1s", {0ms, 1min}, kLive,
                           "A request that waited longer than this for its turn is shed, 503. 0s: never."),
    size<&Limits::memory>(
        "memory", "32MiB", {64_KiB, 1_TiB}, kLive,
        "Bytes of all counters kept by address or principal. Beyond it the ones that say least go."),
    count<&Limits::ipv6_prefix>("ipv6_prefix", "64", {32, 128}, kLive,
                                "IPv6 addresses that share so many leading bits count as one address."),
    word<&Limits::rate_fields>("headers", "both", kLive,
                               "Which fields tell clients of their limits: RateLimit and RateLimit-Policy "
                               "(`standard`), the older x-ratelimit-* as well (`both`), or none (`off`)."),
};
constexpr Section kLimits =
    table<Limits>({"limits", "", "How much a client may send, and how often.", ""}, kLimitRows);

}  // namespace config
