// Signs requests to AWS and what speaks its language: Signature Version 4, in header fields.
//
// Owner:    one per worker and origin. It keeps its contexts of the crypto library, its buffers and the
//           signing key of the day, so that a signature allocates nothing once the buffers have grown.
// Thread:   that worker only.
// Lifetime: the views of a Signature are good until the next call to sign(), content_sha256 as long as what
//           was given for payload_hash.
// Standard: AWS "Signature Version 4 signing process"; tests/vectors/aws-sigv4.
//
// Usage:    Signer signer({.access_key_id = …, .secret = …, .region = …});
//           encode_s3_path("/" + bucket + "/" + key, path);                  // what goes on the wire, too
//           auto s = signer.sign({.method = "GET", .host = host, .path = path, .now = base::wall_now()});
//           → add Authorization, x-amz-date, x-amz-content-sha256, and x-amz-security-token if not empty
//
// Failures: none; what it signs is the caller's to get right. The secret key is never written anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"

namespace origin {

// What x-amz-content-sha256 says of a body that is not hashed, and of one that is not there.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kEmptyPayload =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// How the path becomes canonical, and whether the payload's hash is a field of its own.
enum class SigningStyle : std::uint8_t {
  kS3,             // path as it stands on the wire; x-amz-content-sha256 is sent and signed
  kGeneral,        // dot segments and repeated slashes removed, then encoded once more
  kGeneralRawPath  // encoded once more, but not normalised
};

struct SignerOptions {
  std::string access_key_id;
  base::Secret secret_access_key;
  base::Secret session_token;  // empty: none
  std::string region;
  std::string service = "s3";
  SigningStyle style = SigningStyle::kS3;
};

struct SignedField {  // beyond host and the x-amz fields that the signer adds itself
  std::string_view name;
  std::string_view value;
};

struct SignRequest {
  std::string_view method;
  std::string_view host;   // the value of Host as it is sent
  std::string_view path;   // kS3: encoded, as it is sent (encode_s3_path)
  std::string_view query;  // as it is sent, without the question mark; sorted and encoded anew for signing
  std::string_view payload_hash = kEmptyPayload;
  std::span<const SignedField> fields = {};  // signed, too; the caller sends them
  base::Wall now{};
};

struct Signature {
  std::string_view authorization;
  std::string_view amz_date;
  std::string_view content_sha256;  // empty unless kS3
  std::string_view security_token;  // empty: none
};

class Signer {
 public:
  explicit Signer(SignerOptions options);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  Signature sign(const SignRequest& request);

  // From the next request on, which derives a new key.
  void set_region(std::string_view region);

  // Of the last sign(), for tests and for the log of a refused signature; neither holds a secret.
  std::string_view canonical_request() const;
  std::string_view string_to_sign() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Appends a decoded path in AWS's encoding: all but unreserved characters and slashes, in upper-case hex.
// Every S3 server decodes it to the same key, and it is its own canonical form.
void encode_s3_path(std::string_view decoded, std::string& out);

}  // namespace origin
