#include "http/field.h"

#include "http/field_table.h"

namespace http {

FieldId field_id(std::string_view name) {
  return detail::find_field_id(name);
}

std::string_view field_name(FieldId id) {
  return detail::kFieldNames[static_cast<std::size_t>(id)];
}

const Field* FieldList::find(std::string_view name) const {
  for (const Field& f : *this)
    if (iequals(f.name, name)) return &f;
  return nullptr;
}

}  // namespace http
