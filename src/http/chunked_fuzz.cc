// However a chunked body is split, the decoder says the same; and what it takes for a whole body llhttp takes
// for the same one.
//
// Domain: bodies with extensions or trailers that llhttp refuses are outside of the comparison: 8.1 stumbles
// over a second extension behind a value, and gives trailers the meaning of fields (a Content-Length there is
// an error to it) where we drop them.
#include <optional>
#include <string>

#include "http/chunked.h"
#include "http/llhttp_oracle.h"

namespace http {
namespace {

struct Outcome {
  std::string body;
  std::size_t used = 0;
  bool done = false;
  std::optional<base::Code> refused;
  std::size_t trailers = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome decode(std::string_view text, std::size_t step) {
  ChunkedDecoder chunked({.body = 1 << 20, .extension = 64, .extensions = 256, .trailers = 256});
  Outcome out;
  while (out.used < text.size()) {
    std::string_view piece = text.substr(out.used, step);
    const std::size_t before = piece.size();
    const auto next = chunked.next(piece);
    if (!next) {
      out.refused = next.error().code;
      out.used = out.trailers = 0;  // where exactly is nobody's business
      return out;
    }
    out.used += before - piece.size();
    out.body += next->data;
    out.done = next->done;
    out.trailers = chunked.trailer_bytes();
    if (out.done) break;
    require(before != piece.size(), "a step without progress");
  }
  require(chunked.body_bytes() == out.body.size(), "the count of bytes");
  return out;
}

}  // namespace
}  // namespace http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = decode(text, size);
  for (const std::size_t step : {1, 2, 3, 7})
    require(decode(text, step) == whole, "split otherwise, read otherwise");
  if (!whole.done) return 0;

  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  LlhttpOracle oracle(HTTP_REQUEST);
  oracle.feed(head + std::string(text), size + head.size());
  const bool in_trailers = oracle.error == HPE_INVALID_CONTENT_LENGTH ||
                           oracle.error == HPE_UNEXPECTED_CONTENT_LENGTH ||
                           oracle.error == HPE_INVALID_TRANSFER_ENCODING;
  const bool in_extensions = oracle.error == HPE_STRICT || oracle.error == HPE_INVALID_CHUNK_SIZE;
  if ((in_trailers && whole.trailers > 1) || (in_extensions && text.substr(0, whole.used).contains(';')))
    return 0;
  require(oracle.complete, "llhttp does not take this body for a whole one");
  require(oracle.body == whole.body, "body");
  require(oracle.consumed == head.size() + whole.used, "where the next request begins");
  return 0;
}
