// Where a bucket is: the host that is asked, how the bucket is named there, and the region that requests are
// signed for.
//
// Owner:    S3Origin.  Thread: the worker's own.
// Lifetime: views are good until move().
// Failure:  none; a region that cannot be followed is not.
// Standard: Amazon S3 "Making requests to a bucket", "Request redirection" (x-amz-bucket-region).
//
// Where the operator names no region, and the endpoint does not either, it is found: it begins as us-east-1,
// and a reply that tells another moves the place there. No question is asked for that: what comes back from
// the wrong region is an error that says the right one, and the same request is asked once more. The endpoint
// of all regions (s3.amazonaws.com) then gives way to the region's own; one that the operator named stays,
// and so does whatever was said of the region.
#pragma once

#include <string>
#include <string_view>

#include "client/pool.h"
#include "config/model_origin.h"

namespace origin {

class S3Place {
 public:
  explicit S3Place(const config::S3Origin& options);

  std::string_view host() const { return host_; }                // as in Host
  std::string_view bucket_path() const { return bucket_path_; }  // encoded: "/", "/bucket/"
  std::string_view key_path() const { return key_path_; }        // before every key: that, with the prefix
  std::string_view region() const { return region_; }
  bool found() const { return follows_; }  // rather than said
  client::Remote remote() const;

  // To where a reply says that the bucket is. False: that is not to be followed.
  bool move(std::string_view region);

 private:
  const config::S3Style style_;
  const std::string bucket_;
  const bool follows_;  // what replies say of the region
  const bool global_;   // the endpoint is that of all regions, and is left for the region's own
  config::Url endpoint_;
  std::string region_;
  std::string host_;
  std::string bucket_path_, key_path_;
  client::Remote remote_;  // but for the host's name
  const bool named_;       // the operator says which name the certificate has
};

}  // namespace origin
