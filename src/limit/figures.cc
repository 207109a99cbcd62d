#include "limit/figures.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limit {

namespace {

void expose_rates(telemetry::Page& page, const RateStats& rates) {
  page.family("sekisho_rate_limit_requests_total", "counter",
              "Requests held against a rate limit, by result.");
  for (const auto& one : rates.policies) {
    const std::string name = telemetry::escape_label(one.name);
    page.sample({{"policy", name}, {"result", "allowed"}}, one.allowed);
    page.sample({{"policy", name}, {"result", "refused"}}, one.refused);
  }
}

void expose_tables(telemetry::Page& page, const BucketStats& rates, const BucketStats& failures) {
  const auto table = [&](std::string_view name, std::string_view type, std::string_view help, auto member) {
    page.family(name, type, help);
    page.sample({{"table", "rates"}}, rates.*member);
    page.sample({{"table", "failures"}}, failures.*member);
  };
  table("sekisho_limit_buckets", "gauge", "Buckets that are kept, by table.", &BucketStats::entries);
  table("sekisho_limit_buckets_capacity", "gauge", "Buckets that can be kept, by table.",
        &BucketStats::capacity);
  table("sekisho_limit_buckets_evicted_total", "counter",
        "Buckets that gave way before they were full: each may have let a caller begin anew.",
        &BucketStats::evicted);
}

void expose_failures(telemetry::Page& page, const FailureStats& failures) {
  page.single("sekisho_failed_verifications_charged_total", "counter",
              "Failed verifications charged to an address.", failures.charged);
  page.single("sekisho_failed_verifications_refused_total", "counter",
              "Credentials that were not looked at, since too many of their address had failed.",
              failures.refused);
}

void expose_gates(telemetry::Page& page, const Gates& gates) {
  struct Row {
    std::string_view of;
    std::string name;
    GateStats stats;
  };
  std::vector<Row> rows;
  for (auto& [of, name, stats] : gates.stats())
    rows.push_back({of == Gates::Of::kRoute ? "route" : "origin", telemetry::escape_label(name), stats});

  const auto gauge = [&](std::string_view name, std::string_view help, auto member) {
    page.family(name, "gauge", help);
    for (const Row& one : rows) page.sample({{"of", one.of}, {"name", one.name}}, one.stats.*member);
  };
  gauge("sekisho_concurrency_limit", "Requests that may be under way.", &GateStats::max);
  gauge("sekisho_concurrency_in_use", "Requests under way.", &GateStats::in_use);
  gauge("sekisho_concurrency_queued", "Requests that wait for a place.", &GateStats::queued);
  page.family("sekisho_concurrency_requests_total", "counter",
              "Requests that asked for a place, by result; waited: of those that entered.");
  constexpr std::array<std::pair<std::string_view, std::uint64_t GateStats::*>, 5> kResults{
      {{"entered", &GateStats::entered},
       {"waited", &GateStats::waited},
       {"refused", &GateStats::refused},
       {"timed_out", &GateStats::timed_out},
       {"left", &GateStats::left}}};
  for (const Row& one : rows)
    for (const auto& [result, member] : kResults)
      page.sample({{"of", one.of}, {"name", one.name}, {"result", result}}, one.stats.*member);
}

constexpr telemetry::Family<SharedMetrics> kShared[] = {
    {"sekisho_rate_limit_leases_total", "Draws of tokens from Redis that were answered.",
     &SharedMetrics::leases},
    {"sekisho_rate_limit_waits_total", "Requests that waited for such a draw.", &SharedMetrics::waits},
    {"sekisho_rate_limit_fallback_total", "Decisions by local buckets since Redis did not answer.",
     &SharedMetrics::fallbacks},
};

}  // namespace

void expose(telemetry::Page& page, const Rates& rates, const Failures& failures, const Gates& gates) {
  const RateStats rate_stats = rates.stats();
  const FailureStats failure_stats = failures.stats();
  expose_rates(page, rate_stats);
  expose_tables(page, rate_stats.buckets, failure_stats.buckets);
  expose_failures(page, failure_stats);
  expose_gates(page, gates);
}

void expose(telemetry::Page& page, telemetry::Blocks<SharedMetrics> links) {
  telemetry::expose(page, kShared, links);
}

}  // namespace limit
