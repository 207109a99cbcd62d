// What an S3 server's reply means to a client, and what of it the client may see.
//
// Owner:    S3Origin. Thread: the worker's own.
// Lifetime: the Reply goes in and comes out.
// Standard: Amazon S3's "Error responses" and "GetObject", as MinIO and others follow them.
//
//   200, 206, 304       a Reply with the object's own fields: type, coding, language, disposition,
//                       validators, freshness, ranges, x-amz-meta-*, x-amz-version-id. An allow-list, because
//                       the rest speaks of the server (ids, encryption, CORS; MinIO's Vary names fields that
//                       we never send) and grows with every server.
//   416                 a Reply without a body, with Content-Range
//   412                 kPreconditionFailed
//   404                 kNotFound; with x-amz-delete-marker a Reply that has it, too
//   405                 a Reply without a body: the version asked for is a delete marker, where nothing is
//                       allowed
//   403, 401            kForbidden, or kOriginDenied when it is our signature, key or clock that is refused.
//   A
//                       key that may not list its bucket is told 403 for missing objects too; the gateway
//                       cannot know better and says 403. HEAD has no body to tell the two apart (MinIO says
//                       it in a field): there the object's first byte is asked for to learn it.
//   400                 kOriginDenied for expired or malformed credentials; kBadRequest when the client named
//                       a version or part; else kOriginBadReply
//   3xx                 kOriginDenied: the bucket is in another region; but where the object itself
//                       redirects (a website endpoint), a Reply with its Location
//   429, 503            kOverloaded, so that the client hears 503 and comes again later; with Retry-After a
//                       Reply of 503 that has it
//   anything else       kOriginBadReply
//
// Bodies of errors are read (16 KiB at most) to learn the code and to keep the connection; none goes on.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "net/loop.h"
#include "net/task.h"
#include "origin/origin.h"

namespace origin {

// Whether this reply to HEAD leaves open what only its body would have told.
bool hides_its_reason(const Reply& reply);

// `chosen`: the client named a version or a part, so that a 400 may be about these. `region` becomes what an
// error says of where the bucket is; "" where it says nothing.
net::Task<base::Result<Reply>> judge_s3(Reply reply, bool chosen, std::string& region, net::Cancel* cancel);

// What an error says of itself. Neither is trusted: letters, digits and hyphens, 64 at most.
struct S3Error {
  std::string code;    // "": none
  std::string region;  // where the bucket is; "": it does not say
};
// Reads the body, 16 KiB at most.
net::Task<S3Error> read_s3_error(Reply& reply, net::Cancel* cancel);

}  // namespace origin
