// Any bytes as a value: the grammars neither crash nor accept what they cannot show again, and whole files
// fail with one line or load.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/address.h"
#include "config/claim_path.h"
#include "config/claim_value.h"
#include "config/env.h"
#include "config/load.h"
#include "config/material.h"
#include "config/rate.h"
#include "config/values.h"

namespace {

using namespace config;  // NOLINT(google-build-using-namespace)

void require(bool holds) {
  if (!holds) std::abort();
}

// What is accepted, shown and parsed again, is the same.
template <class G>
void comes_round(std::string_view text) {
  const auto first = G::parse(text);
  if (!first) {
    require(!first.error().empty() && first.error().find('\n') == std::string::npos);
    return;
  }
  const std::string shown = G::show(*first);
  const auto second = G::parse(shown);
  require(second && G::show(*second) == shown);
}

// A failure says why.
template <class T>
void explains(const std::expected<T, std::string>& result) {
  require(result || !result.error().empty());
}

void route_path(std::string_view text) {
  const auto path = RoutePath::parse(text);
  if (!path) return;
  require(path->starts_with('/') && !path->contains("//") && !path->contains("/../") &&
          !path->contains('\0'));
}

void url(std::string_view text) {
  comes_round<UrlText>(text);
  const auto parsed = UrlText::parse(text);
  if (!parsed) return;
  require(!parsed->host.empty() && parsed->port != 0 && !parsed->path.ends_with('/'));
  for (const char c : parsed->authority() + parsed->path) require(c > 0x20 && c < 0x7f);
}

void rate(std::string_view text) {
  comes_round<RateText>(text);
  comes_round<RateOrOff>(text);
  const auto parsed = RateText::parse(text);
  require(!parsed || (parsed->count > 0 && parsed->interval() > base::Nanos(0)));
}

void claim(std::string_view text) {
  comes_round<ClaimPath>(text);
  const auto steps = ClaimPath::parse(text);
  require(!steps || (!steps->empty() && steps->size() <= 16));
  const auto quoted = parse_claim_value(text, true);
  require(quoted && std::get<std::string>(*quoted) == text);
  const auto plain = parse_claim_value(text, false);
  explains(plain);
  if (!plain) return;
  if (const auto* n = std::get_if<std::int64_t>(&*plain)) require(std::to_string(*n) == text || text == "-0");
  if (const auto* d = std::get_if<double>(&*plain)) require(*d - *d == 0);
}

void redis(std::string_view text) {
  const auto place = RedisUrl::parse(text);
  explains(place);
  if (!place) return;
  require(!place->url.host.empty() && place->url.port != 0);
  require(place->user.empty() || !place->password.empty());
  const auto again = RedisUrl::parse(RedisUrl::show(place->url));
  require(again && again->password.empty() && again->url.host == place->url.host);
}

std::optional<std::string> no_more_than_a(const std::string& name) {
  if (name == "A") return "${A} $ }";
  return std::nullopt;
}

void file(std::string_view text) {
  try {
    load_text(std::string(text), "f.yaml", no_more_than_a);
  } catch (const ConfigError& e) {
    require(std::string_view(e.what()).find_first_of("\r\n") == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  comes_round<Duration>(text);
  comes_round<WholeSeconds>(text);
  comes_round<Size>(text);
  comes_round<Count>(text);
  comes_round<Switch>(text);
  comes_round<AddressText>(text);
  comes_round<NameServerText>(text);
  comes_round<NetworkText>(text);
  url(text);
  route_path(text);
  rate(text);
  claim(text);
  redis(text);
  comes_round<SyslogAddress>(text);
  explains(JwksUrl::parse(text));
  explains(expand(text, no_more_than_a));
  for (const Encoding encoding : {Encoding::kBase64, Encoding::kBase64Url, Encoding::kHex})
    explains(decode(base::Secret(std::string(text)), encoding));
  explains(credentials_from_ini(base::Secret(std::string(text)), "default"));
  // A key file named by the input would read the machine's files; such inputs stop here.
  if (!text.contains("file") && !text.contains("env")) file(text);
  return 0;
}
