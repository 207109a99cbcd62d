#include "gateway/forward.h"

#include <algorithm>
#include <cctype>

#include "base/sabotage.h"
#include "gateway/render.h"
#include "http/chars.h"
#include "http/hop_by_hop.h"

namespace gateway {

using http::FieldId;

namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool usable_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == ':' || c == '+' || c == '/' ||
           c == '=';
  });
}

// All X-Forwarded-For fields as one list.
std::string joined(const http::FieldList& fields, FieldId id) {
  std::string out;
  for (const http::Field& field : fields) {
    if (field.id != id) continue;
    if (!out.empty()) out.append(", ");
    out.append(field.value);
  }
  return out;
}

// The nearest address that is not one of our own proxies; what lies beyond it was written by a stranger.
std::string believed_client(const Exchange& x) {
  const std::string chain = joined(x.head.fields, FieldId::kXForwardedFor);
  std::string_view left = chain;
  std::string nearest = x.peer->host();
  while (!left.empty()) {
    const std::size_t comma = left.rfind(',');
    const std::string_view hop = trim(comma == std::string_view::npos ? left : left.substr(comma + 1));
    const auto address = net::Endpoint::parse(hop, 0);
    if (!address) break;
    nearest = address->host();
    if (!x.snapshot->snapshot->trusts(address->bytes())) break;
    left = comma == std::string_view::npos ? std::string_view{} : left.substr(0, comma);
  }
  return nearest;
}

}  // namespace

void learn_client(Exchange& x) {
  const Snapshot& snapshot = *x.snapshot->snapshot;
  if (snapshot.config().trusted_proxies.empty() || !snapshot.trusts(x.peer->bytes())) return;
  x.trusted_peer = true;
  x.client = believed_client(x);
  if (const std::string_view id = x.head.value(FieldId::kXRequestId); usable_id(id)) x.request_id.assign(id);
}

void forward_fields(const Exchange& x, ForFill for_fill, std::string& out) {
  constexpr std::uint64_t kOurs = http::bit_of(FieldId::kHost) | http::bit_of(FieldId::kContentLength) |
                                  http::bit_of(FieldId::kExpect) | http::bit_of(FieldId::kXForwardedFor) |
                                  http::bit_of(FieldId::kXForwardedProto) |
                                  http::bit_of(FieldId::kXForwardedHost) |
                                  http::bit_of(FieldId::kXRequestId) | http::bit_of(FieldId::kVia);
  constexpr std::uint64_t kSelecting = http::bit_of(FieldId::kRange) | http::bit_of(FieldId::kIfRange) |
                                       http::bit_of(FieldId::kIfMatch) | http::bit_of(FieldId::kIfNoneMatch) |
                                       http::bit_of(FieldId::kIfModifiedSince) |
                                       http::bit_of(FieldId::kIfUnmodifiedSince);
  const Route& rules = *x.route->rules;
  std::uint64_t dropped = kOurs;
  if (for_fill == ForFill::kYes) dropped |= kSelecting;
  if (rules.strips_authorization && !sabotage::on("authorization-forwarded"))
    dropped |= http::bit_of(FieldId::kAuthorization);
  if (!x.trusted_peer) dropped |= http::bit_of(FieldId::kForwarded);

  const http::HopByHop hop(x.head.fields);
  for (const http::Field& field : x.head.fields) {
    if ((dropped & http::bit_of(field.id)) != 0 || hop.ends_here(field)) continue;
    if (std::ranges::any_of(rules.stripped_fields,
                            [&](const auto& name) { return http::iequals(name, field.name); }))
      continue;
    append_field(out, field.name, field.value);
  }

  std::string chain;
  if (x.trusted_peer) chain = joined(x.head.fields, FieldId::kXForwardedFor);
  if (!chain.empty()) chain.append(", ");
  append_field(out, "X-Forwarded-For", chain.append(x.peer->host()));
  const auto believed = [&](FieldId id, std::string_view ours) {
    const std::string_view theirs = x.trusted_peer ? x.head.value(id) : std::string_view{};
    return theirs.empty() ? ours : theirs;
  };
  append_field(out, "X-Forwarded-Proto", believed(FieldId::kXForwardedProto, "http"));
  append_field(out, "X-Forwarded-Host", believed(FieldId::kXForwardedHost, x.head.host));
  append_field(out, "X-Request-Id", x.request_id);
  std::string via = joined(x.head.fields, FieldId::kVia);
  if (!via.empty()) via.append(", ");
  append_field(out, "Via", via.append(x.head.minor == 0 ? "1.0 sekisho" : "1.1 sekisho"));
}

bool asks_websocket(const http::RequestHead& head) {
  return head.upgrade && head.minor > 0 && head.method == http::Method::kGet &&
         http::iequals(head.value(FieldId::kUpgrade), "websocket");
}

}  // namespace gateway
