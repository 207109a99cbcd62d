#include "prove/stage/family.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace prove {
namespace {

double cpu_of_this_process() {
  timespec ts;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return static_cast<double>(ts.tv_sec) + static_cast<double>(ts.tv_nsec) / 1e9;
}

// A head with its own group, which starts workers that nobody of the family waits for: each uses `kBurn` of a
// CPU, says so, and ends when it is told to. Ours are the hands that its orphans fall into.
class Head {
 public:
  static constexpr double kBurn = 0.2;  // seconds

  Head() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    EXPECT_EQ(::pipe(asked_.data()), 0);
    EXPECT_EQ(::pipe(told_.data()), 0);
    pid = ::fork();
    if (pid == 0) serve();
    ::setpgid(pid, pid);
  }
  ~Head() {
    ::kill(-pid, SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
    for (const int fd : {asked_[0], asked_[1], told_[0], told_[1]}) ::close(fd);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
  Head(const Head&) = delete;
  Head& operator=(const Head&) = delete;

  pid_t start_worker() {  // which has done its work when this returns
    pid_t worker = 0;
    EXPECT_EQ(::write(asked_[1], "w", 1), 1);
    EXPECT_EQ(::read(told_[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
    return worker;
  }
  static void end_worker(pid_t worker) {
    ::kill(worker, SIGKILL);
    EXPECT_EQ(::waitpid(worker, nullptr, 0), worker);
  }

  pid_t pid = 0;

 private:
  [[noreturn]] void serve() {
    ::setpgid(0, 0);
    for (char c = 0; ::read(asked_[0], &c, 1) == 1;) {
      const pid_t between = ::fork();
      if (between == 0) {
        if (::fork() == 0) work();
        ::_exit(0);
      }
      ::waitpid(between, nullptr, 0);
    }
    ::_exit(0);
  }
  [[noreturn]] void work() {
    while (cpu_of_this_process() < kBurn) {
    }
    const pid_t self = ::getpid();
    if (::write(told_[1], &self, sizeof self) < 0) ::_exit(1);
    for (;;) ::pause();
  }

  std::array<int, 2> asked_{}, told_{};
};

TEST(FamilyTest, KeepsWhatWorkersUsedThatHaveEnded) {
  Head head;
  Family family;
  const double before = family.read(head.pid).cpu_seconds;
  for (int workers = 1; workers <= 3; ++workers) {
    const pid_t worker = head.start_worker();
    const Family::Figures with = family.read(head.pid);
    EXPECT_EQ(with.processes, 2u);
    EXPECT_GE(with.cpu_seconds - before, workers * (Head::kBurn - 0.03));  // it counts in ticks
    EXPECT_LT(with.cpu_seconds - before, workers * Head::kBurn + 0.15);
    Head::end_worker(worker);
    const Family::Figures after = family.read(head.pid);
    EXPECT_EQ(after.processes, 1u);
    EXPECT_GE(after.cpu_seconds, with.cpu_seconds);
  }
}

}  // namespace
}  // namespace prove
