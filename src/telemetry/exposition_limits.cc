#include "telemetry/exposition_limits.h"

#include <algorithm>

namespace telemetry {

namespace {

void render_rates(Page& page, const LimitFigures& limits) {
  page.family("sekisho_rate_limit_requests_total", "counter",
              "Requests held against a rate limit, by result.");
  for (const LimitFigures::Policy& one : limits.policies) {
    const std::string name = escape_label(one.name);
    page.sample({{"policy", name}, {"result", "allowed"}}, one.allowed);
    page.sample({{"policy", name}, {"result", "refused"}}, one.refused);
  }
  page.family("sekisho_limit_buckets", "gauge", "Buckets that are kept, by table.");
  for (const LimitFigures::Table& one : limits.tables) page.sample({{"table", one.name}}, one.entries);
  page.family("sekisho_limit_buckets_capacity", "gauge", "Buckets that can be kept, by table.");
  for (const LimitFigures::Table& one : limits.tables) page.sample({{"table", one.name}}, one.capacity);
  page.family("sekisho_limit_buckets_evicted_total", "counter",
              "Buckets that gave way before they were full: each may have let a caller begin anew.");
  for (const LimitFigures::Table& one : limits.tables) page.sample({{"table", one.name}}, one.evicted);
  page.single("sekisho_failed_verifications_charged_total", "counter",
              "Failed verifications charged to an address.", limits.failures_charged);
  page.single("sekisho_failed_verifications_refused_total", "counter",
              "Credentials that were not looked at, since too many of their address had failed.",
              limits.failures_refused);
}

void render_gates(Page& page, const LimitFigures& limits) {
  const auto gauge = [&](std::string_view name, std::string_view help,
                         std::uint64_t LimitFigures::Gate::* member) {
    page.family(name, "gauge", help);
    for (const LimitFigures::Gate& one : limits.gates)
      page.sample({{"of", one.of}, {"name", escape_label(one.name)}}, one.*member);
  };
  gauge("sekisho_concurrency_limit", "Requests that may be under way.", &LimitFigures::Gate::max);
  gauge("sekisho_concurrency_in_use", "Requests under way.", &LimitFigures::Gate::in_use);
  gauge("sekisho_concurrency_queued", "Requests that wait for a place.", &LimitFigures::Gate::queued);
  page.family("sekisho_concurrency_requests_total", "counter",
              "Requests that asked for a place, by result; waited: of those that entered.");
  for (const LimitFigures::Gate& one : limits.gates) {
    const std::string name = escape_label(one.name);
    const auto sample = [&](std::string_view result, std::uint64_t n) {
      page.sample({{"of", one.of}, {"name", name}, {"result", result}}, n);
    };
    sample("entered", one.entered);
    sample("waited", one.waited);
    sample("refused", one.refused);
    sample("timed_out", one.timed_out);
    sample("left", one.left);
  }
}

void render_redis(Page& page, Workers workers) {
  const bool up =
      std::ranges::all_of(workers, [](const WorkerMetrics* w) { return w->redis.connected.read() == 1; });
  const auto count = [&](std::string_view name, std::string_view help, auto read) {
    page.single(name, "counter", help, total(workers, read));
  };
  page.single("sekisho_redis_up", "gauge", "Whether every worker's connection to Redis takes commands.",
              up ? 1 : 0);
  count("sekisho_redis_commands_total", "Commands.", [](auto& w) -> auto& { return w.redis.commands; });
  count("sekisho_redis_errors_total", "Commands refused, lost, timed out or answered with an error.",
        [](auto& w) -> auto& { return w.redis.errors; });
  count("sekisho_redis_connects_total", "Attempts to connect.",
        [](auto& w) -> auto& { return w.redis.connects; });
  count("sekisho_redis_reconnects_total", "Connections after a worker's first.",
        [](auto& w) -> auto& { return w.redis.reconnects; });
  page.family("sekisho_redis_duration_seconds", "histogram", "From a command given to its reply.");
  page.histogram({}, total_histogram(workers, [](auto& w) -> auto& { return w.redis.latency; }));
  count("sekisho_rate_limit_leases_total", "Draws of tokens from Redis that were answered.",
        [](auto& w) -> auto& { return w.shared_limits.leases; });
  count("sekisho_rate_limit_waits_total", "Requests that waited for such a draw.",
        [](auto& w) -> auto& { return w.shared_limits.waits; });
  count("sekisho_rate_limit_fallback_total", "Decisions by local buckets since Redis did not answer.",
        [](auto& w) -> auto& { return w.shared_limits.fallbacks; });
}

}  // namespace

void render_limits(Page& page, const LimitFigures& limits, Workers workers) {
  render_rates(page, limits);
  render_gates(page, limits);
  if (limits.redis) render_redis(page, workers);
}

}  // namespace telemetry
