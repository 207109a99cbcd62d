#include "prove/template.h"

#include <algorithm>

namespace prove {

std::size_t Slots::slot_of(std::string_view name) {
  const auto known = std::ranges::find(names_, name);
  if (known != names_.end()) return static_cast<std::size_t>(known - names_.begin());
  names_.emplace_back(name);
  return names_.size() - 1;
}

}  // namespace prove
