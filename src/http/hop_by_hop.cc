#include "http/hop_by_hop.h"

#include "http/chars.h"

namespace http {

HopByHop::HopByHop(const FieldList& fields) {
  if (!fields.has(FieldId::kConnection)) return;
  for (const Field& f : fields) {
    if (f.id != FieldId::kConnection) continue;
    for (std::string_view rest = f.value, name; next_element(rest, name);) {
      const FieldId id = field_id(name);
      if (id != FieldId::kOther) {
        ids_ |= bit_of(id) & kMayBeNominated;
      } else if (!iequals(name, "close")) {
        if (names_ < kMaxNames) nominated_[names_] = name;
        if (names_ <= kMaxNames) ++names_;
      }
    }
  }
}

bool HopByHop::nominated(std::string_view name) const {
  if (names_ > kMaxNames) return true;
  for (std::size_t i = 0; i < names_; ++i)
    if (iequals(nominated_[i], name)) return true;
  return false;
}

}  // namespace http
