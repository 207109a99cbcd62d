#include "prove/stage/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "prove/wire/call.h"

extern char** environ;

namespace prove {
namespace {

constexpr base::Millis kPoll{5};

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return std::string("killed by ") + ::strsignal(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

// What a child reads as its standard input: a file in memory, which can be opened again as /dev/stdin.
int input_of(const std::string& text) {
  if (text.empty()) return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int file = ::memfd_create("stdin", MFD_CLOEXEC);
  for (std::string_view rest = text; file >= 0 && !rest.empty();) {
    const ssize_t n = ::write(file, rest.data(), rest.size());
    if (n <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  if (file >= 0) ::lseek(file, 0, SEEK_SET);
  return file;
}

// What SIGTERM may lead to: an end of its own, SIGTERM's default, or what a shell makes of that.
bool in_order(int status) {
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGTERM;
  return WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 128 + SIGTERM;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_with(const Pairs& more) {
  std::vector<std::string> all;
  for (char** e = environ; *e; ++e) {
    const std::string_view entry(*e);
    const std::string_view name = entry.substr(0, entry.find('='));
    bool replaced = false;
    for (const auto& [key, value] : more) replaced = replaced || key == name;
    if (!replaced) all.emplace_back(entry);
  }
  for (const auto& [key, value] : more) all.push_back(fmt::format("{}={}", key, value));
  return all;
}

}  // namespace

ChildProcess::ChildProcess(const Process& spec, Pairs env, std::string log_file)
    : spec_(spec), env_(std::move(env)), log_file_(std::move(log_file)) {
  for (const auto& pair : spec.env) env_.push_back(pair);
}

void ChildProcess::spawn() {
  std::vector<std::string> command = spec_.command;
  std::vector<std::string> environment = environment_with(env_);
  const std::vector<char*> argv = pointers(command);
  const std::vector<char*> envp = pointers(environment);
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) throw std::runtime_error("no pipe: " + std::string(::strerror(errno)));
  const int in = input_of(spec_.stdin_text);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    // Only calls that are safe after a fork of a threaded process.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::setpgid(0, 0);  // Ctrl-C in the terminal is ours to pass on
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    const int out = ::open(log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    int failed = 0;
    if (in < 0 || out < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) failed = errno;
    if (failed == 0 && !spec_.folder.empty() && ::chdir(spec_.folder.c_str()) != 0) failed = errno;
    if (failed == 0) {
      ::execvpe(argv[0], argv.data(), envp.data());
      failed = errno;
    }
    [[maybe_unused]] const ssize_t n = ::write(report[1], &failed, sizeof failed);
    ::_exit(127);
  }
  ::close(report[1]);
  ::close(in);
  if (child < 0) {
    ::close(report[0]);
    throw std::runtime_error("process '" + spec_.name + "' cannot be started: " + ::strerror(errno));
  }
  int failed = 0;
  // Ends with the exec, a moment from now; nobody may touch this process before.
  const ssize_t n =
      ::read(report[0], &failed, sizeof failed);  // NOLINT(clang-analyzer-unix.BlockInCriticalSection)
  ::close(report[0]);
  if (n == sizeof failed) {
    ::waitpid(child, nullptr, 0);
    throw std::runtime_error("process '" + spec_.name + "': " + spec_.command[0] + ": " + ::strerror(failed));
  }
  pid_ = child;
  expected_ = told_ = may_leave_ = false;
}

void ChildProcess::start(const std::function<bool()>& cancelled) {
  {
    const std::lock_guard guard(lock_);
    if (!reap(false)) return;
    spawn();
  }
  const base::Mono until = base::mono_now() + spec_.ready.timeout;
  while (!ready()) {
    {
      const std::lock_guard guard(lock_);
      if (reap(false)) {
        told_ = true;
        throw std::runtime_error("process '" + spec_.name + "' ended before it was ready (" +
                                 how_it_ended(status_) + "): " + last_line());
      }
    }
    if (cancelled()) return;
    if (base::mono_now() > until)
      throw std::runtime_error("process '" + spec_.name + "' was not ready after " +
                               std::to_string(spec_.ready.timeout.count()) + " ms: " + last_line());
    std::this_thread::sleep_for(kPoll);
  }
}

bool ChildProcess::ready() {
  try {
    if (!spec_.ready.url.empty())
      return get(spec_.ready.url, base::Seconds(1)).status == static_cast<int>(spec_.ready.status);
    if (!spec_.ready.tcp.empty()) return accepts(spec_.ready.tcp, base::Seconds(1));
  } catch (const std::runtime_error&) {
    return false;  // not yet
  }
  return true;
}

void ChildProcess::signal_all(int number) const {
  ::kill(-pid_, number);  // its process group, which it leads
}

bool ChildProcess::signal(int number) {
  const std::lock_guard guard(lock_);
  if (reap(false)) return false;
  if (number == SIGSTOP || number == SIGCONT)
    signal_all(number);
  else
    ::kill(pid_, number);
  return true;
}

bool ChildProcess::reap(bool wait) {
  if (pid_ == 0) return true;
  siginfo_t info{};
  const int seen = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | (wait ? 0 : WNOHANG));
  if (seen == 0 && info.si_pid == 0) return false;
  // Not collected yet, so that the group is still its own and nobody else's.
  if (!may_leave_) signal_all(SIGKILL);
  ::waitpid(pid_, &status_, 0);
  pid_ = 0;
  return true;
}

bool ChildProcess::wait_exit(base::Nanos patience, const std::function<bool()>& cancelled) {
  const base::Mono until = base::mono_now() + patience;
  while (!reap(false)) {
    if (base::mono_now() > until || (cancelled && cancelled())) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

bool ChildProcess::terminate() {
  const std::lock_guard guard(lock_);
  if (reap(false)) return false;
  expected_ = true;
  ::kill(pid_, SIGTERM);
  signal_all(SIGCONT);  // one that a fault has stopped could not hear it
  if (!wait_exit(spec_.stop)) {
    signal_all(SIGKILL);
    reap(true);
    disorder_ = "killed, since " + std::to_string(spec_.stop.count()) + " ms after SIGTERM it still ran";
  } else if (!in_order(status_)) {
    disorder_ = how_it_ended(status_);
  }
  return true;
}

std::string ChildProcess::ended_out_of_order() {
  const std::unique_lock guard(lock_, std::try_to_lock);
  return guard ? std::exchange(disorder_, {}) : "";
}

bool ChildProcess::kill() {
  const std::lock_guard guard(lock_);
  if (reap(false)) return false;
  expected_ = true;
  signal_all(SIGKILL);
  reap(true);
  return true;
}

std::string ChildProcess::wait_end(base::Nanos patience, const std::function<bool()>& cancelled) {
  const std::lock_guard guard(lock_);
  expected_ = may_leave_ = true;
  if (!wait_exit(patience, cancelled)) {
    signal_all(SIGKILL);
    reap(true);
    return cancelled && cancelled() ? "interrupted" : "not done in time, " + last_line();
  }
  return status_ == 0 ? "" : how_it_ended(status_) + ", " + last_line();
}

std::string ChildProcess::ended_by_itself() {
  const std::unique_lock guard(lock_, std::try_to_lock);  // somebody is ending it just now
  if (!guard || expected_ || told_ || !reap(false)) return "";
  told_ = true;
  return how_it_ended(status_);
}

std::string ChildProcess::last_line() const {
  std::ifstream log(log_file_);
  std::string line, last = "it wrote nothing";
  while (std::getline(log, line))
    if (!line.empty()) last = line;
  return last;
}

}  // namespace prove
