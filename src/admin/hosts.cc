#include "admin/hosts.h"

#include <algorithm>

#include "http/chars.h"
#include "net/address.h"

namespace admin {

bool Hosts::allow(std::string_view host) const {
  if (host.empty()) return true;
  const bool bracketed = host.starts_with('[');
  const std::size_t end = host.find(bracketed ? ']' : ':');
  if (bracketed && end == std::string_view::npos) return false;
  std::string_view name = host.substr(0, end);
  if (bracketed) name.remove_prefix(1);
  if (net::Endpoint::parse(name, 0)) return true;
  if (name.ends_with('.')) name.remove_suffix(1);
  const auto is = [name](std::string_view one) { return http::iequals(name, one); };
  return is("localhost") || std::ranges::any_of(names_, is);
}

}  // namespace admin
