#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "admin/credential.h"
#include "base/siphash.h"
#include "identity/base64url.h"
#include "telemetry/oplog.h"

namespace admin {

namespace {

constexpr std::size_t kBytes = 32;
constexpr std::size_t kShortest = 32;   // characters
constexpr std::size_t kLongest = 4096;  // of the file

struct Descriptor {
  explicit Descriptor(int opened) : fd(opened) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int fd;
};

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error("admin.token_file " + path + ": " + why);
}

[[noreturn]] void refuse(const std::string& path, int error) {
  refuse(path, std::generic_category().message(error));
}

bool trusted(uid_t owner) {
  return owner == ::geteuid() || owner == 0;
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// RFC 6750 §2.1: b64token.
bool may_be_a_bearer_token(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").contains(c);
  });
}

base::Secret make_token() {
  std::array<char, kBytes> bytes;
  base::random_bytes(bytes.data(), bytes.size());
  std::string text;
  text.reserve(kBytes * 2);  // never moved: no copy stays behind
  identity::base64url_encode({bytes.data(), bytes.size()}, text);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return base::Secret(std::move(text));
}

// False: somebody else was faster. The file appears whole or not at all, since another process that starts at
// the same time may read it at any moment: it is written under a name of ours and then linked, which like
// O_EXCL takes no file and no link that is there.
bool write_new(const std::string& path, const base::Secret& token) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.fd < 0) refuse(path, errno);
  std::string text;
  text.reserve(2 * kBytes);
  const base::Secret line(std::move(text.append(token.reveal()).append("\n")));
  const auto size = static_cast<ssize_t>(line.reveal().size());
  // fchmod: an umask may have taken away even the owner's right to read it at the next start.
  const bool written = ::fchmod(file.fd, 0600) == 0 &&
                       ::write(file.fd, line.reveal().data(), line.reveal().size()) == size &&
                       ::fsync(file.fd) == 0;
  const bool linked = written && ::link(temporary.c_str(), path.c_str()) == 0;
  const int error = errno;
  ::unlink(temporary.c_str());
  if (!linked && (!written || error != EEXIST)) refuse(path, error);
  return linked;
}

base::Secret read(const std::string& path, int fd) {
  struct stat about{};
  if (::fstat(fd, &about) != 0) refuse(path, errno);
  if (!S_ISREG(about.st_mode)) refuse(path, "is no plain file");
  if (!trusted(about.st_uid)) refuse(path, "belongs to another user");
  if ((about.st_mode & 027) != 0)
    refuse(path, "others may read it, or others than its owner write it; make it mode 0600, or 0440");
  std::string text(kLongest + 1, '\0');
  const ssize_t n = ::read(fd, text.data(), text.size());
  if (n < 0) refuse(path, errno);
  text.resize(static_cast<std::size_t>(n));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  base::Secret token(std::move(text));
  const std::string_view content = token.reveal();
  if (content.size() < kShortest) refuse(path, "is empty or too short: 32 characters at least");
  if (content.size() >= kLongest) refuse(path, "is too long for a token");
  if (!may_be_a_bearer_token(content))
    refuse(path, "holds more than a token: letters, digits and -._~+/= only");
  return token;
}

base::Secret read(const std::string& path) {
  // A link is how secrets are mounted; one that somebody else has laid is not followed.
  struct stat about{};
  const bool link = ::lstat(path.c_str(), &about) == 0 && S_ISLNK(about.st_mode);
  if (link && !trusted(about.st_uid)) refuse(path, "is a symbolic link of another user");
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.fd < 0 && link) refuse(path, "is a symbolic link to what cannot be opened");
  if (file.fd < 0) refuse(path, errno);
  return read(link ? path + " (a symbolic link)" : path, file.fd);
}

}  // namespace

std::string why_no_token_file(const std::string& path) {
  struct stat about{};
  try {
    if (::lstat(path.c_str(), &about) == 0) {
      read(path);
    } else if (errno != ENOENT) {
      refuse(path, errno);
    } else if (::faccessat(AT_FDCWD, folder_of(path).c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
      refuse(path, "cannot be made: " + std::generic_category().message(errno));
    }
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

base::Secret open_token_file(const std::string& path) {
  struct stat about{};
  if (::lstat(path.c_str(), &about) != 0) {
    if (errno != ENOENT) refuse(path, errno);
    base::Secret token = make_token();
    if (write_new(path, token)) {
      telemetry::log::info("admin token created", {{"file", path}});
      return token;
    }
  }
  return read(path);
}

}  // namespace admin
