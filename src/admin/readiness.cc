#include "admin/readiness.h"

#include <algorithm>

#include "config/fingerprint.h"
#include "net/time_limit.h"
#include "telemetry/metrics.h"
#include "telemetry/oplog.h"
#include "text/json_writer.h"

namespace admin {

namespace log = telemetry::log;

namespace {
constexpr base::Nanos kWhenDown = base::Seconds(1);  // a dependency that comes back is noticed soon
constexpr base::Nanos kWhenUp = base::Seconds(5);
constexpr base::Nanos kPatience = base::Seconds(10);  // with one probe
constexpr std::uint64_t kSick = 5;                    // failed requests in a row that are worth a line

constexpr std::string_view kWithheld = "told in the operational log, and here to who shows a credential";
}  // namespace

void Readiness::watch(const std::shared_ptr<const gateway::Snapshot>& snapshot) {
  std::map<std::string, Asked> next;
  for (const auto& [name, configuration] : snapshot->config().origins) {
    const auto known = origins_.find(name);
    if (known != origins_.end() && known->second.origin &&
        known->second.origin->fingerprint() == config::fingerprint(configuration)) {
      next[name] = known->second;
      continue;
    }
    Asked& fresh = next[name];
    try {
      fresh.origin = origin::make_origin(configuration, {loop_, resolver_});
    } catch (const std::exception& error) {
      fresh.asked = true;
      fresh.reason = error.what();
    }
  }
  for (auto& [name, asked] : next) {
    asked.health = snapshot->health_of(name);
    asked.optional = snapshot->config().origins.at(name).optional;
  }
  origins_ = std::move(next);
  optional_identities_.clear();
  for (const auto& [name, identity] : snapshot->config().identities)
    if (identity.optional) optional_identities_.insert(name);
  if (running_) {
    again_.set();
  } else {
    running_ = true;
    scope_.spawn(probe_all());
  }
}

net::Task<> Readiness::stop() {
  stopping_ = true;
  again_.set();
  for (net::Cancel* cancel : probing_) cancel->request();  // an origin that does not answer is not waited for
  co_await scope_.drained();
}

net::Task<> Readiness::probe_all() {
  while (!stopping_) {
    net::Scope round(loop_);
    for (const auto& [name, dependency] : origins_)
      if (dependency.origin) round.spawn(probe(name, dependency.origin));
    co_await round.drained();
    if (stopping_) break;
    tell();
    for (auto& [name, asked] : origins_) look_at_requests(name, asked);
    const bool all = std::ranges::all_of(origins_, [](const auto& d) { return d.second.usable; });
    co_await again_.wait(loop_.now() + (all ? kWhenUp : kWhenDown));
  }
}

net::Task<> Readiness::probe(std::string name, std::shared_ptr<origin::Origin> origin) {
  net::TimeLimit limit(loop_, loop_.now() + kPatience);
  probing_.push_back(&limit.end);
  auto result = co_await origin->probe(&limit.end);
  std::erase(probing_, &limit.end);
  if (!result && limit.passed())
    result = base::fail(base::Code::kOriginTimeout, "the origin did not answer in time");
  if (stopping_) co_return;
  const auto found = origins_.find(name);
  if (found == origins_.end() || found->second.origin != origin) co_return;  // a reload came between
  Asked& dependency = found->second;
  const std::string_view finding = origin->finding();
  std::string reason(result ? "" : result.error().text);
  if (!reason.empty() && !finding.empty()) reason += ": ";
  reason += finding;
  const bool changed =
      !dependency.asked || dependency.usable != result.has_value() || dependency.reason != reason;
  dependency.asked = true;
  dependency.usable = result.has_value();
  dependency.withheld = !finding.empty();
  dependency.reason = std::move(reason);
  tell();
  if (!changed) co_return;
  if (!result)
    log::warn("dependency is not ready", {{"origin", name}, {"reason", dependency.reason}});
  else if (dependency.reason.empty())
    log::info("dependency is ready", {{"origin", name}});
  else
    log::info("dependency is ready", {{"origin", name}, {"note", dependency.reason}});
}

// One that takes connections may still answer none.
void Readiness::look_at_requests(const std::string& name, Asked& asked) {
  if (!asked.health) return;
  const upstream::Health::Figures figures = asked.health->figures();
  if (figures.in_a_row >= kSick && !asked.sick) {
    asked.sick = true;
    log::warn("requests to an origin fail", {{"origin", name},
                                             {"failures_in_a_row", figures.in_a_row},
                                             {"last", telemetry::label(figures.last)}});
  } else if (figures.in_a_row == 0 && asked.sick) {
    asked.sick = false;
    log::info("an origin answers requests again", {{"origin", name}});
  }
}

void Readiness::draining() {
  draining_ = true;
  tell();
}

bool Readiness::ready() const {
  return !draining_ &&
         std::ranges::all_of(origins_, [](const auto& d) { return d.second.usable || d.second.optional; }) &&
         std::ranges::all_of(others_(), [this](const auto& d) { return d.ready || is_optional(d); });
}

bool Readiness::is_optional(const Dependency& other) const {
  return other.kind == "identity" && optional_identities_.contains(other.name);
}

std::string Readiness::report(bool whole) const {
  std::string text;
  text::JsonWriter out(text);
  out.object().member("ready", ready()).member("draining", draining_).key("dependencies").array();
  const auto add = [&](const Dependency& one, bool optional, const upstream::Health* health) {
    out.object().member("kind", one.kind).member("name", one.name).member("ready", one.ready);
    if (optional) out.member("optional", true);
    if (!one.reason.empty()) out.member("reason", one.reason);
    if (health) {
      const upstream::Health::Figures figures = health->figures();
      if (figures.well + figures.failed > 0) {
        out.member("last_request", telemetry::label(figures.last));
        out.member("failures_in_a_row", figures.in_a_row);
      }
    }
    out.end_object();
  };
  for (const auto& [name, asked] : origins_) {
    Dependency one{.kind = "origin", .name = name, .ready = asked.usable, .reason = asked.reason};
    if (!asked.asked) one.reason = "not asked yet";
    if (asked.withheld && !whole) one.reason = asked.usable ? "" : kWithheld;
    add(one, asked.optional, asked.health.get());
  }
  for (Dependency& other : others_()) {
    if (other.withheld && !whole && !other.reason.empty()) other.reason = kWithheld;
    add(other, is_optional(other), nullptr);
  }
  out.end_array().end_object();
  return text + "\n";
}

}  // namespace admin
