// The chunked coding, both ways: a state machine without sockets that reads it, and a header writer.
//
// Owner:    whoever reads the body, one decoder per body.
// Thread:   its worker.
// Lifetime: the slices that come out are views into the bytes that went in.
// Standard: RFC 9112 §7.1.
//
// Usage:
//   ChunkedDecoder chunked(limits, base::Code::kBadRequest);
//   for (;;) {
//     auto step = chunked.next(in);      // takes from the front of `in`
//     if (!step) …                       // the connection is of no further use
//     if (step->done) break;             // what is left in `in` belongs to the next message
//     if (step->data.empty()) …          // read more
//     use(step->data);
//   }
//
// Failures: `malformed` as given (a client's fault is kBadRequest, an origin's kOriginBadReply), or
// kBodyTooLarge. Refused: sizes that are empty, signed, prefixed with 0x or over 64 bits, bare CR or LF,
// white space around the size, controls in extensions, anything but CRLF behind the data, endless extensions
// or trailers. Extensions are passed over and trailers are checked and dropped; white space before the colon
// of a trailer's name is a request's fault alone, as in a head (RFC 9112 §5.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace http {

struct ChunkedLimits {
  std::uint64_t body = UINT64_MAX;  // bytes of data in total
  std::size_t extension = 1024;     // bytes per chunk
  std::size_t extensions =
      16 << 10;                    // bytes per body: as many tiny chunks cannot make a side channel of them
  std::size_t trailers = 8 << 10;  // bytes in total
};

class ChunkedDecoder {
 public:
  struct Step {
    std::string_view data;  // empty and not done: give more
    bool done = false;
  };

  explicit ChunkedDecoder(const ChunkedLimits& limits = {}, base::Code malformed = base::Code::kBadRequest)
      : limits_(limits), malformed_(malformed) {}

  base::Result<Step> next(std::string_view& in);

  bool done() const { return state_ == State::kDone; }
  std::uint64_t body_bytes() const { return body_; }        // data given out so far
  std::uint64_t chunk_left() const { return chunk_left_; }  // data still to come in this chunk
  std::size_t trailer_bytes() const { return trailer_bytes_; }

 private:
  enum class State : std::uint8_t {
    kSize,       // at the first digit
    kSizeMore,   // behind a digit
    kExtension,  // behind ';'
    kSizeLf,     // CR seen behind the size
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,  // at the start of a trailer line
    kTrailerName,
    kTrailerSpace,  // behind a name, where that is let pass
    kTrailerValue,
    kTrailerLf,  // CR seen behind a trailer
    kEndLf,      // CR seen of the empty line
    kDone,
    kFailed
  };
  base::Error frame(char c);
  base::Error trailer(char c);
  std::unexpected<base::Error> refuse(base::Code code, std::string_view why);

  ChunkedLimits limits_;
  base::Code malformed_;
  State state_ = State::kSize;
  std::uint8_t digits_ = 0;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t body_ = 0;
  std::size_t extension_bytes_ = 0;   // of this chunk
  std::size_t extensions_bytes_ = 0;  // of the body
  std::size_t trailer_bytes_ = 0;
};

inline constexpr std::size_t kChunkHeaderMax = 20;
// Writes "<hex size>\r\n"; returns its length. The data and "\r\n" follow; kLastChunk ends the body.
std::size_t write_chunk_header(std::uint64_t size, char (&out)[kChunkHeaderMax]);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace http
