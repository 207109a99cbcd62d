// Reads the replies of an HTTP/1.1 server (RFC 9112), a piece at a time, as the bytes come.
//
// Problem:  the target is under test and may send anything, so this is strict: what is ambiguous is no reply
//           but a finding. It is the harness's own, since a parser shared with the gateway would share its
//           bugs.
// Owner:    a connection of the load.  Thread: one.
// Lifetime: views are into the caller's bytes or into the parser's own buffer, good until the next next().
// Failure:  kBad, for ever; why() says what is wrong.
// Memory:   that of the largest head so far; bodies pass through. A head that comes in one piece is not
//           copied.
//
//   parser.start(is_head);
//   for (std::string_view in = bytes;;) switch (parser.next(in)) {  // takes from the front of `in`
//     case kHead: … status(), find("etag") …
//     case kBody: … piece() …
//     case kEnd:  … the reply is whole, `in` holds what came behind it …
//     case kMore: … `in` is empty: read on; at the peer's end ask ended() …
//     case kBad:  …
//   }
//
// Refused: versions other than 1.0 and 1.1, status codes outside 100 … 599, bare CR or LF, line folding, NUL
// and controls, white space before a colon, Content-Length that is repeated with another value or stands
// beside Transfer-Encoding, transfer codings other than chunked, 101, heads over 64 KiB. Interim replies are
// skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/sabotage.h"

namespace prove {

class ReplyParser {
 public:
  enum class Event : std::uint8_t { kMore, kHead, kBody, kEnd, kBad };
  static constexpr std::size_t kMaxHead = 64 << 10;

  void start(bool to_head);  // the next reply; to a HEAD request?
  Event next(std::string_view& in);

  // The peer has ended its side. Whether that ends the reply in order (kEnd) or cuts it off (kBad).
  Event ended();

  bool begun() const { return begun_; }  // a byte of a reply has come
  std::uint16_t status() const { return status_; }
  std::string_view piece() const { return piece_; }
  bool keep_alive() const { return keep_alive_ && framing_ != Framing::kUntilClose; }
  std::string_view why() const { return why_; }

  // The value of the first field of that name, which is lower-case; at kHead only.
  std::optional<std::string_view> find(std::string_view name) const;
  // f() is given the values of all of them in turn, until it says false.
  template <class F>
  void each(std::string_view name, F&& f) const {
    for (std::string_view rest = head_; const auto value = next_field(rest, name);)
      if (!f(*value) || sabotage::on("prove-first-field-only")) return;
  }

 private:
  enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };
  enum class State : std::uint8_t {
    kHead,
    kBody,
    kChunkSize,
    kChunkData,
    kChunkEnd,
    kTrailer,
    kUntilClose,
    kEnd,
    kBad,
  };

  static std::optional<std::string_view> next_field(std::string_view& rest, std::string_view name);
  Event bad(std::string_view why);
  Event read_head(std::string_view& in);
  bool parse_head(std::string_view head);
  bool parse_status_line(std::string_view line);
  bool take_field(std::string_view name, std::string_view value);
  Event take(std::string_view& in, std::size_t n);
  // One line of the chunked framing, without its end; nothing while it has not come whole.
  std::optional<std::string_view> line(std::string_view& in);
  bool parse_chunk_size(std::string_view text);

  State state_ = State::kEnd;
  Framing framing_ = Framing::kNone;
  bool to_head_ = false;
  bool begun_ = false;
  bool keep_alive_ = true;
  bool chunked_ = false;
  std::uint16_t status_ = 0;
  std::uint64_t left_ = 0;  // of the body or of the chunk
  std::size_t trailers_ = 0;
  std::optional<std::uint64_t> length_;
  std::string_view piece_;
  std::string_view head_;  // from the status line to before the empty line
  std::string_view why_;
  std::string pending_;      // the beginning of a head or of a line, or one that came in pieces
  bool handed_out_ = false;  // views point into `pending_`; the next call may clear it
};

}  // namespace prove
