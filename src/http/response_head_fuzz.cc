// Whatever our parser accepts as a reply, llhttp accepts with the same status, fields and length of the body;
// and how the bytes are split changes nothing.
//
// Domain: outside of the comparison are Content-Length repeated with one value (we take it, llhttp does not),
// versions above 1.1, upgrades, a status line without the space in front of an empty reason, and white space
// in front of a colon, which llhttp refuses.
#include <memory>
#include <string>

#include "http/llhttp_oracle.h"
#include "http/response_head.h"

namespace http {
namespace {

const HeadLimits kLimits;

void check_splits(std::string_view text, Method method, const base::Result<std::size_t>& whole) {
  const bool accepted = whole && *whole != 0;
  ResponseHead head;
  std::size_t seen = 0;
  for (std::size_t n = 1; n <= text.size(); ++n) {
    const auto copy = std::make_unique<char[]>(n);
    text.copy(copy.get(), n);
    const auto dripped = parse_response({copy.get(), n}, method, kLimits, head, n % 2 == 0 ? &seen : nullptr);
    if (!dripped) {
      require(!whole, "refused in pieces, accepted whole");
      return;
    }
    if (*dripped != 0) {
      require(accepted && *dripped == *whole, "another end in pieces");
      return;
    }
  }
}

void check_oracle(std::string_view text, const ResponseHead& head, std::size_t step) {
  LlhttpOracle oracle(HTTP_RESPONSE);
  oracle.bodiless = head.framing == Framing::kNone;  // it does not know of HEAD, nor what 304 means
  oracle.feed(text, step);
  require(oracle.head_complete, "llhttp refuses this head");
  require(oracle.status() == head.status, "status");
  require(oracle.minor() == head.minor, "version");
  require(oracle.same_fields(head.fields), "fields");
  require(oracle.has_length == head.has_content_length, "Content-Length");
  if (oracle.has_length)
    require(oracle.content_length == head.content_length, "the number of Content-Length");
  if (head.framing == Framing::kChunked) require(oracle.chunked, "chunked");
  if (head.framing == Framing::kUntilClose)
    require(!oracle.complete, "a body until the end of the connection");
  if (head.framing == Framing::kNone)
    require(oracle.complete && oracle.body.empty(), "a reply without a body");
}

}  // namespace
}  // namespace http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace http;
  if (size == 0) return 0;
  const Method method = data[0] == 'H' && size > 1 && data[1] == 'H' ? Method::kHead : Method::kGet;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (method == Method::kHead) text.remove_prefix(1);
  ResponseHead head;
  const auto used = parse_response(text, method, kLimits, head);
  if (text.size() <= 1024) check_splits(text, method, used);
  if (!used || *used == 0) return 0;
  if (text[7] > '1' || text[12] != ' ' || head.status == 101 || head.fields.has(FieldId::kUpgrade)) return 0;
  if (head.fields.repeated(FieldId::kContentLength) || head.value(FieldId::kContentLength).contains(','))
    return 0;
  for (const Field& field : head.fields)
    if (*field.name.end() != ':') return 0;
  check_oracle(text, head, text.size());
  check_oracle(text, head, 1);
  return 0;
}
