#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/read_file.h"
#include "config/material.h"
#include "config/rules.h"

namespace config::rules {
namespace {

constexpr std::size_t kMaxAuthorities = 4 << 20;

bool all_of(std::string_view text, bool (*is)(char)) {
  return !text.empty() && std::ranges::all_of(text, is);
}

// eu-central-1, us-gov-west-1: two letters, words, a number.
bool names_a_region(std::string_view label) {
  const std::size_t end = label.rfind('-');
  if (end == std::string_view::npos || end < 3 || label[2] != '-') return false;
  return all_of(label.substr(0, 2), [](char c) { return c >= 'a' && c <= 'z'; }) &&
         all_of(label.substr(3, end - 3), [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; }) &&
         all_of(label.substr(end + 1), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_aws(std::string_view host) {
  return host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
}

// The region in the name of one of AWS's endpoints: s3.eu-central-1.amazonaws.com, with s3-fips, dualstack or
// a VPC endpoint's labels in front, or as s3-eu-west-1 was once written. "" where it is for all regions.
std::string_view region_of(std::string_view host) {
  if (!is_aws(host)) return {};
  host = host.substr(0, host.rfind(".amazonaws.com"));
  if (host.ends_with(".vpce")) host.remove_suffix(5);
  std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.starts_with("s3-")) label.remove_prefix(3);
  return names_a_region(label) ? label : std::string_view{};
}

}  // namespace

void place_origin(Reader& reader, const Entry& entry, const Section& section, Config& config) {
  Origin origin{.name = entry.name, .line = entry.line, .concurrency = {}, .kind = {}};
  void* kind = nullptr;
  if (section.type == "dir") kind = &origin.kind.emplace<DirOrigin>();
  if (section.type == "s3") kind = &origin.kind.emplace<S3Origin>();
  if (section.type == "http") kind = &origin.kind.emplace<HttpOrigin>();
  Reader::Parts parts(reader);
  parts([&] { reader.section(entry.value, section, kind); });
  parts([&] { reader.common(entry.value, section, &origin); });
  parts.done();
  config.origins.emplace(entry.name, std::move(origin));
}

void check_dir(Reader& reader, const YamlNode&, DirOrigin& origin) {
  origin.path = reader.resolve(origin.path);
}

// Only looked at: whoever speaks TLS reads it again, since authorities are renewed.
void check_tls(Reader& reader, const YamlNode& node, OriginTls& tls) {
  if (tls.ca_file.empty()) return;
  tls.ca_file = reader.resolve(tls.ca_file);
  const auto pem = base::read_file(tls.ca_file, kMaxAuthorities);
  if (!pem) reader.fail_at(node, "ca_file", fmt::format("the file '{}' {}", tls.ca_file, pem.error()));
  if (!pem->contains("-----BEGIN "))
    reader.fail_at(node, "ca_file", fmt::format("the file '{}' holds no PEM certificates", tls.ca_file));
}

void place_credentials(Reader& reader, const YamlNode& node, CredentialsDraft&& draft, S3Origin& origin) {
  Parsed<AwsCredentials> found;
  if (node.kind == YamlNode::Kind::kScalar ||
      reader.exactly_one(node, std::array<std::string_view, 2>{"source", "file"}) == "source") {
    if (node.find("profile") != nullptr) reader.fail_at(node, "profile", "needs 'file'");
    found = credentials_from_env(reader.env());
  } else {
    const std::string path = reader.own(draft.file);
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

  // Else `tenant1` with `/0/x` behind it would name an object of `tenant10`.
  if (!origin.prefix.empty() && !origin.prefix.ends_with('/')) origin.prefix += '/';

  if (origin.region.empty()) origin.region = region_of(origin.endpoint.host);
  const bool china = origin.region.starts_with("cn-");
  const std::string aws = origin.region.empty()
                              ? "s3.amazonaws.com"
                              : fmt::format("s3.{}.amazonaws.com{}", origin.region, china ? ".cn" : "");
  if (origin.endpoint.host.empty()) origin.endpoint = Url{.tls = true, .host = aws, .port = 443, .path = ""};
  // Over https a bucket's dots make a host that no certificate of theirs covers.
  const bool covered = !origin.endpoint.tls || !origin.bucket.contains('.');
  if (node.find("style") == nullptr && covered && is_aws(origin.endpoint.host))
    origin.style = S3Style::kVirtualHost;
}

}  // namespace config::rules
