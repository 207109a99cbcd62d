#include "origin/dir_origin.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "client/reply_maker.h"
#include "config/fingerprint.h"
#include "http/date.h"
#include "net/descriptors.h"
#include "origin/content_type.h"

namespace origin {

using base::Code;
using base::fail;
using client::OwnHead;
using client::ReplyMaker;

namespace {

constexpr std::size_t kMaxPath = 4096;  // PATH_MAX, with its NUL

int open_root(const std::string& path) {
  return ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int open_beneath(int root, const char* path, std::uint64_t resolve) {
  // O_NONBLOCK: opening a fifo must not wait for its writer; on regular files it means nothing.
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = resolve;
  long fd = 0;
  do {
    fd = ::syscall(SYS_openat2, root, path, &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));  // EAGAIN: a rename elsewhere raced the walk
  return static_cast<int>(fd);
}

std::unique_ptr<OwnHead> head_of(const struct stat& file, std::string_view path) {
  auto own = std::make_unique<OwnHead>(std::uint16_t{200}, 384);
  char etag[64];
  const auto end = fmt::format_to_n(etag, sizeof etag, "\"{:x}-{:x}{:09x}-{:x}\"", file.st_size,
                                    file.st_mtim.tv_sec, file.st_mtim.tv_nsec, file.st_ino)
                       .out;
  char date[http::kDateSize];
  own->set_length(static_cast<std::uint64_t>(file.st_size));
  own->add(http::FieldId::kContentType, content_type_of(path));
  own->add(http::FieldId::kEtag, {etag, end});
  // Never later than the Date beside it, RFC 9110 section 8.8.2.1.
  const auto changed = std::min<std::int64_t>(file.st_mtim.tv_sec, base::unix_seconds(base::wall_now()));
  own->add(http::FieldId::kLastModified, http::write_date(changed, date));
  own->add(http::FieldId::kAcceptRanges, "bytes");
  return own;
}

// Asked anew each time, since a file may be replaced; there is none in folders that are served and nothing
// else.
bool is_own(const struct stat& file, std::string_view path, const std::vector<std::string>& own_files) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return std::ranges::any_of(own_files, [&](const std::string& own) {
    struct stat now{};
    if (::stat(own.c_str(), &now) == 0 && now.st_dev == file.st_dev && now.st_ino == file.st_ino) return true;
    const std::string_view log = std::string_view(own).substr(own.rfind('/') + 1);
    return name.size() > log.size() && name.starts_with(log) && name[log.size()] == '.' &&
           name.find_first_not_of("0123456789-.:TZgz", log.size()) == name.npos;
  });
}

}  // namespace

DirOrigin::DirOrigin(const config::Origin& configuration, const config::DirOrigin& options)
    : Origin(configuration.name, config::fingerprint(configuration)),
      path_(options.path),
      own_files_(options.own_files),
      resolve_(RESOLVE_BENEATH | (options.follow_links ? RESOLVE_NO_MAGICLINKS : RESOLVE_NO_SYMLINKS)),
      root_(open_root(path_)) {
  if (root_ < 0) throw std::runtime_error("cannot serve the folder '" + path_ + "': " + std::strerror(errno));
  const int self = open_beneath(root_, ".", resolve_);
  const int why = errno;
  if (self >= 0) ::close(self);
  if (self < 0) {
    ::close(root_);
    throw std::runtime_error(why == ENOSYS || why == EPERM
                                 ? "cannot serve folders: the kernel, or a filter on it, refuses openat2"
                                 : "cannot serve the folder '" + path_ + "': " + std::strerror(why));
  }
}

DirOrigin::~DirOrigin() {
  ::close(root_);
}

net::Task<base::Result<Reply>> DirOrigin::fetch(const Ask& ask, net::Cancel*) {
  co_return open(ask);
}

base::Result<Reply> DirOrigin::open(const Ask& ask) const {
  if (ask.method != http::Method::kGet && ask.method != http::Method::kHead)
    return fail(Code::kMethodNotAllowed, "a folder can be read only");
  const base::Mono asked = base::mono_now();
  std::string_view path = ask.path;
  while (path.starts_with('/')) path.remove_prefix(1);
  if (path.empty() || path.ends_with('/') || path.size() >= kMaxPath ||
      path.find('\0') != std::string_view::npos)
    return fail(Code::kNotFound, "no such object");
  char text[kMaxPath];
  text[path.copy(text, path.size())] = '\0';

  File file{.fd = open_beneath(root_, text, resolve_)};
  if (file.fd < 0) {
    if (errno == EMFILE || errno == ENFILE) return fail(Code::kOverloaded, "no descriptor left for a file");
    return fail(Code::kNotFound, "no such object");
  }
  struct stat found{};
  if (::fstat(file.fd, &found) != 0 || !S_ISREG(found.st_mode) || is_own(found, path, own_files_)) {
    ::close(file.fd);
    return fail(Code::kNotFound, "no such object");
  }
  net::descriptors().taken();  // until the reply goes
  file.size = static_cast<std::uint64_t>(found.st_size);
  return ReplyMaker::of(file, head_of(found, path), ask.method == http::Method::kGet, asked);
}

net::Task<base::Result<>> DirOrigin::probe(net::Cancel*) {
  // By its path, as a start would find it: a folder that was removed and made anew is not the one held open.
  const int fd = open_root(path_);
  if (fd < 0) co_return fail(Code::kOriginUnreachable, "the folder cannot be opened");
  ::close(fd);
  co_return base::Result<>{};
}

}  // namespace origin
