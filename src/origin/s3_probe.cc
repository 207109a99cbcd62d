#include "origin/s3_probe.h"

#include <fmt/format.h>

namespace origin {

namespace {

using Text = std::string_view;

// What each code means, in which {key}, {bucket}, {host} and {region} are put in.
struct Meaning {
  Text code;
  Text words;
};
constexpr Meaning kMeanings[] = {
    {"InvalidAccessKeyId", "the access key {key} is not known there"},
    {"XAdminUserNotFound", "the access key {key} is not known there"},  // versitygw
    {"SignatureDoesNotMatch", "the secret is not that of the access key {key}"},
    {"NoSuchBucket", "there is no bucket {bucket} at {host}"},
    {"ExpiredToken", "the session token has expired"},
    {"TokenRefreshRequired", "the session token has expired"},
    {"InvalidToken", "the session token is not that of the access key {key}"},
    {"InvalidTokenId", "the session token is not that of the access key {key}"},  // MinIO
    {"RequestTimeTooSkewed", "the clocks here and there differ by too much"},
    {"RequestExpired", "the clocks here and there differ by too much"},
    {"AuthorizationHeaderMalformed", "the bucket is not in the region {region}"},
    {"PermanentRedirect", "the bucket is in another region than {region}"},
    {"TemporaryRedirect", "the bucket is in another region than {region}"},
};

std::string put_in(Text words, const BucketAsked& asked) {
  return fmt::format(fmt::runtime(words), fmt::arg("key", asked.access_key_id),
                     fmt::arg("bucket", asked.bucket), fmt::arg("host", asked.host),
                     fmt::arg("region", asked.region));
}

}  // namespace

BucketFinding judge_bucket(const BucketAsked& asked, std::uint16_t status, const S3Error& error) {
  if (status / 100 == 2) {
    if (!asked.region_found) return {.usable = true, .words = {}};
    return {.usable = true, .words = fmt::format("no region is set; {} is taken", asked.region)};
  }
  // The signature holds, so key and secret do. Who may only read objects may not list them.
  if (error.code == "AccessDenied") {
    return {
        .usable = true,
        .words = asked.access_key_id.empty()
                     ? "the bucket may not be listed without a key; whether objects may be read is not "
                       "known, and a missing one is a 403"
                     : fmt::format("the access key {} may not list the bucket (s3:ListBucket); whether it "
                                   "may read objects is not known, and a missing one is a 403",
                                   asked.access_key_id)};
  }
  if (!error.region.empty() && error.region != asked.region) {
    return {.usable = false,
            .words = fmt::format("the bucket is in the region {}, and is asked for in {} at {}", error.region,
                                 asked.region, asked.host)};
  }
  for (const Meaning& meaning : kMeanings)
    if (error.code == meaning.code) return {.usable = false, .words = put_in(meaning.words, asked)};
  if (status == 404)
    return {.usable = false, .words = put_in("there is no bucket {bucket} at {host}", asked)};
  if (status == 503 || status == 429) {
    return {.usable = asked.proven,
            .words = "the object store asks for fewer requests" +
                     std::string(asked.proven ? "" : ", so that nothing is known of key and bucket")};
  }
  if (status / 100 == 3)
    return {.usable = false, .words = put_in("the bucket is in another region than {region}", asked)};
  if (error.code.empty())
    return {.usable = false, .words = fmt::format("{} answers with {} for the bucket", asked.host, status)};
  return {.usable = false,
          .words = fmt::format("{} answers with {} {} for the bucket", asked.host, status, error.code)};
}

}  // namespace origin
