// What of a client's request goes on to an http origin, and what is believed of what it says.
//
// Owner:    nobody; functions on an exchange.  Thread: its worker's.
// Failure:  learn_client() leaves a problem in the exchange; the others have none.
// Standard: RFC 9110 sections 7.6.1 (hop-by-hop) and 7.6.3 (Via); RFC 7239 and the older X-Forwarded-*
//           fields.
//
// Forwarding fields and request ids are believed from trusted_proxies only; from others they are replaced by
// what we see ourselves. Many proxies write either Forwarded or X-Forwarded-For and pass the other on as a
// stranger wrote it, and nobody can see which: where both are there they must say the same, else 400.
// To the origin goes X-Forwarded-* alone, renewed here; a Forwarded beside it would be a second, older story.
// Credentials of ours do not go on either (credentials.h), nor do those in the query of a Referer, nor what
// only a proxy may say (http/field_kind.h), unless the route names it (forward_fields).
#pragma once

#include <string>

#include "gateway/exchange.h"

namespace gateway {

// OPTIONS whose Max-Forwards is used up (RFC 9110 section 7.6.2).
bool goes_no_further(const http::RequestHead& head);

// Sets client, client_address, trusted_peer, told_… and request_id of the exchange; false: it is refused.
bool learn_client(Exchange& x);

// Whether a credential of the client's own reaches the origin, so that the answer may be for its eyes alone.
// Cookies that do not count are none: a fill goes without them.
bool credentials_go_on(const Exchange& x);

enum class ForFill : bool { kNo, kYes };  // a fill asks for the whole object, without conditions

// Appends the fields that the route names (forward_fields) as the origin will get them: a part of the cache's
// key.
void append_keyed_fields(const Exchange& x, std::string& out);

// Appends the fields for the origin, each ended by CRLF.
void forward_fields(const Exchange& x, ForFill for_fill, std::string& out);

// Whether a request asks for a part, or under a condition.
inline bool selects(const http::FieldList& fields) {
  using http::FieldId;
  return fields.has(FieldId::kRange) || fields.has(FieldId::kIfMatch) || fields.has(FieldId::kIfNoneMatch) ||
         fields.has(FieldId::kIfModifiedSince) || fields.has(FieldId::kIfUnmodifiedSince);
}

}  // namespace gateway
