#include "http/conditions.h"

#include "http/date.h"
#include "http/etag.h"

namespace http {

namespace {

// Whether any field of that name matches; a list may be spread over several fields.
bool any_matches(const FieldList& fields, FieldId id, const Validators& current, EtagComparison how) {
  for (const Field& f : fields) {
    if (f.id != id) continue;
    if (f.value == "*" ? current.exists : etag_list_matches(f.value, current.etag, how)) return true;
  }
  return false;
}

// The date of a condition; none when it is void: absent, repeated or no date.
std::optional<std::int64_t> date_of(const FieldList& fields, FieldId id) {
  const Field* f = fields.find(id);
  if (f == nullptr || fields.repeated(id)) return std::nullopt;
  return parse_date(f->value);
}

}  // namespace

Verdict evaluate(Method method, const FieldList& fields, const Validators& current) {
  constexpr std::uint64_t kConditions = bit_of(FieldId::kIfMatch) | bit_of(FieldId::kIfUnmodifiedSince) |
                                        bit_of(FieldId::kIfNoneMatch) | bit_of(FieldId::kIfModifiedSince);
  if (!fields.has_any(kConditions)) return Verdict::kProceed;

  if (fields.has(FieldId::kIfMatch)) {
    if (!any_matches(fields, FieldId::kIfMatch, current, EtagComparison::kStrong))
      return Verdict::kPreconditionFailed;
  } else if (const auto since = date_of(fields, FieldId::kIfUnmodifiedSince);
             since && current.last_modified) {
    if (*current.last_modified > *since) return Verdict::kPreconditionFailed;
  }

  const bool reads = method == Method::kGet || method == Method::kHead;
  if (fields.has(FieldId::kIfNoneMatch)) {
    if (any_matches(fields, FieldId::kIfNoneMatch, current, EtagComparison::kWeak))
      return reads ? Verdict::kNotModified : Verdict::kPreconditionFailed;
  } else if (const auto since = date_of(fields, FieldId::kIfModifiedSince);
             reads && since && current.last_modified) {
    if (*current.last_modified <= *since) return Verdict::kNotModified;
  }
  return Verdict::kProceed;
}

bool if_range_holds(std::string_view value, const Validators& current) {
  if (value.starts_with('"') || value.starts_with("W/")) return etags_equal_strong(value, current.etag);
  const auto date = parse_date(value);
  if (!date || !current.last_modified || *date != *current.last_modified) return false;
  // A date is a strong validator only if nothing could have changed within its second (RFC 9110 §8.8.2.2).
  return current.date && *current.last_modified < *current.date;
}

}  // namespace http
