#include "telemetry/line_sink.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "telemetry/oplog.h"

namespace telemetry {

namespace {

// Without O_NONBLOCK the open of a FIFO would wait for its reader; it is refused instead (ENXIO).
constexpr int kAppend = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int kPollMillis = 100;
constexpr base::Seconds kNextRotation{10};  // after one that failed

// ---- a stream or a file

class StreamSink final : public LineSink {
 public:
  explicit StreamSink(std::string output) : LineSink(std::move(output)) {
    if (this->output() == "stdout" || this->output() == "stderr") {
      fd_ = this->output() == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
    } else {
      fd_ = open_file();
      if (fd_ < 0) throw std::system_error(errno, std::generic_category(), this->output());
      owns_fd_ = true;
    }
    look();
  }
  ~StreamSink() override {
    if (owns_fd_) ::close(fd_);
  }

  int put(std::string_view lines, std::size_t& done, const GiveUp& give_up) override {
    const bool between = done == 0 || lines[done - 1] == '\n';
    if (torn_ && between) {  // half a line stays behind; the next begins cleanly
      std::size_t newline = 0;
      if (const int error = write_all("\n", newline, give_up)) return error;
    }
    const int error = write_all(lines, done, give_up);
    torn_ = done != 0 ? lines[done - 1] != '\n' : torn_ && error != 0;
    return error;
  }

  int reopen() override {
    if (!owns_fd_) return 0;
    const int fd = open_file();
    if (fd < 0) return errno;
    ::close(std::exchange(fd_, fd));
    look();
    return 0;
  }

  const struct stat& about() const { return about_; }  // when it was opened
  std::uint64_t size() const { return size_; }

 private:
  int open_file() const { return ::open(output().c_str(), kAppend | O_CREAT, 0640); }

  void look() {
    about_ = {};
    const bool known = ::fstat(fd_, &about_) == 0;
    patient_ = !known || !(S_ISREG(about_.st_mode) || (S_ISCHR(about_.st_mode) && !::isatty(fd_)));
    size_ = S_ISREG(about_.st_mode) ? static_cast<std::uint64_t>(about_.st_size) : 0;
    torn_ = owns_fd_ && size_ > 0 && ends_within_a_line();
  }

  // A process that died, or a disk that was full, may have left half a line.
  bool ends_within_a_line() const {
    const int fd = ::open(output().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    char last = '\n';
    const ssize_t n = ::pread(fd, &last, 1, about_.st_size - 1);
    ::close(fd);
    return n == 1 && last != '\n';
  }

  int write_all(std::string_view bytes, std::size_t& done, const GiveUp& give_up) {
    while (done < bytes.size()) {
      std::size_t now = bytes.size() - done;
      if (patient_) {
        // A pipe that polls writable takes PIPE_BUF bytes without blocking, so that the farewell is kept
        // without making somebody else's descriptor non-blocking.
        // Whole lines where they fit: so much is written in one piece, also beside others who write there.
        if (now > PIPE_BUF) {
          const std::size_t newline = bytes.substr(done, PIPE_BUF).rfind('\n');
          now = newline == std::string_view::npos ? PIPE_BUF : newline + 1;
        }
        pollfd watch{.fd = fd_, .events = POLLOUT, .revents = 0};
        if (::poll(&watch, 1, kPollMillis) <= 0) {
          if (give_up.now()) return ETIMEDOUT;
          continue;
        }
      }
      const ssize_t n = ::write(fd_, bytes.data() + done, now);
      if (n > 0) {
        done += static_cast<std::size_t>(n);
        size_ += static_cast<std::size_t>(n);
      } else if (n == 0) {
        return EIO;
      } else if (errno == EAGAIN && patient_) {
        if (give_up.now()) return ETIMEDOUT;
      } else if (errno != EINTR) {
        return errno;
      }
    }
    return 0;
  }

  int fd_ = -1;
  bool owns_fd_ = false;
  bool patient_ = false;  // a pipe, socket or terminal, whose reader may make us wait
  bool torn_ = false;     // what is there ends inside a line
  struct stat about_{};
  std::uint64_t size_ = 0;
};

// ---- a file that is rotated

class RotatingSink final : public LineSink {
 public:
  RotatingSink(const std::string& path, Rotation rotation)
      : LineSink(path), rotation_(rotation), file_(path) {
    opened();
  }

  int put(std::string_view lines, std::size_t& done, const GiveUp& give_up) override {
    while (done < lines.size()) {
      const bool between = done == 0 || lines[done - 1] == '\n';
      if (between && due(lines.find('\n', done) + 1 - done)) rotate();
      if (file_.size() == 0) period_ = period(base::wall_now());
      if (const int error = file_.put(lines.substr(0, end_of_fitting(lines, done)), done, give_up))
        return error;
    }
    return 0;
  }

  int reopen() override {
    const int error = file_.reopen();
    if (error == 0) opened();
    return error;
  }

 private:
  void opened() {
    const base::Wall written{base::Seconds(file_.about().st_mtim.tv_sec)};
    period_ = period(file_.size() == 0 ? base::wall_now() : written);
  }

  std::int64_t period(base::Wall at) const {
    const std::int64_t length = rotation_.every.count();
    return length == 0 ? 0 : base::unix_seconds(at) / length;
  }

  bool due(std::size_t next_line) const {
    const bool plain = S_ISREG(file_.about().st_mode);  // a pipe or a device is never moved aside
    if (!plain || file_.size() == 0 || base::mono_now() < not_before_) return false;
    const bool full = rotation_.size != 0 && file_.size() + next_line > rotation_.size;
    return full || period(base::wall_now()) > period_;
  }

  // As many whole lines as the size leaves room for, but at least the one that begins or goes on at `done`.
  std::size_t end_of_fitting(std::string_view lines, std::size_t done) const {
    if (rotation_.size == 0) return lines.size();
    const std::uint64_t room = rotation_.size > file_.size() ? rotation_.size - file_.size() : 0;
    if (room >= lines.size() - done) return lines.size();
    const std::size_t last =
        room == 0 ? std::string_view::npos : lines.substr(done, static_cast<std::size_t>(room)).rfind('\n');
    return last == std::string_view::npos ? lines.find('\n', done) + 1 : done + last + 1;
  }

  std::string numbered(std::uint64_t n) const { return output() + "." + std::to_string(n); }

  // Nothing may be lost: a step that fails ends the rotation before the next one could overwrite a file. The
  // lines go on into the same one then.
  void rotate() {
    struct stat there{};
    const bool gone = ::stat(output().c_str(), &there) != 0 || there.st_ino != file_.about().st_ino ||
                      there.st_dev != file_.about().st_dev;
    if (!gone && !move_aside()) {
      const int error = errno;
      log::warn("audit log not rotated",
                {{"file", output()}, {"error", std::generic_category().message(error)}});
      not_before_ = base::mono_now() + kNextRotation;
      return;
    }
    if (const int error = reopen()) {
      log::warn("audit log not opened after its rotation",
                {{"file", output()}, {"error", std::generic_category().message(error)}});
      not_before_ = base::mono_now() + kNextRotation;
    }
  }

  bool move_aside() const {
    std::uint64_t free = 1;  // the first number without a file, or the oldest, which goes
    while (free < rotation_.keep && ::access(numbered(free).c_str(), F_OK) == 0) ++free;
    for (; free > 1; --free)
      if (::rename(numbered(free - 1).c_str(), numbered(free).c_str()) != 0) return false;
    return ::rename(output().c_str(), numbered(1).c_str()) == 0;
  }

  const Rotation rotation_;
  StreamSink file_;
  std::int64_t period_ = 0;  // of what is in the file
  base::Mono not_before_{};
};

}  // namespace

std::string why_no_output(const std::string& output, bool moved) {
  if (output == "stdout" || output == "stderr") return "";
  const auto why = [](int error) { return std::generic_category().message(error); };
  const int fd = ::open(output.c_str(), kAppend);
  if (fd >= 0) {
    ::close(fd);
  } else if (errno == ENXIO) {
    return "it is a pipe or a socket that nobody reads";
  } else if (errno != ENOENT) {
    return why(errno);
  }
  if (fd >= 0 && !moved) return "";
  const std::string folder = std::filesystem::path(output).parent_path().string();
  return ::faccessat(AT_FDCWD, folder.empty() ? "." : folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0
             ? ""
             : "its folder: " + why(errno);
}

std::unique_ptr<LineSink> make_stream_sink(const std::string& output) {
  return std::make_unique<StreamSink>(output);
}

std::unique_ptr<LineSink> make_rotating_sink(const std::string& path, Rotation rotation) {
  return std::make_unique<RotatingSink>(path, rotation);
}

}  // namespace telemetry
