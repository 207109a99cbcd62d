// A reply as it is handed to a session: a status, rendered field lines, and how long the body is. What the
// protocol adds (a status line, framing, Connection) is the session's own.
//
// Owner:    the guest.  Thread: the session's.
// Lifetime: what a ReplyHead views, and the Out, stay as they are until the reply has ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace serve {

// Field lines, each ended by CRLF, in a string that keeps its capacity. In front of them is room for what a
// protocol puts before fields, so that the whole head goes out as it lies there.
class Out {
 public:
  static constexpr std::size_t kHeadroom = 64;  // "HTTP/1.1 431 Request Header Fields Too Large\r\n" and more

  std::string& begin() {  // the lines are appended to what this returns
    text_.resize(kHeadroom);
    return text_;
  }
  std::string& text() { return text_; }
  std::string_view lines() const { return std::string_view(text_).substr(kHeadroom); }
  void clear() { text_.clear(); }

 private:
  std::string text_;
};

struct ReplyHead {
  std::uint16_t status = 200;
  // Of the body, for Content-Length, also where none is sent (HEAD, 304). None: nothing is said of it.
  std::optional<std::uint64_t> length{};
  bool streams = false;  // a body follows whose length nobody knows
  // More lines, kept elsewhere.
  std::string_view fields{};
  // For who writes text: `fields`, Content-Length, the empty line, and maybe the whole body, in one piece.
  // Empty: not kept.
  std::string_view tail{};
};

enum class Sent : std::uint8_t { kAll, kAgain, kGone };

struct Begun {
  Sent sent = Sent::kAll;
  std::uint64_t body = 0;  // bytes of the body's parts that are out
};

}  // namespace serve
