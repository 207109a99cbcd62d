// What a bucket's answer to HEAD and to a listing says of us: whether key, secret, region and bucket are
// right, and which of them is not.
//
// Owner:    nobody; pure functions.  Thread: any.
// Failure:  none.
// Standard: Amazon S3 "Error responses", as MinIO and versitygw follow them;
//           docs/adr/0024-readiness-of-s3.md.
//
// The words are for the operator alone. They name the access key id, never the secret, and of what the other
// side says only codes, regions and numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "origin/s3_reply.h"

namespace origin {

struct BucketAsked {
  std::string_view bucket, host, region, access_key_id;  // the last one empty: asked without a key
  bool region_found = false;                             // nobody has said it
  bool proven = false;                                   // it was all right before
};

struct BucketFinding {
  bool usable = false;
  std::string words;  // what is wrong, or what to know all the same; "": nothing
};

// Of the last answer: its status, and its error where it is one.
BucketFinding judge_bucket(const BucketAsked& asked, std::uint16_t status, const S3Error& error);

}  // namespace origin
