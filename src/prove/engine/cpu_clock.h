// How long the calling thread has been on a CPU, and how long it would have been but for others.
//
// Thread: any.  System calls: for boundaries, not for requests.
// Failures: of a kernel without schedstat nobody ever waits.
#pragma once

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

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

}  // namespace prove
