#include "config/folders.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace config {
namespace {

namespace fs = std::filesystem;

std::optional<std::pair<dev_t, ino_t>> identity_of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return std::pair(found.st_dev, found.st_ino);
}

bool beneath(const fs::path& from, const std::pair<dev_t, ino_t>& root) {
  for (fs::path at = from;; at = at.parent_path()) {
    if (identity_of(at.string()) == root) return true;
    if (at == at.root_path() || !at.has_parent_path()) return false;
  }
}

}  // namespace

bool lies_beneath(const std::string& file, const std::string& folder) {
  const auto root = identity_of(folder);
  if (!root) return false;
  std::error_code none;
  const fs::path named = fs::absolute(file, none);
  // A link lies where it stands, and what it leads to lies there.
  for (const fs::path& path : {fs::weakly_canonical(named.parent_path(), none) / named.filename(),
                               fs::weakly_canonical(named, none)})
    if (beneath(path.parent_path(), *root)) return true;
  return false;
}

bool same_folder(const std::string& a, const std::string& b) {
  const auto one = identity_of(a);
  return one && one == identity_of(b);
}

}  // namespace config
