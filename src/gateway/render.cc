#include "gateway/render.h"

#include <algorithm>
#include <array>

#include "http/cache_control.h"
#include "http/chars.h"
#include "http/date.h"
#include "http/hop_by_hop.h"
#include "http/targeted.h"
#include "limit/fields.h"

namespace gateway {

using http::FieldId;

std::string& begin_fields(Exchange& x) {
  std::string& out = x.out.begin();
  append_field(out, "X-Request-Id", x.request_id);
  if (x.standing.policies)
    limit::append_rate_fields(x.standing, x.snapshot->config().limits.rate_fields, out);
  return out;
}

void append_cache_fields(Exchange& x, base::Nanos age, base::Nanos freshness) {
  using base::Seconds;
  std::string& out = x.out.text();
  const auto seconds = [](base::Nanos n) { return std::chrono::duration_cast<Seconds>(n).count(); };
  const auto append_age = [&] {
    out.append("Age: ");
    append_number(out, static_cast<std::uint64_t>(seconds(age)));
    out.append("\r\n");
  };
  switch (x.cache) {
    case CacheUse::kNone:
      return;
    case CacheUse::kHit:
      append_age();
      out.append("Cache-Status: sekisho; hit; ttl=");
      append_number(out, static_cast<std::uint64_t>(std::max<base::Nanos::rep>(0, seconds(freshness - age))));
      break;
    case CacheUse::kMiss:
      if (age >= Seconds(1)) append_age();  // it was old when it came
      out.append("Cache-Status: sekisho; fwd=miss");
      break;
    case CacheUse::kCollapsed:
      if (age >= Seconds(1)) append_age();
      out.append("Cache-Status: sekisho; fwd=miss; collapsed");
      break;
    case CacheUse::kBypass:
      out.append("Cache-Status: sekisho; fwd=bypass");
      break;
  }
  if (x.cache == CacheUse::kMiss && x.stored) out.append("; stored");
  if (!x.cache_detail.empty()) out.append("; detail=\"").append(x.cache_detail).append("\"");
  out.append("\r\n");
}

namespace {

constexpr std::array<std::string_view, 5> kRateFields = {"ratelimit", "ratelimit-policy", "x-ratelimit-limit",
                                                         "x-ratelimit-remaining", "x-ratelimit-reset"};

// All Cache-Control of a reply in one field, for the caller alone.
void append_private(const http::ResponseHead& head, std::string& out) {
  std::string said;
  for (const http::Field& field : head.fields)
    if (field.id == FieldId::kCacheControl) said.append(said.empty() ? "" : ", ").append(field.value);
  append_field(out, "Cache-Control", http::as_private(said));
}

}  // namespace

std::string_view last_modified_of(const http::ResponseHead& head) {
  const std::string_view text = head.value(FieldId::kLastModified), date = head.value(FieldId::kDate);
  if (text.empty()) return text;
  const auto modified = http::parse_date(text);
  const auto made = date.empty() ? std::nullopt : http::parse_date(date);
  const std::int64_t latest = made.value_or(base::unix_seconds(base::wall_tick()));
  if (!modified || *modified <= latest) return text;
  return made ? date : std::string_view();
}

void append_end_to_end(const Route& route, const http::ResponseHead& head, bool stored, std::string& out) {
  const http::HopByHop hop(head.fields);
  for (const http::Field& field : head.fields) {
    // Framing and the request id are ours to write.
    if (field.id == FieldId::kContentLength || field.id == FieldId::kXRequestId || hop.ends_here(field))
      continue;
    if (field.id == FieldId::kSetCookie && route.credentials.set_by(field.value)) continue;
    if (stored && (field.id == FieldId::kAge || field.id == FieldId::kCacheStatus)) continue;
    if (route.tells_rates && std::ranges::any_of(kRateFields, [&](std::string_view name) {
          return http::iequals(name, field.name);
        }))
      continue;
    if (route.is_private && (field.id == FieldId::kCacheControl ||
                             (field.id == FieldId::kOther && http::is_targeted(field.name))))
      continue;
    if (field.id == FieldId::kLastModified) {
      if (const std::string_view modified = last_modified_of(head); !modified.empty())
        append_field(out, field.name, modified);
      continue;
    }
    append_field(out, field.name, field.value);
  }
  if (route.is_private && head.status >= 200) append_private(head, out);
}

std::string allowed_methods(const Exchange& x) {
  if (!x.route->rules->allow.empty()) return x.route->rules->allow;
  return x.route->app ? x.route->app->allowed(x.rest) : std::string(x.route->origin->allowed_methods());
}

namespace {

// Calls visit(line with CRLF, name, value) for each field until it says false.
template <class Visit>
void each_field(std::string_view fields, Visit visit) {
  while (!fields.empty()) {
    const std::string_view line = fields.substr(0, fields.find("\r\n") + 2);
    fields.remove_prefix(line.size());
    const std::size_t colon = line.find(':');
    if (!visit(line, line.substr(0, colon), line.substr(colon + 2, line.size() - colon - 4))) return;
  }
}

}  // namespace

std::string_view rendered_value(std::string_view fields, std::string_view name) {
  std::string_view found;
  each_field(fields, [&](std::string_view, std::string_view n, std::string_view value) {
    if (!http::iequals(n, name)) return true;
    found = value;
    return false;
  });
  return found;
}

void append_without(std::string_view fields, std::string_view name, std::string& out) {
  each_field(fields, [&](std::string_view line, std::string_view n, std::string_view) {
    if (!http::iequals(n, name)) out.append(line);
    return true;
  });
}

}  // namespace gateway
