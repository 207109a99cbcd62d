#include "cli/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include "admin/credential.h"
#include "cli/warnings.h"
#include "config/load.h"
#include "gateway/snapshot.h"
#include "limit/gate.h"
#include "limit/rates.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "telemetry/line_sink.h"

namespace cli {

namespace {

constexpr int kWrong = 2;

// What serve would open, and what is wrong with it.
class Surroundings {
 public:
  Surroundings(const config::Config& config, const config::YamlNode& tree) : config_(config), tree_(tree) {
    output("log.output", config.log.output);
    if (config.log.access.enabled) output("log.access.output", config.log.access.output);
    const config::Audit& audit = config.audit;
    if (!audit.output.empty() && audit.output != "syslog")
      output("audit.output", audit.output, audit.rotate_size != 0 || audit.rotate_every.count() != 0);
    if (config.admin.listen) token_file();
  }

  std::vector<config::ConfigError> take() { return std::move(found_); }

 private:
  void wrong(std::string_view key, const std::string& why) {
    found_.emplace_back(config_.file, config::line_of_key(tree_, key), key, why);
  }

  void output(std::string_view key, const std::string& path, bool moved = false) {
    if (const std::string why = telemetry::why_no_output(path, moved); !why.empty())
      wrong(key, fmt::format("'{}' cannot be written: {}", path, why));
  }

  void token_file() {
    constexpr std::string_view kKey = "admin.token_file";
    std::string why = admin::why_no_token_file(config_.admin.token_file);
    if (why.empty()) return;
    if (why.starts_with(kKey)) why.erase(0, kKey.size() + 1);
    wrong(kKey, why);
  }

  const config::Config& config_;
  const config::YamlNode& tree_;
  std::vector<config::ConfigError> found_;
};

std::string counted(std::size_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

// The same validation as start and reload; origins are built too, so that a missing folder is found.
std::vector<std::string> build(config::Config config) {
  limit::Rates rates(config.limits);
  limit::Gates gates;
  upstream::Healths healths;
  const auto snapshot = std::make_shared<const gateway::Snapshot>(
      std::move(config), gateway::Registries{.rates = rates, .gates = gates, .healths = healths});
  net::Loop loop;
  net::Dns look_ups;
  net::Resolver resolver(loop, look_ups);
  const gateway::LocalSnapshot local(snapshot, nullptr, {loop, resolver});
  return warnings_of(snapshot->config());
}

// The others that start would come to behind the first: each identity and each origin is built by itself.
std::vector<std::string> more_faults(const config::Config& config, std::string first) {
  std::vector<std::string> faults = {std::move(first)};
  const auto attempt = [&](config::Config one) {
    try {
      build(std::move(one));
    } catch (const std::exception& error) {
      if (std::ranges::find(faults, error.what()) == faults.end()) faults.emplace_back(error.what());
    }
  };
  config::Config bare = config;
  bare.routes.clear();
  bare.origins.clear();
  bare.identities.clear();
  bare.admin.identity.clear();
  for (const auto& identity : config.identities) {
    config::Config one = bare;
    one.identities.insert(identity);
    attempt(std::move(one));
  }
  for (const auto& origin : config.origins) {
    config::Config one = bare;
    one.origins.insert(origin);
    one.routes.emplace_back().origin = origin.first;
    one.routes.back().path = "/";
    attempt(std::move(one));
  }
  return faults;
}

int complain(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::fprintf(stderr, "sekisho: %s\n", line.c_str());
  return kWrong;
}

}  // namespace

config::Config load_for_start(const std::string& file) {
  config::YamlNode tree;
  config::Config config = config::load_file(file, config::process_env(), &tree);
  if (auto found = Surroundings(config, tree).take(); !found.empty())
    throw config::ConfigError(std::move(found));
  return config;
}

int check(const std::string& file) {
  try {
    config::YamlNode tree;
    config::Config config = config::load_file(file, config::process_env(), &tree);
    std::vector<std::string> lines;
    for (const config::ConfigError& one : Surroundings(config, tree).take()) lines.emplace_back(one.what());
    const std::string looked_at = fmt::format(
        "{}: good, {}\nlooked at: {}, {}, {}, {}, every file that is named, and whether logs "
        "and the admin token can be written. Not at: whether ports are free and others answer.\n",
        file, counted(config.routes.size(), "route", "routes"),
        counted(config.listen.size(), "listener", "listeners"),
        counted(config.origins.size(), "origin", "origins"), counted(config.apps.size(), "app", "apps"),
        counted(config.identities.size(), "identity", "identities"));
    try {
      for (const std::string& warning : build(config))
        std::fprintf(stderr, "sekisho: warning: %s\n", warning.c_str());
    } catch (const std::exception& error) {
      std::ranges::move(more_faults(config, error.what()), std::back_inserter(lines));
    }
    if (!lines.empty()) return complain(lines);
    std::fputs(looked_at.c_str(), stdout);
    return 0;
  } catch (const config::ConfigError& error) {
    return complain(error.all());
  }
}

}  // namespace cli
