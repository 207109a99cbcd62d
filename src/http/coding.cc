#include "http/coding.h"

#include <algorithm>

#include "http/chars.h"

namespace http {

namespace {

std::string_view plain(std::string_view coding) {
  if (iequals(coding, "x-gzip")) return "gzip";
  if (iequals(coding, "x-compress")) return "compress";
  return coding;
}

// "q=0", "q=0.000".
bool is_zero(std::string_view weight) {
  weight = trim_ows(weight);
  if (weight.size() < 3 || lower(weight[0]) != 'q' || weight[1] != '=') return false;
  return weight.substr(2).find_first_not_of("0.") == std::string_view::npos;
}

bool accepts(std::string_view list, std::string_view coding) {
  bool any = false;
  for (std::string_view item; next_element(list, item);) {
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view name = trim_ows(item.substr(0, semicolon));
    const bool zero = semicolon < item.size() && is_zero(item.substr(semicolon + 1));
    if (iequals(plain(name), plain(coding))) return !zero;
    if (name == "*") any = !zero;
  }
  return any;
}

}  // namespace

std::string accept_encoding_of(const FieldList& fields) {
  std::string out;
  for (const Field& field : fields)
    if (field.id == FieldId::kAcceptEncoding) out.append(out.empty() ? "" : ", ").append(field.value);
  return out;
}

bool accepts_codings(std::string_view accept_encoding, std::string_view codings) {
  for (std::string_view coding; next_element(codings, coding);)
    if (!iequals(coding, "identity") && !accepts(accept_encoding, coding)) return false;
  return true;
}

}  // namespace http
