// Which folder holds what, as the file system says and not as paths are spelt.
//
// Owner:    nobody; functions. Thread: any; they ask the file system, so at start and reload only.
// Failures: none; what cannot be looked at lies in nothing.
#pragma once

#include <string>

namespace config {

// Whether the file, which need not exist yet, lies in the folder or in one beneath it: along links, other
// spellings and mounts of the same folder.
bool lies_beneath(const std::string& file, const std::string& folder);

// Whether two paths are one folder.
bool same_folder(const std::string& a, const std::string& b);

}  // namespace config
