#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

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
  refuse(path, error == ELOOP ? "is a symbolic link" : std::generic_category().message(error));
}

// RFC 6750 §2.1: b64token.
bool may_be_a_bearer_token(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").contains(c);
  });
}

base::Secret make(const std::string& path, int fd) {
  std::array<char, kBytes> bytes;
  base::random_bytes(bytes.data(), bytes.size());
  std::string text;
  text.reserve(kBytes * 2);  // never moved: no copy stays behind
  identity::base64url_encode({bytes.data(), bytes.size()}, text);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  base::Secret token(text);
  text += '\n';
  const base::Secret line(std::move(text));
  // fchmod: an umask may have taken away even the owner's right to read it at the next start.
  if (::fchmod(fd, 0600) != 0 ||
      ::write(fd, line.reveal().data(), line.reveal().size()) != static_cast<ssize_t>(line.reveal().size()) ||
      ::fsync(fd) != 0) {
    const int error = errno;
    ::unlink(path.c_str());  // half a token would be refused at the next start, or worse, taken
    refuse(path, error);
  }
  telemetry::log::info("admin token created", {{"file", path}});
  return token;
}

base::Secret read(const std::string& path, int fd) {
  struct stat about{};
  if (::fstat(fd, &about) != 0) refuse(path, errno);
  if (!S_ISREG(about.st_mode)) refuse(path, "is no plain file");
  if (about.st_uid != ::geteuid()) refuse(path, "belongs to another user");
  if ((about.st_mode & 077) != 0) refuse(path, "group or others may use it; make it mode 0600");
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

}  // namespace

base::Secret open_token_file(const std::string& path) {
  // Created and opened are told apart by O_EXCL, and neither follows a link: nobody else decides what we read.
  const Descriptor made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (made.fd >= 0) return make(path, made.fd);
  if (errno != EEXIST) refuse(path, errno);
  const Descriptor there(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (there.fd < 0) refuse(path, errno);
  return read(path, there.fd);
}

}  // namespace admin
