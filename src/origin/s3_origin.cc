#include "origin/s3_origin.h"

#include "client/http1.h"
#include "client/reply_maker.h"
#include "config/fingerprint.h"
#include "http/conditions.h"
#include "http/date.h"
#include "http/etag.h"
#include "http/range.h"
#include "http/target.h"
#include "net/address.h"
#include "origin/s3_parts.h"
#include "origin/s3_reply.h"
#include "text/utf8.h"

namespace origin {

using base::Code;
using base::fail;
using client::OwnHead;
using client::ReplyMaker;
using http::FieldId;

namespace {

constexpr std::size_t kMaxKey = 1024;  // bytes, with the prefix

bool virtual_host(const config::S3Origin& options) {
  return options.style == config::S3Style::kVirtualHost;
}

std::string host_of(const config::S3Origin& options) {
  return (virtual_host(options) ? options.bucket + "." : "") + options.endpoint.authority();
}

std::string path_head_of(const config::S3Origin& options) {
  std::string out = options.endpoint.path + "/";
  if (!virtual_host(options)) {
    encode_s3_path(options.bucket, out);
    out += '/';
  }
  encode_s3_path(options.prefix, out);
  return out;
}

client::Remote remote_of(const config::S3Origin& options) {
  // A literal address has no sub-domains: the bucket is named in Host only.
  const bool literal = net::Endpoint::parse(options.endpoint.host, 0).has_value();
  const std::string host = virtual_host(options) && !literal ? options.bucket + "." + options.endpoint.host
                                                             : options.endpoint.host;
  return {.host = host,
          .port = options.endpoint.port,
          .tls = options.endpoint.tls,
          .server_name = options.tls.server_name.empty() ? host : options.tls.server_name,
          .timeouts = options.timeouts,
          .pool = options.pool,
          .limits = options.limits};
}

http::Validators validators_of(const http::ResponseHead& head) {
  http::Validators out{.etag = head.value(FieldId::kEtag), .last_modified = {}, .date = {}};
  if (const auto* field = head.find(FieldId::kLastModified))
    out.last_modified = http::parse_date(field->value);
  if (const auto* field = head.find(FieldId::kDate)) out.date = http::parse_date(field->value);
  return out;
}

}  // namespace

S3Origin::S3Origin(const config::Origin& configuration, const config::S3Origin& options, Env env)
    : Origin(configuration.name, config::fingerprint(configuration)),
      host_(host_of(options)),
      path_head_(path_head_of(options)),
      prefix_size_(options.prefix.size()),
      anonymous_(options.access_key_id.empty()),
      versions_(options.versions),
      signer_({.access_key_id = options.access_key_id,
               .secret_access_key = options.secret_access_key,
               .session_token = options.session_token,
               .region = options.region}),
      pool_(base::make_ref<client::Pool>(env.loop, env.resolver, remote_of(options), options.tls,
                                         shared_stats())) {}

bool S3Origin::effective_query(std::string_view raw_query, bool has_query, std::string& out) const {
  if (!has_query) return false;
  bool any = false;
  for (const std::string_view name : {"partNumber", "versionId"}) {  // in one order, for cache keys
    if (name == "versionId" && !versions_) continue;
    const auto value = http::query_value(raw_query, name);
    if (!value) continue;
    if (any) out += '&';
    out += name;
    out += '=';
    out += *value;
    any = true;
  }
  return any;
}

void S3Origin::render(const ObjectQuestion& question, std::string& out) {
  const auto add = [&out](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  };
  const std::string_view method = question.method == http::Method::kHead ? "HEAD" : "GET";
  out += method;
  out += ' ';
  out += question.path;
  if (!question.query.empty()) {
    out += '?';
    out += question.query;
  }
  out += " HTTP/1.1\r\n";
  add("Host", host_);
  add("Via", via_);
  add("Range", question.range);
  add("If-Match", question.if_match);
  add("If-None-Match", question.if_none_match);
  add("If-Modified-Since", question.if_modified_since);
  add("If-Unmodified-Since", question.if_unmodified_since);
  if (!anonymous_) {
    const Signature s = signer_.sign({.method = method,
                                      .host = host_,
                                      .path = question.path,
                                      .query = question.query,
                                      .now = base::wall_now()});
    add("x-amz-date", s.amz_date);
    add("x-amz-content-sha256", s.content_sha256);
    add("x-amz-security-token", s.security_token);
    add("Authorization", s.authorization);
  }
  out += "\r\n";
}

net::Task<base::Result<Reply>> S3Origin::ask(const ObjectQuestion& question, net::Cancel* cancel) {
  std::string head;
  head.reserve(1024 + question.path.size());
  render(question, head);
  auto reply = co_await client::exchange(pool_, {.method = question.method, .head = head}, cancel);
  if (!reply) co_return std::unexpected(reply.error());
  const bool untold = question.method == http::Method::kHead && hides_its_reason(*reply);
  auto judged = co_await judge_s3(std::move(*reply), !question.query.empty(), cancel);
  if (!untold) co_return judged;
  ObjectQuestion telling = question;  // on the connection that is free by now
  telling.method = http::Method::kGet;
  telling.range = "bytes=0-0";
  auto told = co_await ask(telling, cancel);
  co_return !told || told->status() >= 300 ? std::move(told) : std::move(judged);
}

net::Task<base::Result<Reply>> S3Origin::fetch(const Ask& ask_, net::Cancel* cancel) {
  if (ask_.method != http::Method::kGet && ask_.method != http::Method::kHead)
    co_return fail(Code::kMethodNotAllowed, "objects can be read only");
  if (ask_.path.size() < 2) co_return fail(Code::kNotFound, "no object is named");
  if (prefix_size_ + ask_.path.size() - 1 > kMaxKey || !text::valid_utf8(ask_.path))
    co_return fail(Code::kBadRequest, "the key of an object is UTF-8, of 1,024 bytes at most");
  std::string path = path_head_, query;
  encode_s3_path(ask_.path.substr(1), path);
  effective_query(ask_.raw_query, ask_.has_query, query);
  ObjectQuestion question{.method = ask_.method,
                          .path = path,
                          .query = query,
                          .range = ask_.range,
                          .if_match = ask_.if_match,
                          .if_none_match = ask_.if_none_match,
                          .if_modified_since = ask_.if_modified_since,
                          .if_unmodified_since = ask_.if_unmodified_since};
  if (ask_.method == http::Method::kHead) question.range = {};  // ranges are GET's, RFC 9110 section 14.2
  if (question.range.find(',') != std::string_view::npos)
    co_return co_await fetch_ranges(question, ask_.if_range, cancel);
  if (!question.range.empty() && !ask_.if_range.empty())
    co_return co_await fetch_if_range(question, ask_.if_range, cancel);
  co_return co_await ask(question, cancel);
}

net::Task<base::Result<Reply>> S3Origin::fetch_if_range(ObjectQuestion question, std::string_view if_range,
                                                        net::Cancel* cancel) {
  ObjectQuestion whole = question;
  whole.range = {};
  const auto tag = http::parse_etag(if_range);
  if (tag ? tag->weak : !http::parse_date(if_range)) co_return co_await ask(whole, cancel);

  // Where the client's own condition takes the place of ours, the check below does the work alone.
  std::string_view& guard = tag ? question.if_match : question.if_unmodified_since;
  const bool guarded = guard.empty();
  if (guarded) guard = if_range;
  {
    auto reply = co_await ask(question, cancel);
    if (!reply && !(guarded && reply.error().code == Code::kPreconditionFailed)) co_return reply;
    if (reply && (reply->status() != 206 || http::if_range_holds(if_range, validators_of(reply->head()))))
      co_return reply;
  }
  co_return co_await ask(whole, cancel);
}

net::Task<base::Result<Reply>> S3Origin::fetch_ranges(ObjectQuestion question, std::string_view if_range,
                                                      net::Cancel* cancel) {
  const std::string_view wanted = std::exchange(question.range, {});
  ObjectQuestion about = question;
  about.method = http::Method::kHead;
  auto head = co_await ask(about, cancel);
  if (!head || head->status() != 200) co_return head;

  const std::uint64_t size = head->head().content_length;
  const http::RangeSet set = http::parse_range(wanted, size);
  const bool holds = if_range.empty() || http::if_range_holds(if_range, validators_of(head->head()));
  const bool chosen_part = question.query.find("partNumber=") != std::string_view::npos;
  if (!holds || chosen_part || !head->head().has_content_length ||
      set.kind == http::RangeSet::Kind::kIgnore) {
    *head = Reply();  // gives its connection back
    co_return co_await ask(question, cancel);
  }
  if (set.kind == http::RangeSet::Kind::kUnsatisfiable) {
    auto own = std::make_unique<OwnHead>(std::uint16_t{416}, 128);
    std::string value;
    http::append_unsatisfied(size, value);
    own->add(FieldId::kContentRange, value);
    own->set_length(0);
    co_return ReplyMaker::of(nullptr, std::move(own), head->requested_at(), head->idle_timeout());
  }
  const std::string tag(head->head().value(FieldId::kEtag));
  if (set.size() == 1) {
    *head = Reply();
    const std::string range = range_value(set.ranges()[0]);
    question.range = range;
    if (question.if_match.empty()) question.if_match = tag;
    co_return co_await ask(question, cancel);
  }
  co_return make_parts_reply(*this, question.path, question.query, set, std::move(*head));
}

net::Task<base::Result<>> S3Origin::probe(net::Cancel* cancel) {
  const auto connection = co_await pool_->dial(cancel);
  if (!connection) co_return std::unexpected(connection.error());
  co_return base::Result<>{};
}

}  // namespace origin
