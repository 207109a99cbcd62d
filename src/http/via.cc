#include "http/via.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "http/chars.h"

namespace http {

const std::string& our_name() {
  static const std::string name = [] {
    std::random_device random;
    std::string out = "sekisho-";
    for (int i = 0; i < 16; ++i) out += "0123456789abcdef"[random() & 15];
    return out;
  }();
  return name;
}

bool has_passed_us(const FieldList& fields) {
  return std::ranges::any_of(fields, [](const Field& field) {
    if (field.id != FieldId::kVia) return false;
    // A name of this length and making stands nowhere else, be it in a comment or not.
    return field.value.find(our_name()) != std::string_view::npos;
  });
}

}  // namespace http
