#include "admin/readiness.h"

#include <algorithm>

#include "config/fingerprint.h"
#include "identity/key_source.h"
#include "telemetry/oplog.h"
#include "text/json_text.h"

namespace admin {

namespace log = telemetry::log;

namespace {
constexpr base::Nanos kWhenDown = base::Seconds(1);  // a dependency that comes back is noticed soon
constexpr base::Nanos kWhenUp = base::Seconds(5);
}  // namespace

void Readiness::watch(std::shared_ptr<const gateway::Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  std::map<std::string, Dependency> next;
  for (const auto& [name, configuration] : snapshot_->config().origins) {
    const auto known = dependencies_.find(name);
    if (known != dependencies_.end() && known->second.origin &&
        known->second.origin->fingerprint() == config::fingerprint(configuration)) {
      next[name] = known->second;
      continue;
    }
    Dependency& fresh = next[name];
    try {
      fresh.origin = origin::make_origin(configuration, {loop_, resolver_});
    } catch (const std::exception& error) {
      fresh.asked = true;
      fresh.reason = error.what();
    }
  }
  dependencies_ = std::move(next);
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
    for (const auto& [name, dependency] : dependencies_)
      if (dependency.origin) round.spawn(probe(name, dependency.origin));
    co_await round.drained();
    if (stopping_) break;
    const bool all = std::ranges::all_of(dependencies_, [](const auto& d) { return d.second.reachable; });
    co_await again_.wait(loop_.now() + (all ? kWhenUp : kWhenDown));
  }
}

net::Task<> Readiness::probe(std::string name, std::shared_ptr<origin::Origin> origin) {
  net::Cancel cancel;
  probing_.push_back(&cancel);
  const auto result = co_await origin->probe(&cancel);
  std::erase(probing_, &cancel);
  if (stopping_) co_return;
  const auto found = dependencies_.find(name);
  if (found == dependencies_.end() || found->second.origin != origin) co_return;  // a reload came between
  Dependency& dependency = found->second;
  const bool changed = !dependency.asked || dependency.reachable != result.has_value();
  dependency.asked = true;
  dependency.reachable = result.has_value();
  dependency.reason = result ? "" : std::string(result.error().text);
  if (!changed) co_return;
  if (result)
    log::info("dependency is reachable", {{"origin", name}});
  else
    log::warn("dependency cannot be reached", {{"origin", name}, {"reason", dependency.reason}});
}

bool Readiness::ready() const {
  const base::Mono now = base::mono_now();
  return !draining_ && std::ranges::all_of(dependencies_, [](const auto& d) { return d.second.reachable; }) &&
         (!snapshot_ || std::ranges::all_of(snapshot_->key_sources(),
                                            [&](const auto& source) { return source->figures(now).ready; }));
}

std::string Readiness::report() const {
  std::string out = R"({"ready":)";
  out += ready() ? "true" : "false";
  out += R"(,"draining":)";
  out += draining_ ? "true" : "false";
  out += R"(,"dependencies":[)";
  bool first = true;
  const auto add = [&](std::string_view kind, std::string_view name, bool is_ready, std::string_view reason) {
    if (!std::exchange(first, false)) out += ",";
    out += R"({"kind":")";
    out += kind;
    out += R"(","name":)";
    text::append_json(out, name);
    out += R"(,"ready":)";
    out += is_ready ? "true" : "false";
    if (!reason.empty()) {
      out += R"(,"reason":)";
      text::append_json(out, reason);
    }
    out += "}";
  };
  for (const auto& [name, dependency] : dependencies_)
    add("origin", name, dependency.reachable,
        dependency.asked || dependency.reachable ? std::string_view(dependency.reason) : "not asked yet");
  if (snapshot_) {
    for (const auto& source : snapshot_->key_sources()) {
      const auto figures = source->figures(base::mono_now());
      add("identity", source->name(), figures.ready, figures.reason);
    }
  }
  return out + "]}\n";
}

}  // namespace admin
