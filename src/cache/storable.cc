#include "cache/storable.h"

#include <algorithm>
#include <charconv>

#include "base/sabotage.h"
#include "cache/entry.h"
#include "http/cache_control.h"
#include "http/date.h"
#include "http/response_head.h"
#include "http/targeted.h"

namespace cache {

namespace {

using base::Nanos;
using base::Seconds;
using http::FieldId;

// §5.1: of a list the first member counts; what is not a number is passed over; §1.2.2: 2^31 stands for more.
Nanos age_value(const http::ResponseHead& reply) {
  const std::string_view text = reply.value(FieldId::kAge);
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  std::uint64_t seconds = 0;
  const auto [stop, error] = std::from_chars(begin, end, seconds);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 31;
  if (error == std::errc::result_out_of_range) return Seconds(kMost);
  if (error != std::errc() || (stop != end && *stop != ',' && *stop != ' ')) return Nanos(0);
  return Seconds(std::min(seconds, kMost));
}

// Between two moments that an origin names; dates reach further than a count of nanoseconds does (§1.2.2).
Nanos span_of(std::int64_t from, std::int64_t to) {
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  return Seconds(std::clamp<std::int64_t>(to - from, 0, kMost));
}

// §4.2.3. The reply is as old as its Date says or its Age, whichever is more; the time it was under way
// counts.
Nanos corrected_initial_age(const http::ResponseHead& reply, std::optional<std::int64_t> date,
                            const ExchangeTimes& times) {
  const std::int64_t received = base::unix_seconds(times.received_wall);
  const Nanos apparent = date ? span_of(*date, received) : Nanos(0);
  const Nanos delay = std::max(Nanos(0), times.received - times.requested);
  return std::max(apparent, age_value(reply) + delay);
}

// §4.2.1, then the route's word.
std::optional<Nanos> lifetime(const http::ResponseHead& reply, const http::CacheControl& control,
                              bool targeted, std::int64_t date, std::optional<Nanos> route_ttl) {
  if (control.s_maxage) return Seconds(*control.s_maxage);
  if (control.max_age) return Seconds(*control.max_age);
  if (const http::Field* expires = targeted ? nullptr : reply.find(FieldId::kExpires)) {
    const auto when = http::parse_date(expires->value, date);
    return when ? span_of(date, *when) : Nanos(0);  // §5.3: "0" is a time in the past
  }
  return route_ttl;
}

RequestRules bypass(std::string_view why) {
  return {.lookup = false, .store = false, .why_not = why};
}
Storable refuse(std::string_view why) {
  return {.why_not = why};
}

}  // namespace

bool RequestRules::accepts(const Entry& entry, base::Mono now) const {
  if (anew) return false;
  if (max_age && entry.age(now) > *max_age) return false;
  return !min_fresh || entry.age(now) + *min_fresh < entry.freshness();
}

RequestRules request_rules(const http::RequestHead& request, bool credentials_go_on) {
  const bool get = request.method == http::Method::kGet;
  if (!get && request.method != http::Method::kHead) return bypass("method");
  if (credentials_go_on) return bypass("credentials go on to the origin");

  RequestRules rules;
  rules.store = get;
  if (!request.fields.has(FieldId::kCacheControl) && !request.fields.has(FieldId::kPragma)) return rules;

  const http::CacheControl control = http::cache_control_of(request.fields);
  rules.only_if_cached = control.only_if_cached;
  if (control.max_age) rules.max_age = Seconds(*control.max_age);
  if (control.min_fresh) rules.min_fresh = Seconds(*control.min_fresh);
  if (control.no_cache || control.max_age == 0u) {
    rules.anew = true;
  }
  if (control.no_store) {
    rules.store = false;
    rules.why_not = "the request says no-store";
  }
  return rules;
}

Storable may_store(const RequestRules& rules, const http::ResponseHead& reply, std::optional<Nanos> route_ttl,
                   const ExchangeTimes& times) {
  if (!rules.store) return refuse(rules.why_not.empty() ? "not a GET" : rules.why_not);
  if (reply.status != 200 && !(sabotage::on("origin-error-stored") && reply.status >= 500))
    return refuse("status is not 200");
  // What ends with its connection also ends so when the origin dies: nobody can tell that it is whole (§3.3).
  if (reply.framing == http::Framing::kUntilClose) return refuse("no length");
  if (reply.fields.has(FieldId::kSetCookie)) return refuse("Set-Cookie");
  if (reply.fields.has(FieldId::kVary)) return refuse("Vary");
  auto targeted = http::cdn_cache_control_of(reply.fields);
  // Else the route's own lifetime would hold for what may well have been forbidden.
  if (targeted && targeted->malformed && reply.fields.has(FieldId::kCacheControl)) targeted.reset();
  const http::CacheControl control = targeted ? *targeted : http::cache_control_of(reply.fields);
  if (control.malformed)
    return refuse(targeted ? "CDN-Cache-Control cannot be read" : "Cache-Control cannot be read");
  if (control.no_store && !sabotage::on("no-store-ignored")) return refuse("no-store");
  if (control.is_private) return refuse("private");
  if (control.no_cache) return refuse("no-cache");

  const std::int64_t received = base::unix_seconds(times.received_wall);
  const auto date = http::parse_date(reply.value(FieldId::kDate), received);
  // Without a Date the reply counts as made when it came (RFC 9110 §6.6.1).
  const auto freshness = lifetime(reply, control, targeted.has_value(), date.value_or(received), route_ttl);
  if (!freshness) return refuse("neither origin nor route gives a lifetime");
  const Nanos age = corrected_initial_age(reply, date, times);
  if (age >= *freshness) return refuse("already stale");
  return {.store = true, .freshness = *freshness, .initial_age = age, .why_not = {}};
}

}  // namespace cache
