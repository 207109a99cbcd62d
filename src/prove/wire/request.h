// What one step sends: rendered once where nothing in it changes, else into a buffer that is used again.
//
// Owner:    the plan of a run.  Thread: immutable after construction, any; buffers belong to the caller.
// Lifetime: the Step and Target outlive it; a Wire's views live as long as the Request and the buffer.
// Failure:  constructor: std::runtime_error with one line (a body file that cannot be read).
//
// Requests of s3 steps are signed, so that each second has its own. Host, User-Agent and Content-Length are
// written unless the step's own headers name them. No value makes a line of its own: in the path values are
// percent-encoded (template.h), and one that a field or the path cannot hold makes the Wire bad. Bodies of
// `body_size` bytes are not kept: they are sent as so many copies of one block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "prove/model/model.h"
#include "prove/wire/multipart.h"
#include "prove/wire/sigv4.h"

namespace prove {

// What signs the requests of s3 steps to one target, with buffers that are used again. One generator's.
struct Signer {
  explicit Signer(const Target& target)
      : sigv4(target.access_key_id, target.secret_access_key, target.session_token, target.region) {}

  SigV4 sigv4;
  std::string target, payload;
  std::vector<std::string> values;
  std::vector<Field> fields;
};

struct Wire {
  std::string_view bytes;       // head, and the body where it is text or a file
  std::uint64_t generated = 0;  // bytes of body that follow, taken from filler()
  std::size_t head = 0;         // bytes of `bytes` that are the head
  bool bad = false;             // a value cannot stand where the step puts it: not to be sent
};

std::string_view filler();  // a block of printable bytes, 64 KiB

class Request {
 public:
  Request(const Step& step, const Target& target);

  bool constant() const { return constant_; }
  bool to_head() const { return to_head_; }
  bool idempotent() const { return idempotent_; }  // RFC 9110, 9.2.2: may be sent again

  // `signer`: the target's, for s3 steps.
  Wire render(const Values& values, std::string& buffer, Signer* signer) const {
    if (constant_) return {.bytes = wire_, .generated = step_->body_size, .head = head_};
    return render_anew(values, buffer, signer);
  }

 private:
  Wire render_anew(const Values& values, std::string& buffer, Signer* signer) const;
  bool append_head(std::string& out, const Values& values, std::string_view boundary,
                   std::uint64_t length) const;
  bool append_target(std::string& out, const Values& values) const;
  void sign(std::string& out, const Values& values, std::string_view payload, Signer& signer) const;

  const Step* step_;
  const Target* target_;
  std::string authority_;
  Multipart multipart_;
  std::string body_;      // where it is always the same
  std::string boundary_;  // of such a multipart body
  std::string payload_;   // its hash, of s3 steps
  std::string wire_;      // of a constant request
  std::size_t head_ = 0;
  bool fixed_ = false;  // the body
  bool constant_ = false;
  bool to_head_ = false;
  bool idempotent_ = false;
  bool has_host_ = false, has_agent_ = false, has_body_ = false;
};

}  // namespace prove
