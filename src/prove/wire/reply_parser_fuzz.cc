// Whatever a target sends, the parser ends in order, and how the bytes are split changes nothing.
//
// The first byte says whether the request was a HEAD, and after how many bytes each piece ends.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "prove/wire/reply_parser.h"

namespace prove {
namespace {

using Event = ReplyParser::Event;

void require(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

struct Seen {
  Event end = Event::kMore;
  std::uint16_t status = 0;
  std::size_t left = 0;  // bytes behind the reply
  bool keep_alive = false;
  std::string body, field;
  friend bool operator==(const Seen&, const Seen&) = default;
};

Seen read(std::string_view text, bool to_head, std::size_t step) {
  ReplyParser parser;
  parser.start(to_head);
  Seen seen;
  while (!text.empty() && seen.end == Event::kMore) {
    const std::size_t n = std::min(step, text.size());
    const auto copy = std::make_unique<char[]>(n);  // alone, so that what is kept of it shows
    text.copy(copy.get(), n);
    text.remove_prefix(n);
    std::string_view in(copy.get(), n);
    for (bool more = true; more;) {
      const std::size_t before = in.size();
      const Event event = parser.next(in);
      require(in.size() <= before, "it took more than there was");
      switch (event) {
        case Event::kHead:
          seen.status = parser.status();
          require(seen.status >= 200 && seen.status < 600, "a status that is none");
          seen.field = parser.find("etag").value_or("none");
          require(seen.field.find_first_of("\r\n") == std::string::npos, "a field of two lines");
          break;
        case Event::kBody:
          require(!parser.piece().empty(), "an empty piece");
          seen.body += parser.piece();
          break;
        case Event::kMore:
          require(in.empty(), "it wants more and has not taken what there is");
          more = false;
          break;
        case Event::kEnd:
        case Event::kBad:
          seen.end = event;
          seen.left = event == Event::kEnd ? in.size() + text.size() : 0;
          more = false;
          break;
      }
    }
  }
  if (seen.end == Event::kMore) seen.end = parser.ended();
  seen.keep_alive = parser.keep_alive();
  require(seen.end == Event::kEnd || seen.end == Event::kBad, "it neither ended nor failed");
  require(seen.end == Event::kEnd || !parser.why().empty(), "it does not say what is wrong");
  if (to_head || seen.status == 204 || seen.status == 304)
    require(seen.body.empty(), "a body where there is none");
  return seen;
}

}  // namespace
}  // namespace prove

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool to_head = (data[0] & 1) != 0;
  const std::size_t step = 1 + (data[0] >> 1);
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const prove::Seen whole = prove::read(text, to_head, text.size());
  const prove::Seen parts = prove::read(text, to_head, step);
  // What is refused may be refused early: how much of a body it had until then depends on the pieces.
  if (whole.end == prove::Event::kBad && parts.end == prove::Event::kBad) return 0;
  prove::require(parts == whole, "another reply in pieces");
  return 0;
}
