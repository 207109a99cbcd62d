#include "admin/readiness.h"

#include <algorithm>

#include "config/fingerprint.h"
#include "telemetry/metrics.h"
#include "telemetry/oplog.h"
#include "text/json_writer.h"

namespace admin {

namespace log = telemetry::log;

namespace {
constexpr base::Nanos kWhenDown = base::Seconds(1);  // a dependency that comes back is noticed soon
constexpr base::Nanos kWhenUp = base::Seconds(5);
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
  for (auto& [name, asked] : next) asked.health = snapshot->health_of(name);
  origins_ = std::move(next);
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
  co_await resolver_.drained();
}

net::Task<> Readiness::probe_all() {
  while (!stopping_) {
    net::Scope round(loop_);
    for (const auto& [name, dependency] : origins_)
      if (dependency.origin) round.spawn(probe(name, dependency.origin));
    co_await round.drained();
    if (stopping_) break;
    tell();
    const bool all = std::ranges::all_of(origins_, [](const auto& d) { return d.second.reachable; });
    co_await again_.wait(loop_.now() + (all ? kWhenUp : kWhenDown));
  }
}

net::Task<> Readiness::probe(std::string name, std::shared_ptr<origin::Origin> origin) {
  net::Cancel cancel;
  probing_.push_back(&cancel);
  const auto result = co_await origin->probe(&cancel);
  std::erase(probing_, &cancel);
  if (stopping_) co_return;
  const auto found = origins_.find(name);
  if (found == origins_.end() || found->second.origin != origin) co_return;  // a reload came between
  Asked& dependency = found->second;
  const bool changed = !dependency.asked || dependency.reachable != result.has_value();
  dependency.asked = true;
  dependency.reachable = result.has_value();
  dependency.reason = result ? "" : std::string(result.error().text);
  tell();
  if (!changed) co_return;
  if (result)
    log::info("dependency is reachable", {{"origin", name}});
  else
    log::warn("dependency cannot be reached", {{"origin", name}, {"reason", dependency.reason}});
}

void Readiness::draining() {
  draining_ = true;
  tell();
}

bool Readiness::ready() const {
  return !draining_ && std::ranges::all_of(origins_, [](const auto& d) { return d.second.reachable; }) &&
         std::ranges::all_of(others_(), &Dependency::ready);
}

std::string Readiness::report() const {
  std::string text;
  text::JsonWriter out(text);
  out.object().member("ready", ready()).member("draining", draining_).key("dependencies").array();
  const auto add = [&](std::string_view kind, std::string_view name, bool is_ready, std::string_view reason,
                       const upstream::Health* health = nullptr) {
    out.object().member("kind", kind).member("name", name).member("ready", is_ready);
    if (!reason.empty()) out.member("reason", reason);
    if (health) {
      const upstream::Health::Figures figures = health->figures();
      if (figures.well + figures.failed > 0) {
        out.member("last_request", telemetry::label(figures.last));
        out.member("failures_in_a_row", figures.in_a_row);
      }
    }
    out.end_object();
  };
  for (const auto& [name, dependency] : origins_)
    add("origin", name, dependency.reachable,
        dependency.asked || dependency.reachable ? std::string_view(dependency.reason) : "not asked yet",
        dependency.health.get());
  for (const Dependency& other : others_()) add(other.kind, other.name, other.ready, other.reason);
  out.end_array().end_object();
  return text + "\n";
}

}  // namespace admin
