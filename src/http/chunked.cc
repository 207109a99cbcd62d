#include "http/chunked.h"

#include <algorithm>
#include <charconv>

#include "http/chars.h"

namespace http {

namespace {
constexpr std::uint8_t kMaxDigits = 16;  // of 64 bits; leading zeros count too
}

std::unexpected<base::Error> ChunkedDecoder::refuse(base::Code code, std::string_view why) {
  state_ = State::kFailed;
  return base::fail(code, why);
}

base::Result<ChunkedDecoder::Step> ChunkedDecoder::next(std::string_view& in) {
  while (state_ != State::kDone && !in.empty()) {
    if (state_ == State::kData) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), chunk_left_));
      const std::string_view data = in.substr(0, n);
      in.remove_prefix(n);
      chunk_left_ -= n;
      body_ += n;
      if (chunk_left_ == 0) state_ = State::kDataCr;
      return Step{data, false};
    }
    const char c = in.front();
    in.remove_prefix(1);
    if (const auto why = frame(c); why.code != base::Code::kCount) return refuse(why.code, why.text);
  }
  return Step{{}, state_ == State::kDone};
}

// One byte outside of the data. kCount means that it is as it should be.
base::Error ChunkedDecoder::frame(char c) {
  constexpr base::Error kFine{base::Code::kCount, {}};
  const auto malformed = [this](std::string_view why) { return base::Error{malformed_, why}; };
  const auto expect = [&](char wanted, State then) {
    if (c != wanted) return malformed("a line of the chunked body does not end in CRLF where it should");
    state_ = then;
    return kFine;
  };
  switch (state_) {
    case State::kSize:
    case State::kSizeMore: {
      const int digit = hex_value(c);
      if (digit >= 0) {
        if (++digits_ > kMaxDigits) return malformed("a chunk size of more than 16 digits");
        chunk_left_ = chunk_left_ << 4 | static_cast<std::uint64_t>(digit);
        state_ = State::kSizeMore;
        return kFine;
      }
      if (state_ == State::kSize) return malformed("a chunk without a size");
      if (c == ';') {
        state_ = State::kExtension;
        extension_bytes_ = 0;
        return kFine;
      }
      return expect('\r', State::kSizeLf);
    }
    case State::kExtension:
      if (!is(kValueChar, c)) return expect('\r', State::kSizeLf);
      if (++extension_bytes_ > limits_.extension || ++extensions_bytes_ > limits_.extensions)
        return malformed("the chunk extensions are too long");
      return kFine;
    case State::kSizeLf:
      if (c == '\n') {
        digits_ = 0;
        if (chunk_left_ > limits_.body - body_)
          return base::Error{base::Code::kBodyTooLarge, "the body is larger than allowed"};
      }
      return expect('\n', chunk_left_ == 0 ? State::kTrailerStart : State::kData);
    case State::kDataCr:
      return expect('\r', State::kDataLf);
    case State::kDataLf:
      return expect('\n', State::kSize);
    case State::kTrailerStart:
      if (c == '\r') return expect('\r', State::kEndLf);
      [[fallthrough]];
    case State::kTrailerName:
    case State::kTrailerSpace:
    case State::kTrailerValue:
    case State::kTrailerLf:
      return trailer(c);
    case State::kEndLf:
      return expect('\n', State::kDone);
    case State::kData:
    case State::kDone:
    case State::kFailed:
      break;
  }
  return malformed("the chunked body was refused before");
}

// One byte of the trailer section: field lines as in a head, with no meaning for us.
base::Error ChunkedDecoder::trailer(char c) {
  constexpr base::Error kFine{base::Code::kCount, {}};
  if (++trailer_bytes_ > limits_.trailers) return {malformed_, "the trailers are too long"};
  const bool named = state_ == State::kTrailerName;
  if (state_ == State::kTrailerStart || named) {
    if (is(kTokenChar, c)) {
      state_ = State::kTrailerName;
      return kFine;
    }
    if (named && c == ':') {
      state_ = State::kTrailerValue;
      return kFine;
    }
    const bool space = c == ' ' || c == '\t';
    if (named && space && malformed_ == base::Code::kOriginBadReply) {
      state_ = State::kTrailerSpace;
      return kFine;
    }
  } else if (state_ == State::kTrailerSpace) {
    if (c == ' ' || c == '\t') return kFine;
    if (c == ':') {
      state_ = State::kTrailerValue;
      return kFine;
    }
  } else if (state_ == State::kTrailerValue) {
    if (is(kValueChar, c)) return kFine;
    if (c == '\r') {
      state_ = State::kTrailerLf;
      return kFine;
    }
  } else if (c == '\n') {
    state_ = State::kTrailerStart;
    return kFine;
  }
  return {malformed_, "a malformed trailer"};
}

std::size_t write_chunk_header(std::uint64_t size, char (&out)[kChunkHeaderMax]) {
  char* p = std::to_chars(out, out + kChunkHeaderMax - 2, size, 16).ptr;
  *p++ = '\r';
  *p++ = '\n';
  return static_cast<std::size_t>(p - out);
}

}  // namespace http
