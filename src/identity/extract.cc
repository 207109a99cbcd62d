#include "identity/extract.h"

#include <algorithm>
#include <optional>

#include "http/chars.h"
#include "http/target.h"
#include "identity/reason.h"

namespace identity {

namespace {

// What a source holds: nothing, a token, or too much.
using Found = base::Result<std::optional<std::string_view>>;

constexpr std::string_view kBearer = "bearer";

std::unexpected<base::Error> ambiguous() {
  return base::fail(base::Code::kTwoCredentials, reason::kAmbiguous);
}

// credentials = "Bearer" 1*SP b64token. The scheme is case-insensitive.
Found from_bearer(const http::RequestHead& head) {
  const http::Field* field = head.find(http::FieldId::kAuthorization);
  if (!field) return std::nullopt;
  if (head.fields.repeated(http::FieldId::kAuthorization)) return ambiguous();
  std::string_view value = field->value;
  if (value.size() <= kBearer.size() || value[kBearer.size()] != ' ' ||
      !http::iequals(value.substr(0, kBearer.size()), kBearer))
    return std::nullopt;
  value.remove_prefix(kBearer.size());
  const std::size_t token = value.find_first_not_of(' ');
  if (token == value.npos) return std::nullopt;
  return value.substr(token);
}

Found from_header(const http::RequestHead& head, const config::TokenSource& source) {
  const http::Field* field = head.fields.find(source.name);
  if (!field) return std::nullopt;
  for (const http::Field* other = field + 1; other != head.fields.end(); ++other)
    if (http::iequals(other->name, source.name)) return ambiguous();
  if (!field->value.starts_with(source.prefix) || field->value.size() == source.prefix.size())
    return std::nullopt;
  return field->value.substr(source.prefix.size());
}

Found from_query(std::string_view raw_query, const config::TokenSource& source, std::string& scratch) {
  const std::optional<std::string_view> raw = http::query_value(raw_query, source.name);
  if (!raw || raw->empty()) return std::nullopt;
  const auto end = static_cast<std::size_t>(raw->data() + raw->size() - raw_query.data());
  if (end < raw_query.size() && http::query_value(raw_query.substr(end + 1), source.name)) return ambiguous();
  if (raw->find_first_of("%+") == raw->npos) return *raw;
  std::optional<std::string> decoded = http::query_value_decoded(raw_query, source.name);
  if (!decoded || decoded->empty()) return std::nullopt;
  scratch = std::move(*decoded);
  return scratch;
}

// cookie-pairs stand between semicolons, in one field or several (RFC 6265 §4.2.1, RFC 9113 §8.2.3).
Found from_cookie(const http::RequestHead& head, const config::TokenSource& source) {
  std::optional<std::string_view> found;
  for (const http::Field& field : head.fields) {
    if (field.id != http::FieldId::kCookie) continue;
    for (std::string_view left = field.value; !left.empty();) {
      const std::size_t end = left.find(';');
      std::string_view pair = left.substr(0, end);
      left.remove_prefix(end == left.npos ? left.size() : end + 1);
      pair = http::trim_ows(pair);
      if (!pair.starts_with(source.name)) continue;
      // Some servers take white space around the name for nothing: so its value may be the one that they see.
      const std::string_view value = http::trim_ows(pair.substr(source.name.size()));
      if (!value.starts_with('=')) continue;
      if (found) return ambiguous();
      found = value.substr(1);
      if (found->size() >= 2 && found->front() == '"' && found->back() == '"')
        found = found->substr(1, found->size() - 2);
    }
  }
  return found && !found->empty() ? found : std::nullopt;
}

Found look(const http::RequestHead& head, std::string_view raw_query, const config::TokenSource& source,
           std::string& scratch) {
  switch (source.kind) {
    case config::TokenSource::Kind::kBearer:
      return from_bearer(head);
    case config::TokenSource::Kind::kHeader:
      return from_header(head, source);
    case config::TokenSource::Kind::kQuery:
      return from_query(raw_query, source, scratch);
    case config::TokenSource::Kind::kCookie:
      return from_cookie(head, source);
  }
  return std::nullopt;
}

}  // namespace

base::Result<Credential> extract(const http::RequestHead& head, std::string_view raw_query,
                                 std::span<const config::TokenSource> from, std::string& scratch) {
  std::optional<Credential> credential;
  for (const config::TokenSource& source : from) {
    const Found found = look(head, raw_query, source, scratch);
    if (!found) return std::unexpected(found.error());
    if (!*found) continue;
    if (credential) return ambiguous();
    credential = Credential{**found, &source};
  }
  if (!credential) return base::fail(base::Code::kUnauthorized, reason::kNoCredential);
  return *credential;
}

}  // namespace identity
