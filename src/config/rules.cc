#include "config/rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "config/address.h"
#include "config/error.h"
#include "config/folders.h"

namespace config::rules {
namespace {

// A request's token is looked for before anything says which identity it is for.
void check_identities(Reader& reader, const YamlNode& map, const std::vector<std::string>& names,
                      const Config& config) {
  for (const std::string& name : names) {
    check_name(reader, line_of(map, "identity"), "identity", "identity", name, config.identities);
    if (std::ranges::count(names, name) > 1)
      reader.fail_at(map, "identity", fmt::format("names '{}' twice", name));
    if (config.identities.at(name).from != config.identities.at(names[0]).from)
      reader.fail_at(
          map, "identity",
          fmt::format("names '{}' and '{}', which look for tokens in different places; their 'from' must "
                      "be the same",
                      names[0], name));
  }
}

void check_forwarded(Reader& reader, const YamlNode& item, const Route& route, const Config& config) {
  const std::vector<std::string>& names = route.forward_credentials;
  for (const std::string& name : names) {
    check_name(reader, line_of(item, "forward_credentials"), "forward_credentials", "identity", name,
               config.identities);
    if (std::ranges::count(names, name) > 1)
      reader.fail_at(item, "forward_credentials", fmt::format("names '{}' twice", name));
  }
  if (!route.app.empty() || !std::holds_alternative<HttpOrigin>(config.origins.at(route.origin).kind))
    for (const std::string_view key : {"forward_authorization", "forward_credentials"})
      if (key == "forward_authorization" ? route.forward_authorization : !names.empty())
        reader.fail_at(item, key, "needs an origin of type http; others take no credential of a caller");
  if (!route.forward_fields.empty() &&
      (!route.app.empty() || !std::holds_alternative<HttpOrigin>(config.origins.at(route.origin).kind)))
    reader.fail_at(item, "forward_fields", "needs an origin of type http; others take no field of a caller");
}

// A route that no request can reach guards nothing.
void check_reach(Reader& reader, const YamlNode& item, const Route& route, const Config& config) {
  if (route.path.size() > config.limits.target)
    reader.fail_at(item, "path", "is longer than 'limits.target'; no request can match it");
  if (route.path_parameters == PathParameters::kRefuse && route.path.contains(';'))
    reader.fail_at(item, "path", "holds ';', which 'path_parameters' refuses; no request can match it");
  if (!route.app.empty() || std::holds_alternative<HttpOrigin>(config.origins.at(route.origin).kind)) return;
  for (const std::string& method : route.methods)
    if (method != "GET" && method != "HEAD")
      reader.fail_at(item, "methods", fmt::format("names '{}'; this origin takes GET and HEAD", method));
}

using Seen = std::map<std::string_view, const Route*>;

void check_one_route(Reader& reader, const YamlNode& item, const Route& route, const Config& config,
                     Seen& seen) {
  // "/a" and "/a/" begin at the same segment; if one were open and the other guarded, which would hold?
  std::string_view prefix = route.path;
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  const Route* const first = seen.emplace(prefix, &route).first->second;
  Reader::Parts names(reader);
  names([&] {
    if (first != &route)
      reader.fail_at(item, "path",
                     fmt::format("'{}' is also the path of the route in line {}", route.path, first->line));
  });
  names([&] {
    if (route.app.empty())
      check_name(reader, line_of(item, "origin"), "origin", "origin", route.origin, config.origins);
    else
      check_name(reader, line_of(item, "app"), "app", "app", route.app, config.apps);
  });
  names([&] { check_identities(reader, item, route.identity, config); });
  names.done();  // what follows looks at what they name
  check_forwarded(reader, item, route, config);
  if (route.read_ahead > 0 &&
      (!route.app.empty() || !std::holds_alternative<HttpOrigin>(config.origins.at(route.origin).kind)))
    reader.fail_at(item, "read_ahead", "needs an origin of type http; others take no body");
  check_reach(reader, item, route, config);
}

void check_routes(Reader& reader, const YamlNode& node, const Config& config) {
  const Entry* entry = node.find("routes");
  const Reader::Step routes(reader, "routes");
  Seen seen;
  Reader::Parts parts(reader);
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    parts([&] {
      const YamlNode& list = entry->value;
      const Reader::Step step(reader, i);
      check_one_route(reader, list.kind == YamlNode::Kind::kList ? list.items[i] : list, config.routes[i],
                      config, seen);
    });
  }
  parts.done();
}

// ::ffff:192.0.2.1 is 192.0.2.1: whoever listens at the one listens at the other.
Address plain(Address address) {
  in6_addr bytes{};
  if (::inet_pton(AF_INET6, address.host.c_str(), &bytes) == 1 && IN6_IS_ADDR_V4MAPPED(&bytes)) {
    std::array<char, INET_ADDRSTRLEN> text{};
    address.host = ::inet_ntop(AF_INET, &bytes.s6_addr[12], text.data(), text.size());
  }
  return address;
}

void check_listeners(Reader& reader, const YamlNode& node, const Config& config) {
  std::vector<std::string> seen;
  for (const auto& [address, proxy_protocol] : config.listen) {
    const std::string shown = AddressText::show(plain(address));
    if (address.port != 0 && contains(seen, shown))
      reader.fail_at(node, "listen", fmt::format("{} is given twice", shown));
    seen.push_back(shown);
    if (!proxy_protocol || !config.trusted_proxies.empty()) continue;
    const YamlNode& list = node.find("listen")->value;
    const Reader::Step listen(reader, "listen");
    const Reader::Step at(reader, seen.size() - 1);
    reader.fail_at(list.kind == YamlNode::Kind::kList ? list.items[seen.size() - 1] : list, "proxy_protocol",
                   "needs 'trusted_proxies', whose connections it is believed of");
  }
  if (!config.admin.listen || config.admin.listen->port == 0) return;
  if (!contains(seen, AddressText::show(plain(*config.admin.listen)))) return;
  const Reader::Step step(reader, "admin");
  reader.fail_at(node.find("admin")->value, "listen", "is also an address of the top-level 'listen'");
}

void check_admin_identities(Reader& reader, const YamlNode& admin, const Config& config) {
  const Reader::Step step(reader, "admin");
  check_identities(reader, admin, config.admin.identity, config);
  // Else everybody whom the issuer knows could administer this gateway.
  if (!config.admin.identity.empty() && config.admin.require.empty())
    reader.fail_at(admin, "identity", "needs 'require', which says who of them is an administrator");
}

}  // namespace

void place_listen(Reader&, const YamlNode&, Listen&& listen, Config& config) {
  config.listen.push_back(std::move(listen));
}

void check_admin(Reader& reader, const YamlNode& node, Admin& admin) {
  admin.token_file = reader.resolve(admin.token_file.empty() ? "admin.token" : admin.token_file);
  if (!admin.require.empty() && admin.identity.empty()) reader.fail_at(node, "require", "needs 'identity'");
  for (const std::string& host : admin.hosts)
    if (host.contains(':'))
      reader.fail_at(node, "hosts", "has a port, or is an address: list names alone; addresses always may");
}

void place_route(Reader&, const YamlNode& node, Route&& route, Config& config) {
  route.line = node.line;
  config.routes.push_back(std::move(route));
}

void place_app(Reader& reader, const Entry& entry, const Section& section, Config& config) {
  App app{.name = entry.name, .line = entry.line, .kind = {}};
  if (section.type == "status") reader.section(entry.value, section, &app.kind.emplace<StatusApp>());
  config.apps.emplace(entry.name, std::move(app));
}

void check_route(Reader& reader, const YamlNode& node, Route& route) {
  reader.exactly_one(node, std::array<std::string_view, 2>{"origin", "app"});
  if (!route.require.empty() && route.identity.empty()) reader.fail_at(node, "require", "needs 'identity'");
}

void check_route_cache(Reader& reader, const YamlNode& node, RouteCache& cache) {
  for (const std::string& name : cache.ignore_cookies)
    if (name == "*" || name.substr(0, name.size() - 1).find('*') != std::string::npos)
      reader.fail_at(node, "ignore_cookies",
                     fmt::format("has '{}'; a star stands at the end of a name, behind its beginning", name));
}

namespace {

// What the cache may keep is within the bound, and a fetch must find room beside it.
void check_memory(Reader& reader, const YamlNode& node, Config& config) {
  const std::uint64_t cache = config.cache.memory.size;
  if (config.memory.max == 0) {
    config.memory.max = cache + config.cache.fill_budget;
    return;
  }
  const std::uint64_t least = cache + std::min(config.cache.memory.max_object, cache);
  if (config.memory.max >= least) return;
  const YamlNode& memory = node.find("memory")->value;
  const Reader::Step step(reader, "memory");
  const Reader::Step max(reader, "max");
  reader.fail(line_of(memory, "max"),
              fmt::format("{} leaves no room beside 'cache.memory.size': {} and an object of "
                          "'cache.memory.max_object' need {}",
                          Size::show(config.memory.max), Size::show(cache), Size::show(least)));
}

// A folder that is served may be the one that the configuration stands in.
void guard_own_files(Reader& reader, Config& config) {
  config.own_files = std::move(reader.own_files());
  config.own_files.push_back(config.file);
  if (config.admin.listen) config.own_files.push_back(config.admin.token_file);
  std::ranges::sort(config.own_files);
  config.own_files.erase(std::ranges::unique(config.own_files).begin(), config.own_files.end());
  for (auto& [name, origin] : config.origins)
    if (auto* dir = std::get_if<DirOrigin>(&origin.kind))
      std::ranges::copy_if(config.own_files, std::back_inserter(dir->own_files),
                           [&](const std::string& file) { return lies_beneath(file, dir->path); });
}

}  // namespace

void check_config(Reader& reader, const YamlNode& node, Config& config) {
  const auto clean = [&reader](std::initializer_list<std::string_view> keys) {
    return std::ranges::all_of(keys, [&](std::string_view key) { return reader.clean(key); });
  };
  const Entry* const admin = node.find("admin");
  if (admin == nullptr) config.admin.token_file = reader.resolve("admin.token");
  Reader::Parts parts(reader);
  if (clean({"memory", "cache"})) parts([&] { check_memory(reader, node, config); });
  if (clean({"listen", "trusted_proxies", "admin"})) parts([&] { check_listeners(reader, node, config); });
  if (clean({"routes", "origins", "apps", "identities"})) parts([&] { check_routes(reader, node, config); });
  if (clean({"routes", "limits", "rates", "redis"})) parts([&] { check_rates(reader, node, config); });
  if (admin != nullptr && clean({"admin", "identities"}))
    parts([&] { check_admin_identities(reader, admin->value, config); });
  parts.done();
  for (std::string* output : {&config.log.output, &config.log.access.output})
    if (*output != "stdout" && *output != "stderr") *output = reader.own(*output);
  guard_own_files(reader, config);
}

}  // namespace config::rules
