#include "cli/cgroup.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace cli {

std::optional<std::uint64_t> memory_allowed(const std::filesystem::path& root) {
  std::ifstream groups(root / "proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line) && !line.starts_with("0::/")) line.clear();
  if (line.empty()) return {};
  std::optional<std::uint64_t> least;
  // In a container the path may be that of the host, and the group is mounted where the root is.
  std::filesystem::path group = line.substr(4);
  for (;; group = group.parent_path()) {
    std::uint64_t bytes = 0;
    if (std::ifstream(root / "sys/fs/cgroup" / group / "memory.max") >> bytes)  // else "max"
      least = std::min(least.value_or(bytes), bytes);
    if (group.empty()) return least;
  }
}

}  // namespace cli
