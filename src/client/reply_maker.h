// How a Reply is made: from a connection, from a file, or from several replies.
//
// Owner:    the Reply owns all of it.
// Thread:   the worker's own.
// Failure:  none here; read() fails as reply.h says.
#pragma once

#include <memory>
#include <string>

#include "base/ref.h"
#include "client/connection.h"
#include "client/pool.h"
#include "client/reply.h"
#include "http/response_head.h"

namespace client {

// A head that is composed here, with its text. `capacity` bounds what add() may put in, all told:
// views into the text must not move.
class OwnHead {
 public:
  explicit OwnHead(std::uint16_t status, std::size_t capacity) {
    text_.reserve(capacity);
    head_.status = status;
    head_.framing = http::Framing::kLength;
    head_.has_content_length = true;
  }
  void add(http::FieldId id, std::string_view value) { add(id, http::field_name(id), value); }
  void add(http::FieldId id, std::string_view name, std::string_view value);
  void set_length(std::uint64_t length);
  http::ResponseHead& head() { return head_; }

 private:
  std::string_view keep(std::string_view text);
  std::string text_;
  http::ResponseHead head_;
};

// A body made of others, e.g. multipart/byteranges out of single ranges.
class ComposedBody {
 public:
  virtual ~ComposedBody() = default;
  virtual net::Task<base::Result<std::size_t>> read(std::span<char> out, net::Cancel* cancel) = 0;
};

class ReplyMaker {
 public:
  // `connection` has read the head; it goes back to `pool` when the Reply dies, if it may.
  static Reply of(base::Ref<Pool> pool, std::unique_ptr<Connection> connection, base::Mono requested);
  // Takes the descriptor. `with_body` is false for HEAD.
  static Reply of(File file, std::unique_ptr<OwnHead> head, bool with_body, base::Mono requested);
  static Reply of(std::unique_ptr<ComposedBody> body, std::unique_ptr<OwnHead> head, base::Mono requested,
                  base::Nanos idle_timeout);

  static http::ResponseHead& head(Reply& reply);  // for taking fields away
};

}  // namespace client
