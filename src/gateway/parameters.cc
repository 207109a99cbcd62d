#include "gateway/parameters.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace gateway {

// Whether what its origin may make of a `;` is for the route that matched alone. Most who know parameters
// take them off each segment, some cut the path at the first.
bool parameters_pass(const http::Target& target, const Route& route, const LocalSnapshot& of) {
  if (route.rules.path_parameters != config::PathParameters::kGuard)
    return route.rules.path_parameters == config::PathParameters::kAllow;
  if (route.can.path != origin::PathForm::kSent) return true;  // there it is a letter of a name
  const std::string_view path = target.collapsed;
  return std::ranges::none_of(
      std::array{http::without_parameters(path), std::string(path.substr(0, path.find(';')))},
      [&](const std::string& seen) {
        const auto match = of.snapshot->router().match(seen);
        const Route* const other = match ? of.routes[match->route].rules : nullptr;
        return other && other != &route && other->guards;
      });
}

}  // namespace gateway
