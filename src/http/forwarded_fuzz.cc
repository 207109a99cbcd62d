// What is read of a Forwarded field means the same when it is written again, plainly; and where one is taken,
// quotes are closed, so that an element put behind it is read as it was put there.
#include <optional>
#include <string>
#include <vector>

#include "http/forwarded.h"
#include "http/fuzz_require.h"

namespace http {
namespace {

std::optional<std::vector<ForwardedElement>> read(std::string_view value) {
  std::vector<ForwardedElement> out;
  for (;;) {
    const std::size_t before = value.size();
    ForwardedElement element;
    const auto more = next_forwarded(value, element);
    if (!more) return std::nullopt;
    if (!*more) return out;
    require(value.size() < before, "a step without progress");
    out.push_back(element);
  }
}

std::string text_of(const std::array<std::uint8_t, 16>& address) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "[";
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (i > 0 && i % 2 == 0) out += ':';
    out += kHex[address[i] >> 4];
    out += kHex[address[i] & 15];
  }
  return out + "]";
}

std::string written(const ForwardedElement& element) {
  using Kind = ForwardedNode::Kind;
  std::string out = "x=y";
  if (element.client.kind == Kind::kUnknown) out += ";for=unknown";
  if (element.client.kind == Kind::kObfuscated) out += ";for=_x";
  if (element.client.kind == Kind::kAddress) out += ";for=\"" + text_of(element.client.address) + "\"";
  if (!element.proto.empty()) out.append(";proto=").append(element.proto);
  if (!element.host.empty()) out.append(";host=\"").append(element.host).append("\"");
  return out;
}

}  // namespace
}  // namespace http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace http;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto hop = parse_forwarded_for(text))
    require(parse_forwarded_for(text_of(*hop)) == hop, "a hop written again");
  const auto all = read(text);
  if (!all) return 0;

  std::string again;
  for (const ForwardedElement& element : *all)
    again.append(again.empty() ? "" : ", ").append(written(element));
  require(read(again) == all, "written again, read otherwise");

  const auto longer = read(text + ", for=192.0.2.1");
  require(longer && longer->size() == all->size() + 1, "an element behind it is lost");
  require(longer->back() == read("for=192.0.2.1")->back(), "an element behind it is another");
  return 0;
}
