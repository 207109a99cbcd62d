#include "cli/warnings.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "config/address.h"
#include "config/folders.h"
#include "http/field_kind.h"
#include "net/address.h"

namespace cli {

namespace {

using Bytes = std::array<std::uint8_t, 16>;

std::optional<Bytes> bytes_of(const std::string& host) {
  const bool local = host == "localhost" || host == "localhost.";
  const auto endpoint = net::Endpoint::parse(local ? "127.0.0.1" : host, 0);
  return endpoint ? std::optional(endpoint->bytes()) : std::nullopt;
}

bool is_loopback(const Bytes& address) {
  return address == *bytes_of("::1") || (address[10] == 0xff && address[11] == 0xff && address[12] == 127);
}

bool is_of_this_host(const Bytes& address) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return false;
  bool found = false;
  for (const ifaddrs* one = all; one && !found; one = one->ifa_next) {
    if (!one->ifa_addr) continue;
    if (one->ifa_addr->sa_family == AF_INET) {
      const auto& in = reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr;
      const auto* raw = reinterpret_cast<const std::uint8_t*>(&in);
      found = address[10] == 0xff && address[11] == 0xff && std::equal(raw, raw + 4, address.begin() + 12);
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto& in = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr;
      found = std::equal(in.s6_addr, in.s6_addr + 16, address.begin());
    }
  }
  ::freeifaddrs(all);
  return found;
}

bool leads_to(const config::Url& url, const config::Address& listener) {
  if (url.port != listener.port) return false;
  const auto theirs = bytes_of(url.host), ours = bytes_of(listener.host);
  if (!theirs || !ours) return false;
  const bool everywhere = *ours == *bytes_of("0.0.0.0") || *ours == *bytes_of("::");
  return everywhere ? is_loopback(*theirs) || is_of_this_host(*theirs) : *theirs == *ours;
}

void own_listeners(const config::Config& config, std::vector<std::string>& out) {
  std::vector<config::Address> listeners;
  listeners.reserve(config.listen.size() + 1);
  for (const config::Listen& listen : config.listen) listeners.push_back(listen.address);
  if (config.admin.listen) listeners.push_back(*config.admin.listen);

  for (const auto& [name, origin] : config.origins) {
    const auto* http = std::get_if<config::HttpOrigin>(&origin.kind);
    const auto* s3 = std::get_if<config::S3Origin>(&origin.kind);
    if (!http && !s3) continue;
    const config::Url& url = http ? http->url : s3->endpoint;
    const auto found = std::ranges::find_if(listeners, [&](const auto& one) { return leads_to(url, one); });
    if (found == listeners.end()) continue;
    out.push_back(config.file + ":" + std::to_string(origin.line) + ": origins." + name + "." +
                  (http ? "url" : "endpoint") + ": leads to " + config::AddressText::show(*found) +
                  ", a listener of this gateway itself");
  }
}

// What a route names and yet no client can send.
void fields_that_never_go_on(const config::Config& config, std::vector<std::string>& out) {
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const config::Route& route = config.routes[i];
    for (const std::string& name : route.forward_fields)
      if (config.trusted_proxies.empty() && http::kind_of(name) == http::FieldKind::kVouched)
        out.push_back(config.file + ":" + std::to_string(route.line) + ": routes[" + std::to_string(i) +
                      "].forward_fields: '" + name +
                      "' is believed of 'trusted_proxies' only, and there are none");
  }
}

const config::DirOrigin* folder_of(const config::Config& config, const config::Route& route) {
  const auto origin = config.origins.find(route.origin);
  return origin == config.origins.end() ? nullptr : std::get_if<config::DirOrigin>(&origin->second.kind);
}

// What an open route gives out of a folder that another one asks an identity for. Where the same path of the
// first leads to a route that asks for one, too, it is as meant.
void folders_around_guarded_ones(const config::Config& config, std::vector<std::string>& out) {
  const auto guarded_at = [&](const std::string& path) {
    return std::ranges::any_of(config.routes, [&](const config::Route& other) {
      return !other.identity.empty() && other.path != "/" && path.starts_with(other.path);
    });
  };
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const config::DirOrigin* const open = folder_of(config, config.routes[i]);
    if (!open || !config.routes[i].identity.empty()) continue;
    for (std::size_t j = 0; j < config.routes.size(); ++j) {
      const config::DirOrigin* const guarded = folder_of(config, config.routes[j]);
      if (!guarded || config.routes[j].identity.empty()) continue;
      const bool same = config::same_folder(open->path, guarded->path);
      if (!same && !config::lies_beneath(guarded->path, open->path)) continue;
      std::error_code none;
      const std::string inner = std::filesystem::relative(guarded->path, open->path, none).string();
      const std::string& path = config.routes[i].path;
      if (!same && guarded_at(fmt::format("{}{}{}", path, path.ends_with('/') ? "" : "/", inner))) continue;
      out.push_back(fmt::format(
          "{}:{}: routes[{}]: gives to everybody what routes[{}] asks an identity for: its folder {}",
          config.file, config.routes[i].line, i, j, same ? "is the same" : "holds the other's"));
    }
  }
}

}  // namespace

std::vector<std::string> warnings_of(const config::Config& config) {
  std::vector<std::string> out;
  own_listeners(config, out);
  fields_that_never_go_on(config, out);
  folders_around_guarded_ones(config, out);
  return out;
}

}  // namespace cli
