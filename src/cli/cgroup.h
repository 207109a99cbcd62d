// How much memory the system lets this process have, by its cgroup (version 2).
//
// Owner: nobody. Thread: any. Units: bytes. Failure: nothing is known, where there is no limit or no cgroup.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace cli {

// The least that it or a group around it says. `root`: of the file system.
std::optional<std::uint64_t> memory_allowed(const std::filesystem::path& root = "/");

}  // namespace cli
