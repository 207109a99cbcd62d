#include "http/field.h"

#include <algorithm>

#include "http/field_table.h"

namespace http {

FieldId field_id(std::string_view name) {
  return detail::find_field_id(name);
}

std::string_view field_name(FieldId id) {
  return detail::kFieldNames[static_cast<std::size_t>(id)];
}

void FieldList::grow() {
  auto larger = std::make_unique_for_overwrite<Field[]>(2 * room_);
  std::copy_n(slots_, size_, larger.get());
  larger_ = std::move(larger);
  slots_ = larger_.get();
  room_ *= 2;
}

void FieldList::drop() {
  larger_.reset();
  slots_ = inline_;
  room_ = kInline;
}

const Field* FieldList::find(std::string_view name) const {
  for (const Field& f : *this)
    if (iequals(f.name, name)) return &f;
  return nullptr;
}

}  // namespace http
