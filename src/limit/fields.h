// What a reply says of the caller's rate limits.
//
// Thread:   any.
// Failure:  none; allocates nothing beyond `out`.
// Units:    whole seconds, rounded up.
// Standard: draft-ietf-httpapi-ratelimit-headers-11: RateLimit-Policy (§3), RateLimit (§4); RFC 9651,
//           structured fields; RFC 9110 §10.2.3, Retry-After.
#pragma once

#include <string>

#include "base/clock.h"
#include "config/model.h"
#include "limit/policy.h"

namespace limit {

// Each as `Name: value\r\n`; nothing where no policy was checked.
//   RateLimit-Policy, RateLimit           unless kOff. A refusal's RateLimit names only the policies that
//                                         refused, since Retry-After must not end before a window that
//                                         stands there (§6).
//   x-ratelimit-limit, -remaining, -reset with kBoth: of the policy that refused for longest, else of the one
//                                         with the least remaining.
//   Retry-After                           on refusal, always; at least 1.
void append_rate_fields(const Standing& standing, config::RateFields which, std::string& out);

// Retry-After alone, for refusals that are not a policy's (limit::Failures).
void append_retry_after(base::Nanos after, std::string& out);

// For Policies::policy_field and Policy::item, when they are compiled.
std::string policy_item(std::string_view name);
std::string policy_field(const std::vector<Policy>& policies);

}  // namespace limit
