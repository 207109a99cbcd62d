// The tables of keys that other tables lead to, one file a subject: keys.cc has the root, keys_origin.cc the
// origins, keys_app.cc the apps, keys_identity.cc the identities and the rules over claims, keys_limit.cc the
// limits, keys_log.cc the logs, keys_redis.cc Redis, keys_resolver.cc look-ups. Internal to the room.
//
// Owner:  the program; constants.
// Thread: any.
#pragma once

#include "config/keys.h"

namespace config {

extern const Decided kOriginTls;  // owner: OriginTls
extern const Decided kDir, kS3, kHttp;
extern const Decided kJwt;
extern const Section kStatus;
extern const Decided kClaimRule;
extern const Section kRate;  // owner: RateLimit
extern const Section kConcurrency;
extern const Section kLimits;
extern const Section kLog;
extern const Section kAudit;
extern const Section kRedis;
extern const Section kResolver;

}  // namespace config
