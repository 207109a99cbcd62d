// Whether another site's page may have made a browser send this request with a cookie of ours.
//
// Owner:    nobody; functions on an exchange.  Thread: its worker's.
// Failure:  none; what says nothing of where it comes from is taken for another site's.
// Standard: Fetch Metadata (Sec-Fetch-Site), RFC 6454 section 7 (Origin), RFC 6265bis section 8.8.1.
//
// A browser attaches a cookie to whatever a page asks for, and any page may ask. So a credential that came in
// a cookie counts for requests that change nothing, and for others only with evidence that one of our own
// pages asks: an Origin of the request's own scheme, host and port, or of the identity's `allowed_origins`;
// or, where there is no Origin, `Sec-Fetch-Site: same-origin` or `none` (the person themselves). An upgrade
// counts as a change, though it is a GET: a WebSocket is no subject of CORS. What is said twice, or of two
// minds, is no evidence; `same-site` is none either, since whoever has a sibling's name has it.
//
// The scheme is what a trusted peer says, else http. Browsers behind a proxy that is not in trusted_proxies
// are known by Sec-Fetch-Site, which has compared the schemes already.
#pragma once

#include "config/model.h"
#include "gateway/exchange.h"

namespace gateway {

bool changes_something(const http::RequestHead& head);
bool asked_by_own_page(const Exchange& x, const config::TokenSource& cookie);

}  // namespace gateway
