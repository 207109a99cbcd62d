#include "config/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/address.h"
#include "config/error.h"
#include "config/material.h"

namespace config::rules {
namespace {

template <class T>
bool contains(const std::vector<T>& list,
              const T& value) {  // std::ranges::contains is missing in libstdc++ 12
  return std::ranges::find(list, value) != list.end();
}

int line_of(const YamlNode& node, std::string_view key) {
  const Entry* entry = node.find(key);
  return entry == nullptr ? node.line : entry->value.line;
}

// A route that names what does not exist would be open, or dead.
template <class Map>
void check_name(Reader& reader, int line, std::string_view key, std::string_view what,
                const std::string& name, const Map& known) {
  if (known.contains(name)) return;
  std::vector<std::string_view> names;
  names.reserve(known.size());
  for (const auto& [each, unused] : known) names.push_back(each);
  const Reader::Step step(reader, key);
  reader.fail(line, fmt::format("there is no {} '{}'{}", what, name, did_you_mean(name, names)));
}

void check_routes(Reader& reader, const YamlNode& node, const Config& config) {
  const Entry* entry = node.find("routes");
  const Reader::Step routes(reader, "routes");
  std::map<std::string_view, const Route*> seen;
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const Route& route = config.routes[i];
    const YamlNode& item = entry->value.kind == YamlNode::Kind::kList ? entry->value.items[i] : entry->value;
    const Reader::Step step(reader, i);
    // "/a" and "/a/" begin at the same segment; if one were open and the other guarded, which would hold?
    std::string_view prefix = route.path;
    if (prefix.ends_with('/')) prefix.remove_suffix(1);
    const auto [first, fresh] = seen.emplace(prefix, &route);
    if (!fresh)
      reader.fail_at(
          item, "path",
          fmt::format("'{}' is also the path of the route in line {}", route.path, first->second->line));
    check_name(reader, line_of(item, "origin"), "origin", "origin", route.origin, config.origins);
    for (const std::string& name : route.identity)
      check_name(reader, line_of(item, "identity"), "identity", "identity", name, config.identities);
    if (route.forward_authorization &&
        !std::holds_alternative<HttpOrigin>(config.origins.at(route.origin).kind))
      reader.fail_at(item, "forward_authorization",
                     "needs an origin of type http; others take no credential of a caller");
  }
}

void check_listeners(Reader& reader, const YamlNode& node, const Config& config) {
  std::vector<std::string> seen;
  for (const auto& [address, proxy_protocol] : config.listen) {
    const std::string shown = AddressText::show(address);
    if (address.port != 0 && contains(seen, shown))
      reader.fail_at(node, "listen", fmt::format("{} is given twice", shown));
    seen.push_back(shown);
  }
  if (!config.admin.listen || config.admin.listen->port == 0) return;
  if (!contains(seen, AddressText::show(*config.admin.listen))) return;
  const Reader::Step step(reader, "admin");
  reader.fail_at(node.find("admin")->value, "listen", "is also an address of the top-level 'listen'");
}

}  // namespace

// ---- listeners

void place_listen(Reader&, const YamlNode&, Listen&& listen, Config& config) {
  config.listen.push_back(std::move(listen));
}

// ---- origins

void place_origin(Reader& reader, const Entry& entry, const Section& section, Config& config) {
  Origin origin{.name = entry.name, .line = entry.line, .concurrency = {}, .kind = {}};
  void* kind = nullptr;
  if (section.type == "dir") kind = &origin.kind.emplace<DirOrigin>();
  if (section.type == "s3") kind = &origin.kind.emplace<S3Origin>();
  if (section.type == "http") kind = &origin.kind.emplace<HttpOrigin>();
  reader.section(entry.value, section, kind);
  config.origins.emplace(entry.name, std::move(origin));
}

void check_dir(Reader& reader, const YamlNode&, DirOrigin& origin) {
  origin.path = reader.resolve(origin.path);
}

void check_tls(Reader& reader, const YamlNode&, OriginTls& tls) {
  if (!tls.ca_file.empty()) tls.ca_file = reader.resolve(tls.ca_file);
}

void place_credentials(Reader& reader, const YamlNode& node, CredentialsDraft&& draft, S3Origin& origin) {
  Parsed<AwsCredentials> found;
  if (node.kind == YamlNode::Kind::kScalar ||
      reader.exactly_one(node, std::array<std::string_view, 2>{"source", "file"}) == "source") {
    if (node.find("profile") != nullptr) reader.fail_at(node, "profile", "needs 'file'");
    found = credentials_from_env(reader.env());
  } else {
    const std::string path = reader.resolve(draft.file);
    const Parsed<base::Secret> ini = read_secret_file(path);
    if (!ini) reader.fail_at(node, "file", ini.error());
    found = credentials_from_ini(*ini, draft.profile);
    if (!found) reader.fail_at(node, "file", found.error());
  }
  if (!found) reader.fail(node.line, found.error());
  origin.access_key_id = std::move(found->access_key_id);
  origin.secret_access_key = std::move(found->secret_access_key);
  origin.session_token = std::move(found->session_token);
}

void check_s3(Reader& reader, const YamlNode& node, S3Origin& origin) {
  if (node.find("credentials") != nullptr) {
    for (const std::string_view key : {"access_key_id", "secret_access_key", "session_token"})
      if (node.find(key) != nullptr)
        reader.fail_at(node, key, "stands beside 'credentials'; give one of them");
  }
  // Half a credential must not become an anonymous request.
  if (origin.access_key_id.empty() != origin.secret_access_key.empty()) {
    if (origin.secret_access_key.empty()) reader.fail_at(node, "access_key_id", "needs 'secret_access_key'");
    reader.fail_at(node, "secret_access_key", "needs 'access_key_id'");
  }
  if (!origin.session_token.empty() && origin.access_key_id.empty())
    reader.fail_at(node, "session_token", "needs 'access_key_id' and 'secret_access_key'");
  if (!origin.endpoint.path.empty())
    reader.fail_at(node, "endpoint", "must have no path; a prefix of keys is 'prefix'");

  const bool china = origin.region.starts_with("cn-");
  const std::string aws = fmt::format("s3.{}.amazonaws.com{}", origin.region, china ? ".cn" : "");
  if (origin.endpoint.host.empty()) origin.endpoint = Url{.tls = true, .host = aws, .port = 443, .path = ""};
  if (node.find("style") == nullptr && (origin.endpoint.host.ends_with(".amazonaws.com") ||
                                        origin.endpoint.host.ends_with(".amazonaws.com.cn")))
    origin.style = S3Style::kVirtualHost;
}

// ---- identities

void place_identity(Reader& reader, const Entry& entry, const Section& section, Config& config) {
  JwtIdentity identity;
  identity.name = entry.name;
  identity.line = entry.line;
  reader.section(entry.value, section, &identity);
  config.identities.emplace(entry.name, std::move(identity));
}

void place_key(Reader& reader, const YamlNode& node, KeyDraft&& draft, JwtIdentity& identity) {
  const std::string_view way =
      reader.exactly_one(node, std::array<std::string_view, 3>{"file", "env", "inline"});
  Key key{.kid = std::move(draft.kid),
          .algorithm = draft.algorithm,
          .material = {},
          .source = "inline",
          .line = node.line};
  Parsed<base::Secret> bytes = std::move(draft.inlined);
  if (way == "file") {
    key.source = "file " + draft.file;
    bytes = read_secret_file(reader.resolve(draft.file));
  } else if (way == "env") {
    key.source = "env " + draft.env;
    const std::optional<std::string> value = reader.env()(draft.env);
    if (value && !value->empty())
      bytes = base::Secret(*value);
    else
      bytes = std::unexpected(fmt::format("the environment variable {} is not set, or empty", draft.env));
  }
  if (bytes) {
    bytes = decode(*bytes, draft.encoding);
    if (bytes && bytes->empty()) bytes = std::unexpected("is empty");
  }
  if (!bytes) reader.fail_at(node, way, bytes.error());
  key.material = *std::move(bytes);
  identity.keys.push_back(std::move(key));
}

void place_token_source(Reader& reader, const YamlNode& node, TokenSourceDraft&& draft,
                        JwtIdentity& identity) {
  TokenSource source;
  if (node.kind == YamlNode::Kind::kMap) {
    const std::string_view way =
        reader.exactly_one(node, std::array<std::string_view, 3>{"scheme", "header", "query"});
    if (!draft.prefix.empty() && way != "header") reader.fail_at(node, "prefix", "needs 'header'");
    if (way == "header")
      source = {TokenSource::Kind::kHeader, std::move(draft.header), std::move(draft.prefix)};
    if (way == "query") source = {TokenSource::Kind::kQuery, std::move(draft.query), ""};
  }
  identity.from.push_back(std::move(source));
}

void check_identity(Reader& reader, const YamlNode& node, JwtIdentity& identity) {
  if (identity.from.empty()) identity.from.emplace_back();
  const Reader::Step step(reader, "keys");
  const YamlNode& keys = node.find("keys")->value;
  for (std::size_t i = 0; i < identity.keys.size(); ++i) {
    Key& key = identity.keys[i];
    const YamlNode& item = keys.kind == YamlNode::Kind::kList ? keys.items[i] : keys;
    const Reader::Step at(reader, i);
    if (!key.algorithm) {
      if (identity.algorithms.size() != 1)
        reader.fail(key.line, "needs 'algorithm', as the identity lists several");
      key.algorithm = identity.algorithms[0];
    } else if (!contains(identity.algorithms, *key.algorithm)) {
      reader.fail_at(item, "algorithm", "is not among the identity's 'algorithms'");
    }
    for (std::size_t j = 0; j < i; ++j) {
      const Key& other = identity.keys[j];
      if (!key.kid.empty() && key.kid == other.kid && key.algorithm == other.algorithm)
        reader.fail_at(item, "kid", fmt::format("is also the kid of the key in line {}", other.line));
    }
  }
}

// ---- the whole

void place_route(Reader&, const YamlNode& node, Route&& route, Config& config) {
  route.line = node.line;
  config.routes.push_back(std::move(route));
}

void check_config(Reader& reader, const YamlNode& node, Config& config) {
  check_listeners(reader, node, config);
  check_routes(reader, node, config);
  for (std::string* output : {&config.log.output, &config.log.access.output})
    if (*output != "stdout" && *output != "stderr") *output = reader.resolve(*output);
}

}  // namespace config::rules
