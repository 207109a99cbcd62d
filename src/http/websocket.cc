#include "http/websocket.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "http/chars.h"

namespace http {

using base::Code;
using base::fail;

namespace {

// A field that may stand once; `count` says how often it does.
std::string_view only(const FieldList& fields, std::string_view name, std::size_t& count) {
  std::string_view value;
  count = 0;
  for (const Field& field : fields) {
    if (!iequals(field.name, name)) continue;
    value = field.value;
    ++count;
  }
  return value;
}

bool is_base64(char c) {
  return is(kHexChar, c) || (lower(c) > 'f' && lower(c) <= 'z') || c == '+' || c == '/';
}

// Sixteen bytes in base64.
bool is_key(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") && std::ranges::all_of(key.substr(0, 22), is_base64);
}

// The name of a protocol or an extension, without parameters.
std::string_view name_of(std::string_view element) {
  return trim_ows(element.substr(0, element.find(';')));
}

bool offered(const FieldList& fields, std::string_view list, std::string_view name) {
  for (const Field& field : fields) {
    if (!iequals(field.name, list)) continue;
    for (std::string_view rest = field.value, item; next_element(rest, item);)
      if (name_of(item) == name) return true;
  }
  return false;
}

// Whether all that a reply names in such a list was in the request's.
bool all_offered(const FieldList& named, const FieldList& asked, std::string_view list) {
  for (const Field& field : named) {
    if (!iequals(field.name, list)) continue;
    for (std::string_view rest = field.value, item; next_element(rest, item);)
      if (!offered(asked, list, name_of(item))) return false;
  }
  return true;
}

bool connection_has(const FieldList& fields, std::string_view option) {
  for (const Field& field : fields) {
    if (field.id != FieldId::kConnection) continue;
    for (std::string_view rest = field.value, item; next_element(rest, item);)
      if (iequals(item, option)) return true;
  }
  return false;
}

}  // namespace

bool asks_websocket(const RequestHead& head) {
  return head.upgrade && head.minor > 0 && head.method == Method::kGet &&
         iequals(head.value(FieldId::kUpgrade), "websocket");
}

base::Result<> check_handshake(const RequestHead& head) {
  std::size_t count;
  if (only(head.fields, "Sec-WebSocket-Version", count) != "13" && count < 2)
    return fail(Code::kUpgradeRequired, "WebSocket is spoken here in version 13");
  if (count > 1) return fail(Code::kBadRequest, "a WebSocket handshake names its version twice");
  if (!is_key(only(head.fields, "Sec-WebSocket-Key", count)) || count != 1)
    return fail(Code::kBadRequest, "a WebSocket handshake needs one Sec-WebSocket-Key of 16 bytes in base64");
  if (head.has_body()) return fail(Code::kBadRequest, "a WebSocket handshake has no body");
  return {};
}

base::Result<> check_switch(const RequestHead& asked, const ResponseHead& answered) {
  const FieldList& fields = answered.fields;
  std::size_t count;
  const std::string_view accept = only(fields, "Sec-WebSocket-Accept", count);
  if (answered.minor == 0 || fields.repeated(FieldId::kUpgrade) ||
      !iequals(answered.value(FieldId::kUpgrade), "websocket") || !connection_has(fields, "upgrade"))
    return fail(Code::kOriginBadReply, "the origin switches to another protocol than WebSocket");
  const std::string expected = websocket_accept(asked.fields.find("Sec-WebSocket-Key")->value);
  if (expected.empty()) return fail(Code::kInternal, "no SHA-1 is to be had here");
  if (count != 1 || accept != expected)
    return fail(Code::kOriginBadReply, "the origin's Sec-WebSocket-Accept does not answer the client's key");
  only(fields, "Sec-WebSocket-Protocol", count);
  if (count > 1 || !all_offered(fields, asked.fields, "Sec-WebSocket-Protocol"))
    return fail(Code::kOriginBadReply, "the origin chose a WebSocket protocol that was not offered");
  if (!all_offered(fields, asked.fields, "Sec-WebSocket-Extensions"))
    return fail(Code::kOriginBadReply, "the origin chose a WebSocket extension that was not offered");
  return {};
}

std::string websocket_accept(std::string_view key) {
  constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const std::string text = std::string(key).append(kGuid);
  std::array<unsigned char, 20> digest;
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) return {};
  std::array<unsigned char, 29> encoded;  // with the NUL that OpenSSL writes
  EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(encoded.data()), encoded.size() - 1};
}

}  // namespace http
