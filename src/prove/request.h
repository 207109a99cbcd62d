// What one step sends: rendered once where nothing in it changes, else into a buffer that is used again.
//
// Owner:    the plan of a run.  Thread: immutable after construction, any; buffers belong to the caller.
// Lifetime: the Step and Target outlive it; a Wire's views live as long as the Request and the buffer.
// Failure:  constructor: std::runtime_error with one line (a body file that cannot be read).
//
// Host, User-Agent and Content-Length are written unless the step's own headers name them. Bodies of `body_size`
// bytes are not kept: they are sent as so many copies of one block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "prove/model.h"

namespace prove {

struct Wire {
  std::string_view bytes;       // head, and the body where it is text or a file
  std::uint64_t generated = 0;  // bytes of body that follow, taken from filler()
};

std::string_view filler();  // a block of printable bytes, 64 KiB

class Request {
 public:
  Request(const Step& step, const Target& target);

  bool constant() const { return constant_; }
  bool to_head() const { return to_head_; }
  bool idempotent() const { return idempotent_; }  // RFC 9110, 9.2.2: may be sent again

  Wire render(const Values& values, std::string& buffer) const {
    if (constant_) return {wire_, step_->body_size};
    return render_anew(values, buffer);
  }

 private:
  Wire render_anew(const Values& values, std::string& buffer) const;
  void append_head(std::string& out, const Values& values, std::uint64_t length) const;

  const Step* step_;
  const Target* target_;
  std::string body_;  // where it is always the same
  std::string wire_;  // of a constant request
  bool constant_ = false;
  bool to_head_ = false;
  bool idempotent_ = false;
  bool has_host_ = false, has_agent_ = false, has_body_ = false;
};

}  // namespace prove
