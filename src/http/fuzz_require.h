// What a fuzz target demands of its subject: says what was violated and ends the run.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace http {

inline void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

}  // namespace http
