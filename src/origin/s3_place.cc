#include "origin/s3_place.h"

#include <algorithm>

#include "net/address.h"
#include "origin/sigv4.h"

namespace origin {

namespace {

constexpr std::string_view kFirstRegion = "us-east-1";
constexpr std::string_view kGlobal = "s3.amazonaws.com";
constexpr std::size_t kMaxRegion = 32;

// It becomes part of a host's name.
bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRegion && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

S3Place::S3Place(const config::S3Origin& options)
    : style_(options.style),
      bucket_(options.bucket),
      follows_(options.region.empty()),
      global_(options.endpoint.host == kGlobal),
      endpoint_(options.endpoint),
      region_(follows_ ? kFirstRegion : std::string_view(options.region)),
      bucket_path_(endpoint_.path + "/"),
      remote_{.host = {},
              .port = options.endpoint.port,
              .tls = options.endpoint.tls,
              .server_name = options.tls.server_name,
              .timeouts = options.timeouts,
              .pool = options.pool,
              .limits = options.limits},
      named_(!options.tls.server_name.empty()) {
  const bool virtual_host = style_ == config::S3Style::kVirtualHost;
  host_ = (virtual_host ? bucket_ + "." : "") + endpoint_.authority();
  if (!virtual_host) {
    encode_s3_path(bucket_, bucket_path_);
    bucket_path_ += '/';
  }
  key_path_ = bucket_path_;
  encode_s3_path(options.prefix, key_path_);
}

client::Remote S3Place::remote() const {
  client::Remote out = remote_;
  // A literal address has no sub-domains: the bucket is named in Host only.
  const bool literal = net::Endpoint::parse(endpoint_.host, 0).has_value();
  const bool within = style_ == config::S3Style::kVirtualHost && !literal;
  out.host = within ? bucket_ + "." + endpoint_.host : endpoint_.host;
  if (!named_) out.server_name = out.host;
  return out;
}

bool S3Place::move(std::string_view region) {
  if (!follows_ || !is_region(region)) return false;
  region_ = region;
  if (!global_) return true;
  endpoint_.host = "s3." + region_ + ".amazonaws.com";
  host_ = (style_ == config::S3Style::kVirtualHost ? bucket_ + "." : "") + endpoint_.authority();
  return true;
}

}  // namespace origin
