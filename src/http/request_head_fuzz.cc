// Whatever our parser accepts, llhttp accepts with the same method, target, fields and body; and how the
// bytes are split changes nothing.
//
// Domain: llhttp knows no minor version above 1 and only registered methods, and an Upgrade ends its message
// in a way of its own; these are outside of the comparison, as CONNECT is (501 with us). The reverse is not
// asked: llhttp accepts much that we refuse.
#include <memory>
#include <string>

#include "http/chunked.h"
#include "http/head.h"
#include "http/llhttp_oracle.h"
#include "http/target.h"

namespace http {
namespace {

const HeadLimits kLimits;

// In memory of just its size, so that AddressSanitizer sees a byte read beyond the end.
base::Result<std::size_t> parse_exactly(std::string_view text, RequestHead& head,
                                        std::unique_ptr<char[]>& copy) {
  copy = std::make_unique<char[]>(text.size());
  text.copy(copy.get(), text.size());
  return parse_request({copy.get(), text.size()}, kLimits, head);
}

void check_splits(std::string_view text, const base::Result<std::size_t>& whole) {
  const bool accepted = whole && *whole != 0;
  RequestHead head;
  std::size_t seen = 0;
  for (std::size_t n = 1; n <= text.size(); ++n) {
    const auto dripped = parse_request(text.substr(0, n), kLimits, head, &seen);
    if (!dripped) {
      require(!whole, "refused in pieces, accepted whole");
      break;
    }
    if (*dripped != 0) {
      require(accepted && *dripped == *whole && n == *whole, "another end in pieces");
      break;
    }
    require(!accepted || n < *whole, "not accepted in pieces");
  }
  if (text.size() > 512) return;
  bool failed = false;
  for (std::size_t n = 1; n <= text.size(); ++n) {
    std::unique_ptr<char[]> copy;
    const auto part = parse_exactly(text.substr(0, n), head, copy);
    require(!part || *part == 0 || (accepted && *part == *whole), "a prefix with another end");
    require(!failed || !part, "a refused prefix became acceptable");
    failed = !part;
  }
  require(!failed || !whole, "the last prefix is the whole");
}

void check_oracle(std::string_view text, const RequestHead& head, std::size_t used, std::size_t step) {
  LlhttpOracle oracle(HTTP_REQUEST);
  oracle.feed(text, step);
  require(oracle.head_complete, "llhttp refuses this head");
  require(oracle.method() == head.method_text, "method");
  require(oracle.url == head.target, "target");
  require(oracle.minor() == head.minor, "version");
  require(oracle.same_fields(head.fields), "fields");
  require(oracle.chunked == (head.framing == Framing::kChunked), "chunked");
  require(oracle.has_length == (head.framing == Framing::kLength), "Content-Length");
  if (oracle.has_length)
    require(oracle.content_length == head.content_length, "the number of Content-Length");

  std::string_view rest = text.substr(used);
  if (head.framing == Framing::kChunked) return;  // chunked_fuzz compares these
  if (head.content_length > rest.size()) {
    require(!oracle.complete, "llhttp ends the body sooner");
    return;
  }
  require(oracle.complete, "llhttp ends the body later");
  require(oracle.consumed == used + head.content_length, "where the next request begins");
}

}  // namespace
}  // namespace http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  RequestHead head;
  const auto used = parse_request(text, kLimits, head);
  check_splits(text, used);
  if (!used || *used == 0) return 0;

  std::string scratch(target_scratch(head.target), '\0');
  Target target;
  static_cast<void>(parse_target(head.target, scratch, target));

  const std::size_t digit =
      static_cast<std::size_t>(head.target.end() - text.data()) + std::string_view(" HTTP/1.").size();
  if (text[digit] > '1' || head.fields.has(FieldId::kUpgrade) || !LlhttpOracle::knows(head.method_text))
    return 0;
  check_oracle(text, head, *used, size);
  check_oracle(text, head, *used, 1);
  return 0;
}
