#include "base/read_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace base {

namespace {

using Content = std::expected<std::string, std::string>;

constexpr Millis kLook{20};   // for a signal
constexpr Seconds kHurry{1};  // while another file hangs, since they are likely to be on one mount
constexpr int kMaxStuck = 8;  // threads that were left behind

std::atomic<int> stuck{0};

std::unexpected<std::string> unreadable(int error) {
  return std::unexpected("cannot be read: " + std::generic_category().message(error));
}

std::string shown(std::size_t bytes) {
  return bytes % (1 << 20) == 0 ? std::to_string(bytes >> 20) + "MiB" : std::to_string(bytes >> 10) + "KiB";
}

Content read_now(const std::string& path, std::size_t most) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return unreadable(errno);
  struct stat about{};
  if (::fstat(fd, &about) == 0 && S_ISDIR(about.st_mode)) {
    ::close(fd);
    return std::unexpected("is a folder, not a file");
  }
  std::string bytes(most + 1, '\0');  // never grows: no copy of a key stays behind
  std::size_t size = 0;
  ssize_t n = 0;
  while (size < bytes.size()) {
    n = ::read(fd, bytes.data() + size, bytes.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  const int error = errno;
  ::close(fd);
  if (n < 0 || size > most) OPENSSL_cleanse(bytes.data(), size);
  if (n < 0) return unreadable(error);
  if (size > most) return std::unexpected("is larger than " + shown(most));
  bytes.resize(size);
  return bytes;
}

struct Reading {
  std::mutex lock;
  std::condition_variable done;
  std::optional<Content> content;
  bool left_behind = false;
};

}  // namespace

bool end_is_pending() {
  sigset_t waiting;
  return ::sigpending(&waiting) == 0 &&
         (::sigismember(&waiting, SIGTERM) == 1 || ::sigismember(&waiting, SIGINT) == 1);
}

Content read_file(const std::string& path, std::size_t most) {
  if (stuck >= kMaxStuck) return std::unexpected("cannot be read: too many files do not answer");
  const auto reading = std::make_shared<Reading>();
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no signal is for that thread
  std::thread([reading, path, most] {
    Content content = read_now(path, most);
    const std::lock_guard lock(reading->lock);
    if (reading->left_behind) --stuck;
    reading->content = std::move(content);
    reading->done.notify_one();
  }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);

  const Seconds patience = stuck > 0 ? kHurry : kFilePatience;
  const Mono deadline = mono_now() + patience;
  std::unique_lock lock(reading->lock);
  while (!reading->done.wait_for(lock, kLook, [&] { return reading->content.has_value(); })) {
    const bool end = end_is_pending();
    if (!end && mono_now() < deadline) continue;
    reading->left_behind = true;
    ++stuck;
    if (end) return std::unexpected("cannot be read: the process is to end");
    return std::unexpected("cannot be read: nothing came within " + std::to_string(patience.count()) + "s");
  }
  return *std::move(reading->content);
}

}  // namespace base
