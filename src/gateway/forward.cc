#include "gateway/forward.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/sabotage.h"
#include "gateway/render.h"
#include "http/chars.h"
#include "http/field_kind.h"
#include "http/forwarded.h"
#include "http/hop_by_hop.h"
#include "http/target.h"
#include "http/via.h"

namespace gateway {

using http::FieldId;

namespace {

bool usable_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == ':' || c == '+' || c == '/' ||
           c == '=';
  });
}

// All fields of a name as one list.
std::string joined(const http::FieldList& fields, FieldId id) {
  std::string out;
  for (const http::Field& field : fields) {
    if (field.id != id) continue;
    if (!out.empty()) out.append(", ");
    out.append(field.value);
  }
  return out;
}

using Address = std::array<std::uint8_t, 16>;

// What the fields of a trusted peer say of the client. A hop is believed when all between it and us are our
// own proxies; what lies beyond the first that is not was written by a stranger.
struct Told {
  Address client;
  std::string_view proto, host;  // that it asked for; empty: not said
};

Told told_by_x_fields(const Exchange& x) {
  Told told{.client = x.peer->bytes,
            .proto = x.head.value(FieldId::kXForwardedProto),
            .host = x.head.value(FieldId::kXForwardedHost)};
  const http::FieldList& fields = x.head.fields;
  for (std::size_t i = fields.size(); i-- > 0;) {
    if (fields[i].id != FieldId::kXForwardedFor) continue;
    for (std::string_view left = fields[i].value; !left.empty();) {
      const std::size_t comma = left.rfind(',');
      const std::string_view hop = http::trim_ows(comma == left.npos ? left : left.substr(comma + 1));
      left = left.substr(0, comma == left.npos ? 0 : comma);
      if (hop.empty()) continue;
      const auto address = http::parse_forwarded_for(hop);
      if (!address) return told;
      told.client = *address;
      if (!x.snapshot->snapshot->trusts(*address)) return told;
    }
  }
  return told;
}

// The same from Forwarded, whose quoted strings can only be read forwards: each element that ends the walk
// from the nearest takes back what was found before it.
base::Result<Told> told_by_forwarded(const Exchange& x) {
  std::optional<Address> client;
  http::ForwardedElement last;  // the farthest that one of ours wrote
  bool begun = false;
  for (const http::Field& field : x.head.fields) {
    if (field.id != FieldId::kForwarded) continue;
    for (std::string_view rest = field.value;;) {
      http::ForwardedElement element;
      const auto more = http::next_forwarded(rest, element);
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      const bool named = element.client.kind == http::ForwardedNode::Kind::kAddress;
      if (!begun || !named || !x.snapshot->snapshot->trusts(element.client.address)) {
        last = element;
        client.reset();
      }
      if (named && !client) client = element.client.address;
      begun = true;
    }
  }
  return Told{.client = client.value_or(x.peer->bytes), .proto = last.proto, .host = last.host};
}

bool contradict(std::string_view a, std::string_view b) {
  return !a.empty() && !b.empty() && !http::iequals(a, b);
}

base::Result<Told> told(const Exchange& x) {
  Told by_x = told_by_x_fields(x);
  if (!x.head.fields.has(FieldId::kForwarded)) return by_x;
  auto standard = told_by_forwarded(x);
  if (!standard) return standard;
  if ((x.head.fields.has(FieldId::kXForwardedFor) && standard->client != by_x.client) ||
      contradict(standard->proto, by_x.proto) || contradict(standard->host, by_x.host))
    return base::fail(base::Code::kBadRequest, "Forwarded and the X-Forwarded fields contradict each other");
  if (standard->proto.empty()) standard->proto = by_x.proto;
  if (standard->host.empty()) standard->host = by_x.host;
  return standard;
}

// What came before the page that this request is of: without the tokens of its query, and without a fragment,
// which has no business there (RFC 9110 section 10.1.3).
void append_referer(const Exchange& x, const http::Field& field, std::string& out) {
  const std::vector<std::string>& hidden = x.snapshot->snapshot->credential_queries();
  const std::string_view page = field.value.substr(0, field.value.find('#'));
  const std::size_t mark = page.find('?');
  if (mark == page.npos || hidden.empty()) return append_field(out, field.name, page);
  // It is some other server's query, and may be parted at each ';', too: then all of it goes.
  std::string query(page.substr(mark + 1)), kept;
  const bool parted = http::query_has(query, hidden);
  std::ranges::replace(query, ';', '&');
  if (!http::query_has(query, hidden)) return append_field(out, field.name, page);
  if (parted && page.find(';', mark) == page.npos) http::query_without(query, hidden, kept);
  append_field(out, field.name,
               std::string(page.substr(0, mark)).append(kept.empty() ? "" : "?").append(kept));
}

// What is no number is not ours to mend.
std::string one_less(std::string_view hops) {
  std::uint64_t left = 0;
  if (!http::parse_decimal(hops, left) || left == 0) return std::string(hops);
  return std::to_string(left - 1);
}

// ---- fields that some servers believe

bool named_by(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [name](const auto& each) { return http::iequals(each, name); });
}

// Of a field without a number: whether the route names it, and its sender may say it.
bool goes_on_by_name(const Exchange& x, const http::Field& field) {
  return named_by(x.route->rules->rules.forward_fields, field.name) &&
         (x.trusted_peer || http::kind_of(field.name) != http::FieldKind::kVouched);
}

bool may_go_on(const http::Field& field) {
  const http::FieldKind kind = http::kind_of(field.name);
  return kind == http::FieldKind::kPlain || kind == http::FieldKind::kCredential;
}

}  // namespace

bool goes_no_further(const http::RequestHead& head) {
  std::uint64_t left = 1;
  return head.method == http::Method::kOptions &&
         http::parse_decimal(head.value(FieldId::kMaxForwards), left) && left == 0;
}

bool learn_client(Exchange& x) {
  // Until somebody is believed, client_address is the peer's.
  if (x.peer->nameless ||
      (!x.snapshot->snapshot->trusts(x.client_address) && !sabotage::on("forwarded-believed-from-anybody")))
    return true;
  x.trusted_peer = true;
  if (const std::string_view id = x.head.value(FieldId::kXRequestId); usable_id(id)) x.request_id.assign(id);
  const auto heard = told(x);
  if (!heard) {
    x.stop(heard.error());
    return false;
  }
  x.told_proto = heard->proto;
  x.told_host = heard->host;
  if (heard->client != x.client_address) {
    x.client_address = heard->client;
    x.client.assign(net::Endpoint::of(heard->client, 0).host());
  }
  return true;
}

bool credentials_go_on(const Exchange& x) {
  const Route& rules = *x.route->rules;
  return rules.can.forwards_fields && rules.credentials.let_pass(x.head.fields);
}

void append_keyed_fields(const Exchange& x, std::string& out) {
  for (const std::string& name : x.route->rules->rules.forward_fields)
    for (const http::Field& field : x.head.fields)
      if (http::iequals(field.name, name) && goes_on_by_name(x, field) &&
          !x.route->rules->credentials.hide(field))
        append_field(out, name, field.value);
}

void forward_fields(const Exchange& x, ForFill for_fill, std::string& out) {
  constexpr std::uint64_t kOurs = http::bit_of(FieldId::kHost) | http::bit_of(FieldId::kContentLength) |
                                  http::bit_of(FieldId::kExpect) | http::bit_of(FieldId::kXForwardedFor) |
                                  http::bit_of(FieldId::kXForwardedProto) |
                                  http::bit_of(FieldId::kXForwardedHost) | http::bit_of(FieldId::kForwarded) |
                                  http::bit_of(FieldId::kXRequestId) | http::bit_of(FieldId::kVia);
  constexpr std::uint64_t kSelecting = http::bit_of(FieldId::kRange) | http::bit_of(FieldId::kIfRange) |
                                       http::bit_of(FieldId::kIfMatch) | http::bit_of(FieldId::kIfNoneMatch) |
                                       http::bit_of(FieldId::kIfModifiedSince) |
                                       http::bit_of(FieldId::kIfUnmodifiedSince);
  const Credentials& credentials = x.route->rules->credentials;
  std::uint64_t dropped = kOurs;
  if (for_fill == ForFill::kYes) dropped |= kSelecting;

  const http::HopByHop hop(x.head.fields);
  for (const http::Field& field : x.head.fields) {
    if ((dropped & http::bit_of(field.id)) != 0) continue;
    if (credentials.hide(field) &&
        !(field.id == FieldId::kAuthorization && sabotage::on("authorization-forwarded")))
      continue;
    // What the cache's key says goes on, whatever Connection nominates.
    const bool by_name = field.id == FieldId::kOther && goes_on_by_name(x, field);
    if (!by_name && (hop.ends_here(field) || (field.id == FieldId::kOther && !may_go_on(field)))) continue;
    if (field.id == FieldId::kCookie)
      credentials.append_cookies(field, for_fill == ForFill::kYes, out);
    else if (field.id == FieldId::kReferer)
      append_referer(x, field, out);
    else if (field.id == FieldId::kMaxForwards && x.head.method == http::Method::kOptions)
      append_field(out, field.name, one_less(field.value));
    else
      append_field(out, field.name, field.value);
  }

  std::string chain;
  if (x.trusted_peer) {
    chain = joined(x.head.fields, FieldId::kXForwardedFor);
    if (chain.empty() && x.client_address != x.peer->bytes) chain = x.client;  // from Forwarded
  }
  if (!chain.empty()) chain.append(", ");
  append_field(out, "X-Forwarded-For", chain.append(x.peer->text));
  append_field(out, "X-Forwarded-Proto", x.told_proto.empty() ? "http" : x.told_proto);
  append_field(out, "X-Forwarded-Host", x.told_host.empty() ? x.head.host : x.told_host);
  append_field(out, "X-Request-Id", x.request_id);
  std::string via = joined(x.head.fields, FieldId::kVia);
  if (!via.empty()) via.append(", ");
  append_field(out, "Via", via.append(x.head.minor == 0 ? "1.0 " : "1.1 ").append(http::our_name()));
}

}  // namespace gateway
