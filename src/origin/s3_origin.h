// A bucket behind the gateway: GET and HEAD of objects, signed, by way of S3's HTTP interface.
//
// Owner, thread, lifetime: as Origin. A Reply with several ranges asks this origin for each as it is read.
// Standard: Amazon S3 "GetObject" and "HeadObject"; RFC 9110 §13.1.5 (If-Range), §14 (ranges).
// Failure:  as Origin; what an S3 reply turns into stands in s3_reply.h.
//
// The key is the decoded path without its first slash, behind the configured prefix; `//` stays. A request
// for no key at all is kNotFound and never sent: it would list the bucket. Of a query partNumber is kept, and
// versionId where `versions` says so; everything else would be a sub-resource (?acl, ?policy) or a way to
// change the reply's fields (?response-content-type).
//
// S3 does not know If-Range and answers one range at a time. If-Range becomes Range with If-Match (a strong
// tag) or If-Unmodified-Since (a date), and what comes back is checked; where it does not hold, the object is
// asked for as a whole. Several ranges become HEAD, then one GET a range, tied by If-Match.
//
// A reply that says that the bucket is in another region is followed where the operator has not said which
// (s3_place.h): the request is signed anew and asked once more.
//
// A probe asks HEAD of the bucket, and where that is no success for one key of it, since only that has a body
// that says why. Between two proofs it only knocks: a listing has its price.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "client/pool.h"
#include "http/via.h"
#include "net/tls.h"
#include "origin/origin.h"
#include "origin/s3_place.h"
#include "origin/s3_reply.h"
#include "origin/sigv4.h"

namespace origin {

// One request to S3. Empty views are not sent.
struct ObjectQuestion {
  http::Method method = http::Method::kGet;
  std::string_view path{};  // as on the wire, bucket included where the style wants it
  std::string_view query{};
  std::string_view range{}, if_match{}, if_none_match{}, if_modified_since{}, if_unmodified_since{};
};

class S3Origin final : public Origin {
 public:
  static constexpr Abilities kAbilities{.path = PathForm::kDecodedWhole, .says_freshness = true};

  S3Origin(const config::Origin& configuration, const config::S3Origin& options, Env env);

  net::Task<base::Result<Reply>> fetch(const Ask& ask, net::Cancel* cancel) override;
  net::Task<base::Result<>> probe(net::Cancel* cancel) override;
  std::string_view allowed_methods() const override { return "GET, HEAD"; }
  bool effective_query(std::string_view raw_query, bool has_query, std::string& out) const override;
  std::string_view finding() const override { return finding_; }
  void close_idle() override { pool_->close_idle(); }

  // Signs, sends and judges one request; for the parts of a reply as well.
  net::Task<base::Result<Reply>> ask(const ObjectQuestion& question, net::Cancel* cancel);

 private:
  net::Task<base::Result<Reply>> fetch_if_range(ObjectQuestion question, std::string_view if_range,
                                                net::Cancel* cancel);
  net::Task<base::Result<Reply>> fetch_ranges(ObjectQuestion question, std::string_view if_range,
                                              net::Cancel* cancel);
  net::Task<base::Result<Reply>> attempt(const ObjectQuestion& question, std::string& region,
                                         net::Cancel* cancel);
  struct BucketAnswer {
    std::uint16_t status = 0;
    S3Error error;
  };
  net::Task<base::Result<BucketAnswer>> ask_bucket(http::Method method, net::Cancel* cancel);
  net::Task<base::Result<BucketAnswer>> prove(net::Cancel* cancel);
  bool move_to(const std::string& region);
  base::Ref<client::Pool> make_pool() const;
  void render(const ObjectQuestion& question, std::string& out);

  const Env env_;
  S3Place place_;
  const std::string bucket_, prefix_, access_key_id_;  // the last empty: anonymous
  const std::string via_ = "1.1 " + http::our_name();
  const bool versions_;
  const std::shared_ptr<const net::TlsContext> tls_;
  Signer signer_;
  base::Ref<client::Pool> pool_;
  base::Mono proven_until_{};
  bool proven_ = false;  // once, and nothing has been said against it since
  std::string finding_;
};

}  // namespace origin
