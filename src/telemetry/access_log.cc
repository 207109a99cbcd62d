#include "telemetry/access_log.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "telemetry/oplog.h"

namespace telemetry {

namespace {

constexpr int kPollMillis = 100;

int open_file(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

std::string error_text(int error) {
  return error == ETIMEDOUT ? "nobody reads it" : std::generic_category().message(error);
}

}  // namespace

AccessLog::AccessLog(std::string output, std::size_t chunks) : output_(std::move(output)), bound_(chunks) {
  open_output();
  full_.reserve(bound_);
  spare_.reserve(bound_);
  // The writer takes no signal: they belong to main, and a pipe whose reader left answers EPIPE.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread_.native_handle(), "access-log");
}

AccessLog::~AccessLog() {
  give_up_at_ = (base::mono_now() + kFarewell).time_since_epoch().count();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (owns_fd_) ::close(fd_);
}

void AccessLog::open_output() {
  if (output_ == "stdout" || output_ == "stderr") {
    fd_ = output_ == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
  } else {
    fd_ = open_file(output_);
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "access log " + output_);
    owns_fd_ = true;
  }
  struct stat about{};
  const bool known = ::fstat(fd_, &about) == 0;
  patient_ = !known || !(S_ISREG(about.st_mode) || (S_ISCHR(about.st_mode) && !::isatty(fd_)));
}

void AccessLog::reopen() {
  if (!owns_fd_) return;
  {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
  }
  wake_.notify_one();
}

void AccessLog::open_again() {
  const int fd = open_file(output_);
  if (fd < 0) {
    log::warn("access log not reopened", {{"file", output_}, {"error", error_text(errno)}});
    return;
  }
  ::close(std::exchange(fd_, fd));
  torn_ = false;
}

void AccessLog::exchange(ChunkPtr& chunk, bool full) {
  {
    const std::lock_guard lock(mutex_);
    if (spare_.empty() && made_ < bound_) {
      spare_.push_back(std::make_unique<LineChunk>());
      ++made_;
    }
    if (!spare_.empty()) {
      full_.push_back(std::exchange(chunk, std::move(spare_.back())));
      spare_.pop_back();
    } else {
      if (full) {
        dropped_queue_.add(chunk->lines);
        chunk->clear();
      }
      return;
    }
  }
  wake_.notify_one();
}

void AccessLog::run() {
  std::vector<ChunkPtr> batch;
  batch.reserve(bound_);
  for (;;) {
    bool again = false;
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return !full_.empty() || reopen_ || stopping_; });
      batch.swap(full_);
      again = std::exchange(reopen_, false);
      last = stopping_ && batch.empty();
    }
    if (again) open_again();
    for (ChunkPtr& chunk : batch) {
      put_out(*chunk);
      const std::lock_guard lock(mutex_);
      spare_.push_back(std::move(chunk));
    }
    batch.clear();
    if (last) return;
  }
}

void AccessLog::put_out(LineChunk& chunk) {
  std::size_t done = 0;
  int error = 0;
  if (torn_) error = write_all("\n", 1, done);  // half a line stays behind; the next begins cleanly
  if (error == 0) {
    torn_ = false;
    done = 0;
    error = write_all(chunk.bytes.get(), chunk.size, done);
  }
  if (error == 0) {
    written_.add(chunk.lines);
  } else {
    const auto whole =
        static_cast<std::uint64_t>(std::count(chunk.bytes.get(), chunk.bytes.get() + done, '\n'));
    if (done != 0) torn_ = chunk.bytes[done - 1] != '\n';
    written_.add(whole);
    dropped_output_.add(chunk.lines - whole);
    log::warn("access log lines lost",
              {{"output", output_}, {"error", error_text(error)}, {"lines", chunk.lines - whole}});
  }
  chunk.clear();
}

bool AccessLog::given_up() const {
  return base::mono_now().time_since_epoch().count() >= give_up_at_.load(std::memory_order_relaxed);
}

int AccessLog::write_all(const char* bytes, std::size_t size, std::size_t& done) {
  while (done < size) {
    std::size_t now = size - done;
    if (patient_) {
      // A pipe that polls writable takes PIPE_BUF bytes without blocking, so that the farewell is kept
      // without making somebody else's descriptor non-blocking.
      now = std::min<std::size_t>(now, PIPE_BUF);
      pollfd watch{.fd = fd_, .events = POLLOUT, .revents = 0};
      if (::poll(&watch, 1, kPollMillis) <= 0) {
        if (given_up()) return ETIMEDOUT;
        continue;
      }
    }
    const ssize_t n = ::write(fd_, bytes + done, now);
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (n == 0) {
      return EIO;
    } else if (errno == EAGAIN && patient_) {
      if (given_up()) return ETIMEDOUT;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

AccessLogBuffer::AccessLogBuffer(AccessLog* log) : log_(log) {
  if (log_) chunk_ = std::make_unique<LineChunk>();
}

AccessLogBuffer::~AccessLogBuffer() {
  flush();
}

void AccessLogBuffer::flush_if_due(base::Mono now) {
  if (!pending()) return;
  if (due_ == base::Mono{}) {
    due_ = now + AccessLog::kMaxAge;
  } else if (now >= due_) {
    hand_over(false);
  }
}

void AccessLogBuffer::hand_over(bool full) {
  if (pending()) log_->exchange(chunk_, full);
  due_ = {};
}

}  // namespace telemetry
