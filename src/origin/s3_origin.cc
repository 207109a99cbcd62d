#include "origin/s3_origin.h"

#include "client/http1.h"
#include "client/reply_maker.h"
#include "config/fingerprint.h"
#include "http/conditions.h"
#include "http/date.h"
#include "http/etag.h"
#include "http/range.h"
#include "http/target.h"
#include "origin/s3_parts.h"
#include "origin/s3_probe.h"
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

// A listing is paid for; a refusal is looked at again soon, since somebody may be mending it.
constexpr base::Nanos kProofHolds = base::Seconds(15);

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
      env_(env),
      place_(options),
      bucket_(options.bucket),
      prefix_(options.prefix),
      access_key_id_(options.access_key_id),
      versions_(options.versions),
      tls_(options.endpoint.tls
               ? std::make_shared<const net::TlsContext>(options.tls.verify, options.tls.ca_file)
               : nullptr),
      signer_({.access_key_id = options.access_key_id,
               .secret_access_key = options.secret_access_key,
               .session_token = options.session_token,
               .region = std::string(place_.region())}),
      pool_(make_pool()) {}

base::Ref<client::Pool> S3Origin::make_pool() const {
  return base::make_ref<client::Pool>(env_.loop, env_.resolver, place_.remote(), tls_, shared_stats());
}

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
  add("Host", place_.host());
  add("Via", via_);
  add("Range", question.range);
  add("If-Match", question.if_match);
  add("If-None-Match", question.if_none_match);
  add("If-Modified-Since", question.if_modified_since);
  add("If-Unmodified-Since", question.if_unmodified_since);
  if (!access_key_id_.empty()) {
    const Signature s = signer_.sign({.method = method,
                                      .host = place_.host(),
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

// One request. `region` becomes what the reply says of the bucket's, where that is not the one that was
// signed for.
net::Task<base::Result<Reply>> S3Origin::attempt(const ObjectQuestion& question, std::string& region,
                                                 net::Cancel* cancel) {
  std::string head;
  head.reserve(1024 + question.path.size());
  render(question, head);
  const std::string signed_for(place_.region());
  auto reply = co_await client::exchange(pool_, {.method = question.method, .head = head}, cancel);
  if (!reply) co_return std::unexpected(reply.error());
  const bool untold = question.method == http::Method::kHead && hides_its_reason(*reply);
  auto judged = co_await judge_s3(std::move(*reply), !question.query.empty(), region, cancel);
  if (region == signed_for) region.clear();
  if (!untold || (!region.empty() && place_.found())) co_return judged;

  ObjectQuestion telling = question;  // on the connection that is free by now
  telling.method = http::Method::kGet;
  telling.range = "bytes=0-0";
  auto told = co_await attempt(telling, region, cancel);
  co_return !told || told->status() >= 300 ? std::move(told) : std::move(judged);
}

net::Task<base::Result<Reply>> S3Origin::ask(const ObjectQuestion& question, net::Cancel* cancel) {
  std::string region;
  auto reply = co_await attempt(question, region, cancel);
  if (region.empty() || !move_to(region)) co_return reply;
  region.clear();
  co_return co_await attempt(question, region, cancel);
}

// Another request may have been here before.
bool S3Origin::move_to(const std::string& region) {
  if (region == place_.region()) return true;
  const std::string from(place_.host());
  if (!place_.move(region)) return false;
  signer_.set_region(region);
  if (place_.host() != from) pool_ = make_pool();  // the other one goes with the last reply that came by it
  return true;
}

net::Task<base::Result<Reply>> S3Origin::fetch(const Ask& ask_, net::Cancel* cancel) {
  if (ask_.method != http::Method::kGet && ask_.method != http::Method::kHead)
    co_return fail(Code::kMethodNotAllowed, "objects can be read only");
  if (ask_.path.size() < 2) co_return fail(Code::kNotFound, "no object is named");
  if (prefix_.size() + ask_.path.size() - 1 > kMaxKey || !text::valid_utf8(ask_.path))
    co_return fail(Code::kBadRequest, "the key of an object is UTF-8, of 1,024 bytes at most");
  std::string path(place_.key_path()), query;
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

// ---- readiness

net::Task<base::Result<S3Origin::BucketAnswer>> S3Origin::ask_bucket(http::Method method,
                                                                     net::Cancel* cancel) {
  std::string query, head;
  if (method == http::Method::kGet) {
    query = "list-type=2&max-keys=1&prefix=";
    encode_s3_path(prefix_, query);
  }
  render({.method = method, .path = place_.bucket_path(), .query = query}, head);
  auto reply = co_await client::exchange(pool_, {.method = method, .head = head}, cancel);
  if (!reply) co_return std::unexpected(reply.error());
  BucketAnswer answer{.status = reply->status(), .error = {}};
  if (answer.status / 100 != 2) answer.error = co_await read_s3_error(*reply, cancel);
  co_return answer;
}

net::Task<base::Result<S3Origin::BucketAnswer>> S3Origin::prove(net::Cancel* cancel) {
  for (bool moved = false;; moved = true) {
    const std::string signed_for(place_.region());
    auto head = co_await ask_bucket(http::Method::kHead, cancel);
    if (!head || head->status / 100 == 2) co_return head;
    auto told = co_await ask_bucket(http::Method::kGet, cancel);
    if (!told) co_return told;
    if (told->error.region.empty()) told->error.region = std::move(head->error.region);
    const std::string& region = told->error.region;
    if (moved || region.empty() || region == signed_for || !move_to(region)) co_return told;
  }
}

net::Task<base::Result<>> S3Origin::probe(net::Cancel* cancel) {
  if (base::mono_now() < proven_until_) {
    const auto connection = co_await pool_->dial(cancel);
    if (connection) co_return base::Result<>{};
    proven_until_ = {};
    finding_ = pool_->trouble();
    co_return std::unexpected(connection.error());
  }
  const auto answer = co_await prove(cancel);
  if (!answer) {
    finding_ = pool_->trouble();
    co_return std::unexpected(answer.error());
  }
  const BucketFinding found = judge_bucket({.bucket = bucket_,
                                            .host = place_.host(),
                                            .region = place_.region(),
                                            .access_key_id = access_key_id_,
                                            .region_found = place_.found(),
                                            .proven = proven_},
                                           answer->status, answer->error);
  finding_ = found.words;
  proven_ = found.usable;
  if (!proven_) co_return fail(Code::kOriginDenied, "the object store does not let us in");
  proven_until_ = base::mono_now() + kProofHolds;
  co_return base::Result<>{};
}

}  // namespace origin
