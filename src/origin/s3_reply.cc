#include "origin/s3_reply.h"

#include <algorithm>
#include <array>
#include <string>

#include "client/reply_maker.h"
#include "http/chars.h"
#include "http/date.h"

namespace origin {

using base::Code;
using base::fail;
using client::OwnHead;
using client::ReplyMaker;
using http::FieldId;

namespace {

constexpr std::size_t kMaxError = 16 << 10;
constexpr std::string_view kDeleteMarker = "x-amz-delete-marker";
constexpr std::string_view kWrongRegion = "AuthorizationHeaderMalformed";

bool starts_with_nocase(std::string_view text, std::string_view prefix) {
  return http::iequals(text.substr(0, prefix.size()), prefix);
}

bool of_the_object(const http::Field& field) {
  switch (field.id) {
    case FieldId::kContentType:
    case FieldId::kContentLength:
    case FieldId::kContentEncoding:
    case FieldId::kContentRange:
    case FieldId::kAcceptRanges:
    case FieldId::kEtag:
    case FieldId::kLastModified:
    case FieldId::kCacheControl:
    case FieldId::kExpires:
    case FieldId::kDate:
    case FieldId::kTransferEncoding:
      return true;
    case FieldId::kOther:
      break;
    default:
      return false;
  }
  return http::iequals(field.name, "Content-Disposition") || http::iequals(field.name, "Content-Language") ||
         http::iequals(field.name, "x-amz-version-id") || starts_with_nocase(field.name, "x-amz-meta-");
}

void keep_object_fields(http::ResponseHead& head) {
  // What some servers say of the body in a 304 is about their error document, not about the object.
  const auto misleading = [&](const http::Field& field) {
    return head.status == 304 && (field.id == FieldId::kContentType || field.id == FieldId::kContentLength);
  };
  http::FieldList kept;
  for (const http::Field& field : head.fields)
    if (of_the_object(field) && !misleading(field)) kept.push(field.name, field.value, field.id);
  head.fields = kept;
}

// The text of an element of an error document, e.g. <Code>NoSuchKey</Code>; such documents are flat.
std::string_view element(std::string_view xml, std::string_view open, std::string_view close) {
  const std::size_t at = xml.find(open);
  if (at == std::string_view::npos) return {};
  xml.remove_prefix(at + open.size());
  return xml.substr(0, xml.find(close));
}

// The body, if it is short; what was read of it otherwise.
net::Task<std::string> read_error(Reply& reply, net::Cancel* cancel) {
  std::string text(kMaxError, '\0');
  std::size_t size = 0;
  for (int reads = 0; reads < 64 && size < text.size(); ++reads) {
    const auto n = co_await reply.read(std::span(text).subspan(size), cancel);
    if (!n || *n == 0) break;
    size += *n;
  }
  text.resize(size);
  co_return text;
}

std::string word(std::string_view text) {
  const bool good =
      text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return http::is(http::kDigitChar, c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
      });
  return good ? std::string(text) : std::string();
}

S3Error error_of(const Reply& reply, std::string_view xml) {
  S3Error out{.code = word(element(xml, "<Code>", "</Code>")), .region = {}};
  const http::FieldList& fields = reply.head().fields;
  if (const http::Field* said = fields.find("x-minio-error-code"); said && out.code.empty())
    out.code = word(said->value);
  if (const http::Field* said = fields.find("x-amz-bucket-region"))
    out.region = word(said->value);
  else if (out.code == kWrongRegion || out.code.ends_with("Redirect"))
    out.region = word(element(xml, "<Region>", "</Region>"));
  return out;
}

base::Error denied(std::string_view code) {
  static constexpr auto kOurs = std::to_array<base::Error>({
      {Code::kOriginDenied, "the object store does not know our access key"},
      {Code::kOriginDenied, "the object store refuses our signature: check secret and region"},
      {Code::kOriginDenied, "our session token has expired or does not belong to the key"},
      {Code::kOriginDenied, "the object store's clock differs from ours by too much"},
  });
  if (code == "InvalidAccessKeyId") return kOurs[0];
  if (code == "SignatureDoesNotMatch" || code == kWrongRegion || code == "InvalidRequest") return kOurs[1];
  if (code == "ExpiredToken" || code == "InvalidToken" || code == "TokenRefreshRequired") return kOurs[2];
  if (code == "RequestTimeTooSkewed" || code == "RequestExpired") return kOurs[3];
  return {Code::kForbidden, "the object store does not give out this object"};
}

// A reply of our own instead of theirs: a status and one field.
Reply bare(const Reply& from, std::uint16_t status, std::string_view name, std::string_view value) {
  auto own = std::make_unique<OwnHead>(status, 128 + name.size() + value.size());
  own->add(http::field_id(name), name, value);
  if (status >= 400) own->add(FieldId::kCacheControl, "no-store");
  if (status == 405) own->add(FieldId::kAllow, "");
  own->set_length(0);
  return ReplyMaker::of(nullptr, std::move(own), from.requested_at(), from.idle_timeout());
}

Reply unsatisfiable(const Reply& from, std::string_view xml) {
  std::string value(from.head().value(FieldId::kContentRange));
  const std::string_view size = element(xml, "<ActualObjectSize>", "</ActualObjectSize>");
  if (value.empty() && !size.empty() && size.size() < 20 &&
      std::ranges::all_of(size, [](char c) { return http::is(http::kDigitChar, c); }))
    value = "bytes */" + std::string(size);
  auto own = std::make_unique<OwnHead>(std::uint16_t{416}, 64 + value.size());
  if (!value.empty()) own->add(FieldId::kContentRange, value);
  own->set_length(0);
  return ReplyMaker::of(nullptr, std::move(own), from.requested_at(), from.idle_timeout());
}

// The service redirects to where the bucket is, and says so.
bool is_of_the_bucket(const Reply& reply, const S3Error& error) {
  return reply.head().fields.find("x-amz-bucket-region") || !error.region.empty() ||
         error.code.ends_with("Redirect") || error.code == kWrongRegion;
}

// What an object or a folder of a website endpoint sends a client on with: a place, and at the most a
// document for people. With one for programs it is the service that redirects, or what stands before it, and
// where to is not the client's to know.
bool is_of_the_object(const Reply& reply, const S3Error& error, std::string_view document) {
  const std::string_view type = reply.head().value(FieldId::kContentType);
  const bool for_people = document.empty() || starts_with_nocase(type, "text/html");
  return for_people && reply.head().fields.has(FieldId::kLocation) && !is_of_the_bucket(reply, error);
}

bool is_a_time(std::string_view text) {  // of Retry-After: seconds or a date, RFC 9110 section 10.2.3
  std::uint64_t seconds = 0;
  return http::parse_decimal(text, seconds) || http::parse_date(text);
}

bool marked(const Reply& reply) {
  const http::Field* const marker = reply.head().fields.find(kDeleteMarker);
  return marker && http::iequals(marker->value, "true");
}

}  // namespace

bool hides_its_reason(const Reply& reply) {
  const std::uint16_t status = reply.status();
  if (status != 400 && status != 401 && status != 403 && (status / 100 != 3 || status == 304)) return false;
  const http::Field* const said = reply.head().fields.find("x-minio-error-code");
  return !said || said->value == kWrongRegion;  // which one is right stands in the body alone
}

net::Task<S3Error> read_s3_error(Reply& reply, net::Cancel* cancel) {
  co_return error_of(reply, co_await read_error(reply, cancel));
}

net::Task<base::Result<Reply>> judge_s3(Reply reply, bool chosen, std::string& region, net::Cancel* cancel) {
  const std::uint16_t status = reply.status();
  if (status == 200 || status == 206 || status == 304) {
    keep_object_fields(ReplyMaker::head(reply));
    co_return reply;
  }
  const std::string xml = co_await read_error(reply, cancel);
  S3Error error = error_of(reply, xml);
  const std::string_view code = error.code;
  if (status / 100 == 3 || status == 400 || status == 403) region = std::move(error.region);
  switch (status) {
    case 416:
      co_return unsatisfiable(reply, xml);
    case 412:
      co_return fail(Code::kPreconditionFailed, "the object does not meet the request's conditions");
    case 404:
      // versitygw says 404 also of a key id that it does not know.
      if (code == "XAdminUserNotFound") co_return std::unexpected(denied("InvalidAccessKeyId"));
      if (marked(reply)) co_return bare(reply, 404, kDeleteMarker, "true");
      co_return fail(Code::kNotFound, "no such object");
    case 405:  // of a GET only where a version was asked for that is one
      if (marked(reply)) co_return bare(reply, 405, kDeleteMarker, "true");
      co_return fail(Code::kOriginBadReply, "the object store does not take our method");
    case 401:
    case 403:
      co_return std::unexpected(denied(code));
    case 429:
    case 503:
      if (const http::Field* later = reply.head().find(FieldId::kRetryAfter);
          later && is_a_time(later->value))
        co_return bare(reply, 503, "Retry-After", later->value);
      co_return fail(Code::kOverloaded, "the object store asks for fewer requests");
    case 400: {
      // A key that the store could not even name holds no object.
      if (code == "XMinioInvalidObjectName") co_return fail(Code::kNotFound, "no such object");
      if (code == "KeyTooLongError") co_return fail(Code::kBadRequest, "the object's key is too long");
      const base::Error why = denied(code);
      if (why.code == Code::kOriginDenied && code != "InvalidRequest") co_return std::unexpected(why);
      if (chosen) co_return fail(Code::kBadRequest, "the object store refuses the version or part asked for");
      co_return fail(Code::kOriginBadReply, "the object store calls our request malformed");
    }
    default:
      break;
  }
  if (status >= 300 && status < 400) {
    if (is_of_the_object(reply, error, xml))
      co_return bare(reply, status, "Location", reply.head().value(FieldId::kLocation));
    if (!is_of_the_bucket(reply, error))
      co_return fail(Code::kOriginBadReply, "the object store sends us on, and not to an object");
    co_return fail(Code::kOriginDenied, "the bucket is in another region");
  }
  co_return fail(Code::kOriginBadReply, "the object store failed");
}

}  // namespace origin
