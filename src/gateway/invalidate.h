// What is kept of a resource goes when somebody has written to it.
//
// Owner:    nobody; a function on an exchange.  Thread: its worker's; the tier is the process's.
// Failure:  none. A name that cannot be read, or is another host's, is passed over.
// Standard: RFC 9111 §4.4.
//
// Of the target goes what is kept of its path and query, and of its path alone, whatever host it was asked
// for by: an upload that ends with `POST /key?uploadId=…` has made /key. Location and Content-Location of the
// reply and Destination of the request (RFC 4918, MOVE and COPY) name more, and count where they lead to the
// same origin: by this gateway's paths, or by those that the origin sees.
//
// A write whose reply never came may have been made all the same: its target goes, too.
//
// What only a body names (the keys of an S3 multi-object delete) is not known here.
#pragma once

#include "gateway/exchange.h"
#include "gateway/services.h"
#include "http/response_head.h"

namespace gateway {

// After the head of a reply to any method, before it goes on.
void invalidate_written(const Services& services, const Exchange& x, const http::ResponseHead& reply);
// When none has come to a request of which something was sent: it may have been done. While an origin cannot
// be asked nobody shall be able to empty what is kept of it.
void invalidate_unanswered(const Services& services, const Exchange& x);

}  // namespace gateway
