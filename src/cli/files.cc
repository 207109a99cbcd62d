#include "cli/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "base/read_file.h"

namespace cli {

namespace {
constexpr std::size_t kMost = 1 << 20;
}

bool write_new(const std::string& path, std::string_view text, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) {
    if (errno == EEXIST) return false;
    throw std::runtime_error("cannot make " + path + ": " + std::strerror(errno));
  }
  const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  if (!whole) throw std::runtime_error("cannot write " + path + ": is the disk full?");
  return true;
}

std::string read_all(const std::string& path) {
  auto text = base::read_file(path, kMost);
  if (!text) throw std::runtime_error(path + " " + text.error());
  return *std::move(text);
}

}  // namespace cli
