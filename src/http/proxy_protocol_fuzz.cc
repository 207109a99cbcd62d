// However a header is split, the parser says the same of it; it reads no byte beyond the header and none of
// what comes behind changes its word.
#include <string>

#include "http/fuzz_require.h"
#include "http/proxy_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ProxyHeader whole;
  const auto used = parse_proxy_header(text, whole);
  if (used) require(*used <= size && *used <= kProxyHeaderMax, "the bytes of a header");
  for (std::size_t n = 0; n <= size; ++n) {
    const std::string piece(text.substr(0, n));  // of its own, so that a sanitizer sees a byte read too many
    ProxyHeader part;
    const auto then = parse_proxy_header(piece, part);
    if (!then) {
      require(!used, "refused in part, taken as a whole");
      return 0;
    }
    if (*then == 0) continue;
    require(used && *then == *used && part == whole, "what comes behind the header changed its meaning");
    return 0;
  }
  require(used && *used == 0, "complete as a whole only");
  return 0;
}
