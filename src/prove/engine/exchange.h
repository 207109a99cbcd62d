// One request and its reply on one connection: a state machine that says what it waits for.
//
// Problem:  a coroutine for each request would allocate for each request; here the user of the load, which
//           lives as long as the run, waits in place for whatever this asks for.
// Owner:    a user of the load.  Thread: its generator's.
// Lifetime: start() … advance() until kDone; what the Wire, PlannedStep and Values are lives that long.
// Units:    nanoseconds since the first phase began.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/stream.h"
#include "prove/engine/books.h"
#include "prove/engine/plan.h"
#include "prove/wire/cookie_jar.h"
#include "prove/wire/inflater.h"
#include "prove/wire/reply_parser.h"

namespace prove {

struct Clock {  // of a run
  base::Mono began{};
  Nanos now() const { return base::mono_now() - began; }
};

// What a user wants of a reply's head beside what its step says.
struct HeadNotes {
  CookieJar* jar = nullptr;  // takes Set-Cookie, from this place
  std::string_view host;
  std::string path;
  bool secure = false;
  bool wants_location = false;
  std::optional<std::string> location{};  // of a redirect; as it came

  CookiePlace place() const { return {.host = host, .path = path, .secure = secure}; }
  void take(const ReplyParser& head);
};

class Exchange {
 public:
  enum class Wait : std::uint8_t { kRead, kWrite, kSleep, kYield, kDone };
  enum class End : std::uint8_t { kWhole, kReset, kBadReply };

  Exchange(const Clock& clock, std::span<char> scratch) : clock_(clock), scratch_(scratch) {}

  // `notes`: null: none.
  void start(const PlannedStep& step, Wire wire, Values& values, std::uint64_t bandwidth, HeadNotes* notes);
  Wait advance(net::Stream& stream);

  // ---- so far
  Nanos sent() const { return sent_; }              // kNever: not a byte
  Nanos first_byte() const { return first_byte_; }  // kNever: none
  Nanos wake_at() const { return wake_at_; }        // with kSleep
  std::uint64_t bytes() const { return step_->step->decompress ? wire_bytes_ : bytes_; }  // of the body
  std::uint64_t length() const { return bytes_; }  // of what came out of it
  std::uint16_t status() const { return parser_.status(); }
  bool begun() const { return parser_.begun(); }   // a byte of the reply has come
  bool unsent() const { return left() == size_; }  // not a byte of the request was taken
  // The first bytes of what came, until the next read; whether it was a reply or not.
  std::string_view came_first();
  // With kBadReply, or of a body whose coding is wrong.
  std::string_view why() const {
    return surplus_ ? "more came than the reply" : !coding_why_.empty() ? coding_why_ : parser_.why();
  }
  // Of the reply's body what was kept of it and what was found behind that, and of the values what captures
  // have taken the place of.
  std::string_view kept_body() const { return step_->expectation.keeps_body() ? body_ : std::string_view(); }
  std::uint64_t found_beyond() const { return found_beyond_; }
  const Captured& replaced() const { return captures_; }
  // Of the request's body the bytes that the peer's system has taken.
  std::uint64_t body_taken(const net::Stream& stream) const;

  // Of a step with `dpop`: the nonce that the reply brought, and whether it is a 401 that asks for it.
  const std::string& nonce() const { return nonce_; }
  bool wants_nonce() const { return wants_nonce_; }

  // ---- with kDone
  End end() const { return end_; }
  Nanos done() const { return done_; }
  bool reusable() const { return reusable_; }  // the connection
  bool refused() const { return refused_; }    // with End::kReset: by a reset, and not by an orderly end
  Ending judge();                              // with End::kWhole; captures what the step captures

 private:
  struct FreeDigest {
    void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
  };

  bool send(net::Stream& stream);  // false: it would block
  std::uint64_t left() const { return to_send_.size() + generated_left_; }
  Wait finish(End end, bool reusable);
  bool feed(std::string_view bytes);  // true: the reply has ended, one way or the other
  void take_nonce();
  void read_coding(std::size_t head_end);
  void take_coded(std::string_view piece);
  void take_body(std::string_view piece);
  std::string hex_digest();

  const Clock& clock_;
  std::span<char> scratch_;
  ReplyParser parser_;
  const PlannedStep* step_ = nullptr;
  Values* values_ = nullptr;
  std::string_view to_send_;
  std::uint64_t generated_left_ = 0;
  std::uint64_t size_ = 0, head_ = 0;  // of the request
  bool send_failed_ = false;
  bool surplus_ = false;  // bytes behind the reply
  std::uint64_t bandwidth_ = 0;
  Nanos sent_ = kNever, first_byte_ = kNever, done_{}, wake_at_{};
  HeadNotes* notes_ = nullptr;
  std::uint64_t bytes_ = 0;
  std::uint64_t read_ = 0;  // bytes of the connection, for pacing
  // What came first: of a reply that is whole at once it is only looked at, where it lies.
  static constexpr std::size_t kFirst = 4096;
  std::string first_;
  std::string_view last_read_;
  End end_ = End::kWhole;
  bool reusable_ = false;
  bool refused_ = false;
  bool headers_met_ = true;
  bool captured_ = true;
  std::string nonce_;
  bool wants_nonce_ = false;
  std::string body_;
  std::vector<Beyond> beyond_;  // what is searched for behind the part that is kept
  std::uint64_t found_beyond_ = 0;
  Captured captures_;  // until judge() puts them into their slots; then what was there before
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest_;
  // Of a step with `decompress`.
  enum class Coding : std::uint8_t { kNone, kGzip, kOther } coding_ = Coding::kNone;
  std::unique_ptr<Inflater> inflater_;
  std::string_view coding_why_;
  std::uint64_t wire_bytes_ = 0;
  std::size_t head_end_ = 0;  // in what came first
  std::string inflated_;      // the first bytes
};

}  // namespace prove
