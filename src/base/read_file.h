// A file as a whole, with a deadline: a FIFO without a writer, a mount that hangs and a disk that does not
// answer cost the one who asks a few seconds, and nothing else.
//
// Thread:   any but a worker's. open() and read() of a file cannot be interrupted, so a thread of its own
//           does them; one that does not come back is left behind, with nothing of ours in its hands.
// Failures: the error is a piece of a sentence ("is a folder", "cannot be read: …"), without the path and
//           without any of the bytes.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "base/clock.h"

namespace base {

inline constexpr Seconds kFilePatience{5};

// At most `most` bytes. Also gives up when SIGTERM or SIGINT waits to be taken (end_is_pending()).
std::expected<std::string, std::string> read_file(const std::string& path, std::size_t most);

// Whether the process has been told to end and the main thread, which alone takes signals, has not yet seen
// it. For what that thread may have to wait for meanwhile.
bool end_is_pending();

}  // namespace base
