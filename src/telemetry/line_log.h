// Lines that workers format and one thread writes: what the access log and the audit log have in common.
//
// Owner:    LineLog: cli, for the process. LineBuffer: each worker.
// Thread:   LineBuffer belongs to its worker. LineLog's methods may be called from any.
// Lifetime: LineLog outlives every LineBuffer; a buffer hands over its lines when it dies, and the log writes
//           all that it was handed when it dies (for at most kFarewell, if the output is stuck).
// Failures: see LinePolicy; what is lost is counted. Nothing throws.
//
// The path of a line: it is formatted into the worker's chunk (no allocation, no lock); a chunk that is full,
// or kMaxAge old, is exchanged for an empty one; the writer puts it out with one write(2). Chunks exist in a
// fixed number, so that a stuck output costs bounded memory and then what the policy says: lines, or time.
// What a worker hands over while others still wait is put behind their last lines where it fits, so that the
// bound counts bytes and not hand-overs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "telemetry/counter.h"
#include "telemetry/line_sink.h"

namespace telemetry {

struct LineChunk {
  static constexpr std::size_t kFull = 64 << 10;  // handed over from here on
  void clear() { size = lines = 0; }
  std::size_t size = 0;
  std::uint64_t lines = 0;
  // Room for one more line of any length behind kFull. Pages nobody wrote to are not resident.
  std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(kFull + kMaxLine);
};

struct LinePolicy {
  std::size_t chunks = 64;  // how many may wait to be written, beside the one that each worker fills
  // When all of them wait: true, and a worker with a full chunk waits, and everything it serves with it;
  // nothing is lost. False, and the lines of that chunk are dropped and counted.
  bool wait_when_full = false;
  // When the output refuses (disk full, no reader, no socket): true, and the lines are tried again until they
  // are written or the log ends; false, and they are dropped and counted.
  bool retry = false;
  // Whether the operational log is told of lines that are lost. Not for that log itself.
  bool tell = true;
};

class LineLog {
 public:
  static constexpr base::Millis kMaxAge{100};
  static constexpr base::Seconds kFarewell{2};
  static constexpr base::Seconds kStall{1};  // a wait for room that the operator is told of

  LineLog(const char* name, std::unique_ptr<LineSink> sink, LinePolicy policy);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  // After a rotation by others: opens the output again, soon; when that fails the old one stays in use.
  void reopen();

  // The end is near: from now on nobody waits for room, and the output is waited for until `when` at most.
  void give_up_by(base::Mono when);

  // Waits until all that was handed over is written; not for longer than this. For an end that runs no
  // destructors.
  bool settle(base::Nanos patience);

  std::uint64_t lines_written() const { return written_.read(); }
  std::uint64_t dropped_queue() const { return dropped_queue_.read(); }    // the writer fell behind
  std::uint64_t dropped_output() const { return dropped_output_.read(); }  // the output did not take them
  std::uint64_t output_errors() const { return output_errors_.read(); }    // tries that failed
  base::Nanos blocked() const;  // that workers waited for room, up to now where they still do
  struct Stall {
    int waiting = 0;     // workers, now
    base::Nanos for_{};  // since one of them last got room, or the first began to wait
  };
  Stall stall() const;
  const std::string& output() const { return sink_->output(); }

 protected:
  // One line with its newline, from any thread, for the writer at once. It never waits: beyond the bound
  // there is a reserve of kReserve chunks, and beyond that the line is dropped and counted, whatever the
  // policy.
  void put_now(std::string_view line);

 private:
  friend class LineBuffer;
  using ChunkPtr = std::unique_ptr<LineChunk>;
  static constexpr std::size_t kReserve = 8;

  // Takes a chunk with lines and leaves an empty one. When none is to be had a full chunk fares as the policy
  // says; one that is not full keeps its lines for a later try.
  void exchange(ChunkPtr& chunk, bool full);
  bool append_to_last(std::string_view bytes, std::uint64_t lines);
  bool make_spare(std::size_t bound);
  bool wait_for_room(std::unique_lock<std::mutex>& lock);  // false: given up

  void run();
  void put_out(LineChunk& chunk);
  bool open_again();
  bool pause(base::Millis length);

  const LinePolicy policy_;
  const std::string name_;
  const std::unique_ptr<LineSink> sink_;  // the writer's

  mutable std::mutex mutex_;  // the rest of the fields, except counters
  std::condition_variable wake_;
  std::condition_variable room_;
  std::vector<ChunkPtr> full_;
  std::vector<ChunkPtr> spare_;
  std::size_t made_ = 0;
  bool writing_ = false;  // chunks that were taken from full_
  bool reopen_ = false;
  bool stopping_ = false;
  base::Nanos blocked_{0};        // by waits that have ended
  base::Nanos waiting_since_{0};  // the sum of when the others began
  int waiting_ = 0;
  base::Mono stalled_{};  // Stall::for_ counts from here
  bool stall_told_ = false;
  bool giving_up_ = false;  // nobody waits for room any more
  GiveUp give_up_;

  SharedCounter written_;
  SharedCounter dropped_queue_;
  SharedCounter dropped_output_;
  SharedCounter output_errors_;
  std::thread thread_;
};

// A worker's end: the formatter of a record derives from it. With a null log every call is one branch.
class LineBuffer {
 public:
  explicit LineBuffer(LineLog* log);
  ~LineBuffer();
  LineBuffer(const LineBuffer&) = delete;
  LineBuffer& operator=(const LineBuffer&) = delete;

  bool enabled() const { return log_ != nullptr; }

  // To be called on every turn of the loop. While pending(), the loop must turn within kMaxAge.
  void flush_if_due(base::Mono now);
  bool pending() const { return chunk_ && chunk_->size != 0; }
  void flush() { hand_over(true); }

 protected:
  char* room() { return chunk_->bytes.get() + chunk_->size; }  // for kMaxLine bytes
  void added(std::size_t size) {                               // one line, written there
    chunk_->size += size;
    ++chunk_->lines;
    if (chunk_->size >= LineChunk::kFull) flush();
  }

 private:
  void hand_over(bool full);

  LineLog* log_;
  std::unique_ptr<LineChunk> chunk_;
  base::Mono due_{};  // zero: the chunk was empty when last looked at
};

}  // namespace telemetry
