// Several ranges of one object as one multipart/byteranges reply, though S3 gives one range a request.
//
// Owner:    the Reply. Thread: the worker's own.
// Lifetime: asks `origin` while it is read, so the origin must outlive it (as every Reply's origin does).
// Standard: RFC 9110 §14.6, §15.3.7.2.
// Failure:  kOriginBadReply when the object changes between two ranges; the head has gone out by then, so the
//           client sees a body that ends early, which its length betrays.
#pragma once

#include <string_view>

#include "http/range.h"
#include "origin/s3_origin.h"

namespace origin {

// `about` is the reply to HEAD; `set` holds at least two ranges.
Reply make_parts_reply(S3Origin& origin, std::string_view path, std::string_view query,
                       const http::RangeSet& set, Reply about);

// The Range field for one range.
std::string range_value(http::ByteRange range);

}  // namespace origin
