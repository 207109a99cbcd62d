// Writing the files that a command makes: never over one that is there, with the mode it must have from the
// start.
//
// Thread: main.  Failure: throws std::runtime_error with one line.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace cli {

// False when the file is there already; it is left alone.
bool write_new(const std::string& path, std::string_view text, mode_t mode);

std::string read_all(const std::string& path);

}  // namespace cli
