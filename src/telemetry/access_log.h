// The access log: one JSON object a line, formatted by the worker, written by one thread of its own.
//
// Owner:    AccessLog: cli, for the process. AccessLogBuffer: each worker.
// Thread:   AccessLogBuffer belongs to its worker. AccessLog's methods may be called from any.
// Lifetime: AccessLog outlives every AccessLogBuffer; a buffer hands over its lines when it dies, and the log
//           writes all that it was handed when it dies (for at most kFarewell, if the reader is stuck).
// Failures: the constructor throws std::system_error when the output cannot be opened. Later nothing
//           throws and nobody waits: lines that cannot be queued or written are counted and dropped.
// Units:    bytes; milliseconds with three decimals in the line.
//
// The path of a line: append() formats it into the worker's chunk (no allocation, no lock); a chunk that is
// full, or kMaxAge old, is exchanged for an empty one; the writer puts it out with one write(2). Chunks
// exist in a fixed number, so that a stuck output costs bounded memory and then lines, never requests.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "telemetry/access_line.h"
#include "telemetry/counter.h"

namespace telemetry {

struct LineChunk {
  static constexpr std::size_t kFull = 64 << 10;  // handed over from here on
  void clear() { size = lines = 0; }
  std::size_t size = 0;
  std::uint64_t lines = 0;
  // Room for one more line of any length behind kFull. Pages nobody wrote to are not resident.
  std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(kFull + kMaxAccessLine);
};

class AccessLog {
 public:
  static constexpr base::Millis kMaxAge{100};
  static constexpr base::Seconds kFarewell{2};

  // output: "stdout", "stderr" or a path (created 0640, appended to). chunks: how many may wait to be
  // written, beside the one that each worker fills.
  explicit AccessLog(std::string output, std::size_t chunks = 64);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // After a rotation: opens the path again, soon; when that fails the old file stays in use. No-op for
  // streams.
  void reopen();

  std::uint64_t lines_written() const { return written_.read(); }
  std::uint64_t dropped_queue() const { return dropped_queue_.read(); }
  std::uint64_t dropped_output() const { return dropped_output_.read(); }

 private:
  friend class AccessLogBuffer;
  using ChunkPtr = std::unique_ptr<LineChunk>;

  // Takes a chunk with lines and leaves an empty one. When none is to be had: a full chunk loses its lines,
  // one that is not full keeps them for a later try.
  void exchange(ChunkPtr& chunk, bool full);

  void run();
  void put_out(LineChunk& chunk);
  int write_all(const char* bytes, std::size_t size, std::size_t& done);  // 0 or errno
  void open_output();
  void open_again();
  bool given_up() const;

  const std::string output_;
  const std::size_t bound_;
  int fd_ = -1;
  bool owns_fd_ = false;
  bool patient_ = false;  // a pipe, socket or terminal, whose reader may make us wait
  bool torn_ = false;     // the last write ended inside a line

  std::mutex mutex_;  // the rest of the fields, except counters
  std::condition_variable wake_;
  std::vector<ChunkPtr> full_;
  std::vector<ChunkPtr> spare_;
  std::size_t made_ = 0;
  bool reopen_ = false;
  bool stopping_ = false;
  std::atomic<std::int64_t> give_up_at_{INT64_MAX};  // MonoClock's nanoseconds

  SharedCounter written_;
  SharedCounter dropped_queue_;
  SharedCounter dropped_output_;
  std::thread thread_;
};

// A worker's end. With a null log every call is one branch.
class AccessLogBuffer {
 public:
  explicit AccessLogBuffer(AccessLog* log);
  ~AccessLogBuffer();
  AccessLogBuffer(const AccessLogBuffer&) = delete;
  AccessLogBuffer& operator=(const AccessLogBuffer&) = delete;

  bool enabled() const { return log_ != nullptr; }

  void append(const AccessRecord& record) {
    if (!log_) return;
    LineChunk& chunk = *chunk_;
    chunk.size += formatter_.format(record, chunk.bytes.get() + chunk.size);
    ++chunk.lines;
    if (chunk.size >= LineChunk::kFull) flush();
  }

  // To be called on every turn of the loop. While pending(), the loop must turn within kMaxAge.
  void flush_if_due(base::Mono now);
  bool pending() const { return chunk_ && chunk_->size != 0; }
  void flush() { hand_over(true); }

 private:
  void hand_over(bool full);

  AccessLog* log_;
  std::unique_ptr<LineChunk> chunk_;
  base::Mono due_{};  // zero: the chunk was empty when last looked at
  AccessLineFormatter formatter_;
};

}  // namespace telemetry
