#include "http/field_kind.h"

#include <gtest/gtest.h>

namespace http {
namespace {

TEST(FieldKind, IsToldByTheNameInAnyCase) {
  for (const char* name : {"X-Api-Key",
                           "api-key",
                           "APIKEY",
                           "X-Auth-Token",
                           "X-Amz-Security-Token",
                           "X-Access-Token",
                           "X-Session-Id",
                           "X-CSRF-Token",
                           "X-XSRF-TOKEN",
                           "Private-Token",
                           "X-Vault-Token",
                           "DPoP",
                           "X-Tenant-Id",
                           "X-Acme-Secret",
                           "X-Functions-Key",
                           "X-Serverless-Authorization",
                           "JWT",
                           "X-WP-Nonce",
                           "X-Scope-OrgID",
                           "X-User-Token",
                           "Auth-Token"})
    EXPECT_EQ(kind_of(name), FieldKind::kCredential) << name;
  for (const char* name : {"X-Original-URL",
                           "x-rewrite-url",
                           "X-Forwarded-Prefix",
                           "X-Forwarded-Path",
                           "X-Forwarded-Port",
                           "X-Forwarded-Server",
                           "X-Forwarded-Scheme",
                           "X-Forwarded-Ssl",
                           "X-Forwarded-New",
                           "X-Forwarded",
                           "X-HTTP-Method-Override",
                           "X-HTTP-Method",
                           "X-Method-Override",
                           "X-Host",
                           "Proxy",
                           "X-Middleware-Subrequest",
                           "X_Anything",
                           "Content_Length",
                           "_",
                           "X.Real.IP",
                           "X!Forwarded!User",
                           "a~b",
                           "X-Acme-User",
                           "X-Acme-Groups"})
    EXPECT_EQ(kind_of(name), FieldKind::kRewrite) << name;
  for (const char* name : {"X-Forwarded-User",
                           "X-Forwarded-Email",
                           "X-Forwarded-Groups",
                           "X-Forwarded-Client-Cert",
                           "X-Remote-User",
                           "Remote-User",
                           "X-Real-IP",
                           "X-Client-IP",
                           "True-Client-IP",
                           "X-Auth-Request-User",
                           "X-WEBAUTH-USER",
                           "X-Authenticated-User",
                           "X-User",
                           "X-User-Id",
                           "CF-Connecting-IP",
                           "Client-Cert",
                           "Cf-Access-Authenticated-User-Email",
                           "X-Auth-User",
                           "X-Auth-Groups",
                           "Impersonate-User",
                           "X-Amzn-Mtls-Clientcert",
                           "OIDC-Claim-email",
                           "SM-User"})
    EXPECT_EQ(kind_of(name), FieldKind::kVouched) << name;
}

TEST(FieldKind, IsPlainOfWhatEveryClientSends) {
  for (const char* name : {"Accept",
                           "Accept-Language",
                           "Origin",
                           "Referer",
                           "Sec-Fetch-Site",
                           "Sec-WebSocket-Key",
                           "DNT",
                           "X-Requested-With",
                           "X-User-Agent",
                           "X-Grpc-Web",
                           "X-Client-Data",
                           "Idempotency-Key",
                           "Priority",
                           "Upgrade-Insecure-Requests",
                           "tracestate",
                           "baggage",
                           "X",
                           "X-",
                           "X-9",
                           "9",
                           "Save-Data",
                           "Content-Language",
                           "Access-Control-Request-Method",
                           "Tus-Resumable",
                           "Range-Unit"})
    EXPECT_EQ(kind_of(name), FieldKind::kPlain) << name;
}

}  // namespace
}  // namespace http
