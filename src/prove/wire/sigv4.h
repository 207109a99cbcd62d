// Signs requests of s3 steps: AWS Signature Version 4 in the Authorization header, for S3's rules (the path
// is encoded once and not normalised, the payload's hash stands in a field of its own).
//
// Problem:  the gateway's signer is under test, so what tests it shares no code with it. At thousands of
//           requests a second the key of a day is derived once, and buffers are used again.
// Owner:    one generator, for each target.  Thread: one.
// Failures: constructor: std::runtime_error when OpenSSL has no SHA-256. Signing has none.
//
// Usage:    SigV4 signer(access_key_id, secret_access_key, session_token, region);
//           signer.append_fields(head, {.method = "PUT", .target = "/bucket/key", .host = "127.0.0.1:9000",
//                                       .payload = payload_hash(body)}, base::wall_now());
#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

namespace prove {

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

std::string payload_hash(std::string_view body);  // SHA-256, lower-case hex

using Field = std::pair<std::string_view, std::string_view>;  // name, value

struct SigV4Request {
  std::string_view method;
  std::string_view target;             // path and query as they are sent
  std::string_view host;               // as in the Host field
  std::string_view payload;            // payload_hash() or kUnsignedPayload
  std::span<const Field> fields = {};  // others to sign: all that begin with x-amz- must be here
};

class SigV4 {
 public:
  SigV4(std::string access_key_id, base::Secret secret_access_key, base::Secret session_token,
        std::string region, std::string service = "s3");

  // Appends x-amz-date, x-amz-content-sha256, Authorization and, with temporary credentials,
  // x-amz-security-token, each line with its CR LF. The request's own fields are the caller's to send.
  void append_fields(std::string& out, const SigV4Request& request, base::Wall now);

  // The value of Authorization for exactly these signed fields, host and dates among them. Valid until the
  // next call.
  std::string_view authorization(std::string_view method, std::string_view target,
                                 std::span<const Field> fields, std::string_view payload, base::Wall now);

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Free {
    void operator()(EVP_MD* p) const { EVP_MD_free(p); }
    void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
    void operator()(EVP_MAC* p) const { EVP_MAC_free(p); }
    void operator()(EVP_MAC_CTX* p) const { EVP_MAC_CTX_free(p); }
  };
  template <class T>
  using Owned = std::unique_ptr<T, Free>;

  void turn_to(base::Wall now);  // the time's text, and the signing key of its day
  Digest keyed(std::string_view key, std::string_view text);
  Digest keyed_again(std::string_view text);  // with the key of the day
  void canonical_target(std::string_view target);
  void canonical_fields(std::span<const Field> fields);

  std::string access_key_id_;
  base::Secret secret_, session_token_;
  std::string region_, service_;
  Owned<EVP_MD> sha256_;
  Owned<EVP_MD_CTX> hash_;
  Owned<EVP_MAC> hmac_;
  Owned<EVP_MAC_CTX> mac_;
  Owned<EVP_MAC_CTX> key_of_day_;

  std::int64_t second_ = -1, day_ = -1;
  std::array<char, 16> time_{};  // 20260101T000000Z
  std::string scope_;            // 20260101/region/service/aws4_request
  std::string canonical_, names_, to_sign_, value_;
  std::vector<Field> fields_, sorted_;
  std::vector<std::pair<std::string, std::string>> query_;
};

}  // namespace prove
