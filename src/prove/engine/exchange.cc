#include "prove/engine/exchange.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/sabotage.h"

namespace prove {
namespace {

// After so many bytes at one go others have their turn.
constexpr std::uint64_t kBurst = 1 << 20;

// What is shorter goes out at once, and the peer's system takes it whether anybody reads it or not.
constexpr std::uint64_t kLongBody = 64 << 10;

bool about_body(Reason reason) {
  return reason == Reason::kNone || reason == Reason::kBody || reason == Reason::kDigest ||
         reason == Reason::kLength || reason == Reason::kTooLong;
}

}  // namespace

void HeadNotes::take(const ReplyParser& head) {
  if (jar)
    head.each("set-cookie", [&](std::string_view value) {
      jar->take(value, place(), base::wall_now());
      return true;
    });
  if (!wants_location) return;
  if (const auto value = head.find("location")) location = *value;
}

void Exchange::start(const PlannedStep& step, Wire wire, Values& values, std::uint64_t bandwidth,
                     HeadNotes* notes) {
  step_ = &step;
  notes_ = notes;
  coding_ = Coding::kNone;
  coding_why_ = {};
  values_ = &values;
  to_send_ = wire.bytes;
  generated_left_ = wire.generated;
  size_ = left();
  head_ = wire.head;
  send_failed_ = false;
  bandwidth_ = bandwidth;
  sent_ = first_byte_ = kNever;
  bytes_ = read_ = 0;
  first_.clear();
  last_read_ = {};
  reusable_ = refused_ = surplus_ = false;
  headers_met_ = captured_ = true;
  captures_.clear();
  parser_.start(step.request.to_head());
  if (step.expectation.keeps_body()) {
    body_.clear();
    beyond_.clear();
    found_beyond_ = 0;
  }
  if (step.expectation.wants_digest()) {
    if (!digest_) digest_.reset(EVP_MD_CTX_new());
    EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr);
  }
}

bool Exchange::send(net::Stream& stream) {
  while (!send_failed_) {
    if (to_send_.empty()) {
      if (generated_left_ == 0) return true;
      to_send_ = filler().substr(0, generated_left_);
      generated_left_ -= to_send_.size();
    }
    if (sent_ == kNever) sent_ = clock_.now();
    const ssize_t n = stream.try_write(to_send_);
    if (n == net::Stream::kAgain) return false;
    // Whoever refuses an upload may have answered before he closed: what has come is read all the same.
    if (n < 0) send_failed_ = refused_ = true;
    if (n > 0) to_send_.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

Exchange::Wait Exchange::advance(net::Stream& stream) {
  if (!send(stream) && !stream.watch().readable) return Wait::kWrite;
  std::uint64_t burst = 0;
  for (;;) {
    // A read that came back short has emptied the socket; TLS may hold more than the socket shows.
    if (!stream.watch().readable && !send_failed_) return to_send_.empty() ? Wait::kRead : Wait::kWrite;
    std::span<char> room = scratch_;
    if (bandwidth_ > 0 && first_byte_ != kNever) {
      const Nanos due =
          first_byte_ +
          Nanos(static_cast<Nanos::rep>(static_cast<double>(read_) * 1e9 / static_cast<double>(bandwidth_)));
      if (due > clock_.now()) {
        wake_at_ = due;
        return Wait::kSleep;
      }
    }
    if (bandwidth_ > 0) room = room.first(std::clamp<std::size_t>(bandwidth_ / 50, 1024, room.size()));
    const ssize_t n = stream.try_read(room);
    if (n == net::Stream::kAgain) {
      if (send_failed_) {
        done_ = clock_.now();
        return finish(End::kReset, false);
      }
      return stream.watch().readable || !to_send_.empty() ? Wait::kWrite : Wait::kRead;
    }
    done_ = clock_.now();
    if (n < 0) {
      refused_ = true;
      return finish(End::kReset, false);
    }
    if (n == 0) {
      const bool whole = parser_.ended() == ReplyParser::Event::kEnd;
      return finish(whole ? End::kWhole : End::kReset, false);
    }
    if (first_byte_ == kNever) first_byte_ = done_;
    read_ += static_cast<std::uint64_t>(n);
    const std::string_view came(room.data(), static_cast<std::size_t>(n));
    last_read_ = came.substr(0, kFirst - first_.size());
    if (feed(came)) return finish(end_, reusable_ && to_send_.empty() && generated_left_ == 0);
    first_ += std::exchange(last_read_, {});  // the next read overwrites it
    burst += static_cast<std::uint64_t>(n);
    if (burst >= kBurst && stream.watch().readable) return Wait::kYield;
  }
}

std::string_view Exchange::came_first() {
  if (coding_ == Coding::kGzip) {  // what came out of it can be read, and what is secret in it be hidden
    first_ += std::exchange(last_read_, {});
    first_.resize(std::min(first_.size(), head_end_));
    first_ += std::exchange(inflated_, {});
    head_end_ = first_.size();
    return first_;
  }
  if (first_.empty()) return last_read_;
  first_ += std::exchange(last_read_, {});
  return first_;
}

// What was given to the system and not acknowledged lies in its buffers: nobody has taken that.
std::uint64_t Exchange::body_taken(const net::Stream& stream) const {
  if (sabotage::on("prove-uploads-are-whole")) return size_ - head_;
  std::uint64_t out = size_ - left();
  int queued = 0;
  if (size_ - head_ >= kLongBody && ::ioctl(stream.fd(), SIOCOUTQ, &queued) == 0 && queued > 0)
    out -= std::min(out, static_cast<std::uint64_t>(queued));
  return out > head_ ? out - head_ : 0;
}

Exchange::Wait Exchange::finish(End end, bool reusable) {
  end_ = end;
  reusable_ = reusable;
  return Wait::kDone;
}

bool Exchange::feed(std::string_view bytes) {
  const std::size_t came = first_.size() + bytes.size();
  for (;;) {
    switch (parser_.next(bytes)) {
      case ReplyParser::Event::kMore:
        return false;
      case ReplyParser::Event::kHead:
        headers_met_ = step_->expectation.headers_met(parser_, *values_);
        if (step_->step->dpop) take_nonce();
        if (notes_) notes_->take(parser_);
        if (step_->step->decompress) read_coding(came - bytes.size());
        if (step_->captures.any()) captured_ = step_->captures.from_head(parser_, captures_);
        break;
      case ReplyParser::Event::kBody:
        if (coding_ == Coding::kNone) {
          wire_bytes_ += parser_.piece().size();
          take_body(parser_.piece());
        } else {
          take_coded(parser_.piece());
        }
        break;
      case ReplyParser::Event::kEnd:
        // What follows a reply that nobody asked for belongs to no request: who sends it has lost count.
        surplus_ = !bytes.empty();
        if (coding_ == Coding::kGzip && coding_why_.empty() && !inflater_->whole())
          coding_why_ = inflater_->why();
        end_ = surplus_ ? End::kBadReply : End::kWhole;
        reusable_ = bytes.empty() && parser_.keep_alive();
        return true;
      case ReplyParser::Event::kBad:
        end_ = End::kBadReply;
        reusable_ = false;
        return true;
    }
  }
}

void Exchange::take_nonce() {
  nonce_ = parser_.find("dpop-nonce").value_or("");
  wants_nonce_ = false;
  if (status() != 401) return;
  parser_.each("www-authenticate", [&](std::string_view value) {
    wants_nonce_ = value.contains("use_dpop_nonce");
    return !wants_nonce_;
  });
}

// RFC 9110, 8.4: several codings are undone in turn, but nobody asked for several.
void Exchange::read_coding(std::size_t head_end) {
  wire_bytes_ = 0;
  head_end_ = head_end;
  inflated_.clear();
  parser_.each("content-encoding", [&](std::string_view value) {
    const auto is = [&](std::string_view name) {
      return std::ranges::equal(value, name, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    };
    if (is("identity") || value.empty()) return true;
    const bool first_gzip = coding_ == Coding::kNone && (is("gzip") || is("x-gzip"));
    coding_ = first_gzip ? Coding::kGzip : Coding::kOther;
    return coding_ != Coding::kOther;
  });
  if (coding_ != Coding::kGzip) return;
  if (!inflater_) inflater_ = std::make_unique<Inflater>();
  inflater_->start();
}

void Exchange::take_coded(std::string_view piece) {
  wire_bytes_ += piece.size();
  if (!coding_why_.empty() || piece.empty()) return;
  if (coding_ == Coding::kOther) {
    coding_why_ = "it is in another coding than gzip, which was asked for";
    return;
  }
  const bool fine = inflater_->feed(piece, [&](std::string_view text) {
    inflated_ += text.substr(0, kFirst - std::min(kFirst, inflated_.size()));
    take_body(text);
  });
  if (!fine) coding_why_ = inflater_->why();
}

void Exchange::take_body(std::string_view piece) {
  bytes_ += piece.size();
  if (step_->expectation.wants_digest()) EVP_DigestUpdate(digest_.get(), piece.data(), piece.size());
  if (!step_->expectation.keeps_body()) return;
  const std::string_view kept =
      piece.substr(0, Expectation::kKeptBody - std::min(body_.size(), Expectation::kKeptBody));
  body_ += kept;
  if (kept.size() == piece.size() || !step_->expectation.searches_body()) return;
  // A body is looked through to its end, whatever of it is kept.
  if (beyond_.empty()) beyond_ = step_->expectation.beyond(body_, *values_);
  Expectation::go_on(beyond_, piece.substr(kept.size()), found_beyond_);
}

Ending Exchange::judge() {
  const std::string digest = step_->expectation.wants_digest() ? hex_digest() : std::string();
  const Ending ending = step_->expectation.judge({.status = status(),
                                                  .headers_met = headers_met_,
                                                  .length = bytes_,
                                                  .body = body_,
                                                  .found_beyond = found_beyond_,
                                                  .sha256 = digest},
                                                 *values_);
  // Another status says more than a body that cannot be read; everything else is said of the body.
  if (!coding_why_.empty() && about_body(ending.reason)) return {Outcome::kFailed, Reason::kCoding};
  if (!ending.met() || !step_->captures.any()) return ending;
  if (!captured_) return {Outcome::kFailed, Reason::kCapture};
  if (!step_->captures.from_body(body_, captures_))
    return {Outcome::kFailed, bytes_ > body_.size() ? Reason::kTooLong : Reason::kCapture};
  for (auto& [slot, value] : captures_) std::swap((*values_)[slot], value);
  return ending;
}

std::string Exchange::hex_digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
  EVP_DigestFinal_ex(digest_.get(), bytes.data(), &size);
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += "0123456789abcdef"[bytes[i] >> 4];
    out += "0123456789abcdef"[bytes[i] & 15];
  }
  return out;
}

}  // namespace prove
