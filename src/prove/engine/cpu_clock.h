// How long the calling thread has been on a CPU, and how long it would have been but for others: programs
// beside it, and the host that a virtual machine shares with its like.
//
// Thread: any.  System calls: for boundaries, not for requests.
// Failures: of a kernel without schedstat nobody ever waits, and without a `steal` nothing was ever stolen.
#pragma once

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/clock.h"

namespace prove {

inline base::Nanos cpu_of_thread() {
  timespec ts;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return base::Nanos(ts.tv_sec * 1'000'000'000LL + ts.tv_nsec);
}

// That it could have run and no CPU was free (proc(5), the second figure of schedstat).
inline base::Nanos wait_of_thread() {
  std::array<char, 96> text;
  const int file = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  const ssize_t n = file < 0 ? 0 : ::read(file, text.data(), text.size());
  if (file >= 0) ::close(file);
  const char* const end = text.data() + (n > 0 ? n : 0);
  std::int64_t ran = 0, waited = 0;
  const auto first = std::from_chars(text.data(), end, ran);
  if (first.ec == std::errc() && first.ptr != end) std::from_chars(first.ptr + 1, end, waited);
  return base::Nanos(waited);
}

// That CPUs of this machine wanted to run and its host ran something else (proc(5), the eighth figure of the
// first line of /proc/stat).
inline base::Nanos stolen_of_machine() {
  constexpr int kSteal = 8;
  std::array<char, 192> text;
  const int file = ::open("/proc/stat", O_RDONLY | O_CLOEXEC);
  const ssize_t n = file < 0 ? 0 : ::read(file, text.data(), text.size());
  if (file >= 0) ::close(file);
  const char* const end = text.data() + (n > 0 ? n : 0);
  const char* at = std::find(static_cast<const char*>(text.data()), end, ' ');  // behind "cpu"
  std::int64_t ticks = 0;
  for (int i = 0; i < kSteal; ++i) {
    at = std::find_if(at, end, [](char c) { return c != ' '; });
    const auto [next, failed] = std::from_chars(at, end, ticks);
    if (failed != std::errc()) return base::Nanos(0);
    at = next;
  }
  return base::Nanos(ticks * 1'000'000'000 / ::sysconf(_SC_CLK_TCK));
}

}  // namespace prove
