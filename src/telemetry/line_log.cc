#include "telemetry/line_log.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "telemetry/oplog.h"

namespace telemetry {

namespace {

constexpr base::Millis kFirstPause{50};
constexpr base::Millis kLongestPause{1000};

std::string error_text(int error) {
  return error == ETIMEDOUT ? "nobody reads it" : std::generic_category().message(error);
}

}  // namespace

LineLog::LineLog(const char* name, std::unique_ptr<LineSink> sink, LinePolicy policy)
    : policy_(policy), name_(name), sink_(std::move(sink)) {
  full_.reserve(policy_.chunks + kReserve);
  spare_.reserve(policy_.chunks + kReserve);
  // The writer takes no signal: they belong to main, and a pipe whose reader left answers EPIPE.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread_.native_handle(), name);
}

LineLog::~LineLog() {
  give_up_.no_later_than(base::mono_now() + kFarewell);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LineLog::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
  }
  wake_.notify_one();
}

void LineLog::give_up_by(base::Mono when) {
  give_up_.no_later_than(when);
  {
    const std::lock_guard lock(mutex_);
    giving_up_ = true;
  }
  room_.notify_all();
}

bool LineLog::settle(base::Nanos patience) {
  std::unique_lock lock(mutex_);
  return room_.wait_for(lock, patience, [&] { return full_.empty() && !writing_; });
}

// ---- from workers and others

bool LineLog::append_to_last(std::string_view bytes, std::uint64_t lines) {
  if (full_.empty() || full_.back()->size + bytes.size() > LineChunk::kFull) return false;
  LineChunk& last = *full_.back();
  std::memcpy(last.bytes.get() + last.size, bytes.data(), bytes.size());
  last.size += bytes.size();
  last.lines += lines;
  return true;
}

bool LineLog::make_spare(std::size_t bound) {
  if (spare_.empty() && made_ < bound) {
    spare_.push_back(std::make_unique<LineChunk>());
    ++made_;
  }
  return !spare_.empty();
}

bool LineLog::wait_for_room(std::unique_lock<std::mutex>& lock) {
  const base::Mono began = base::mono_now();
  if (waiting_++ == 0) stalled_ = began;
  waiting_since_ += began.time_since_epoch();
  const auto over = [&] { return make_spare(policy_.chunks) || giving_up_; };
  if (!room_.wait_for(lock, kStall, over)) {
    if (!std::exchange(stall_told_, true))
      log::error(name_ + " is full; requests wait until its output takes lines", {{"output", output()}});
    room_.wait(lock, over);
  }
  const base::Mono now = base::mono_now();
  if (--waiting_ == 0 && std::exchange(stall_told_, false) && !giving_up_)
    log::info(name_ + " takes lines again",
              {{"output", output()}, {"waited_ms", (now - began).count() / 1'000'000}});
  stalled_ = now;
  waiting_since_ -= began.time_since_epoch();
  blocked_ += now - began;
  return !spare_.empty();
}

LineLog::Stall LineLog::stall() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = waiting_, .for_ = waiting_ > 0 ? base::mono_now() - stalled_ : base::Nanos(0)};
}

base::Nanos LineLog::blocked() const {
  const std::lock_guard lock(mutex_);
  return blocked_ + waiting_ * base::mono_now().time_since_epoch() - waiting_since_;
}

void LineLog::exchange(ChunkPtr& chunk, bool full) {
  {
    std::unique_lock lock(mutex_);
    if (append_to_last({chunk->bytes.get(), chunk->size}, chunk->lines)) {
      chunk->clear();
    } else {
      if (!make_spare(policy_.chunks)) {
        if (!full) return;
        if (!policy_.wait_when_full || giving_up_ || !wait_for_room(lock)) {
          dropped_queue_.add(chunk->lines);
          chunk->clear();
          return;
        }
      }
      full_.push_back(std::exchange(chunk, std::move(spare_.back())));
      spare_.pop_back();
    }
  }
  wake_.notify_one();
}

void LineLog::put_now(std::string_view line) {
  {
    const std::lock_guard lock(mutex_);
    if (!append_to_last(line, 1)) {
      if (line.size() > kMaxLine || !make_spare(policy_.chunks + kReserve)) {
        dropped_queue_.add();
        return;
      }
      LineChunk& fresh = *full_.emplace_back(std::move(spare_.back()));
      spare_.pop_back();
      std::memcpy(fresh.bytes.get(), line.data(), line.size());
      fresh.size = line.size();
      fresh.lines = 1;
    }
  }
  wake_.notify_one();
}

// ---- the writer

void LineLog::run() {
  std::vector<ChunkPtr> batch;
  batch.reserve(policy_.chunks + kReserve);
  for (;;) {
    bool again = false;
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      writing_ = false;
      room_.notify_all();
      wake_.wait(lock, [&] { return !full_.empty() || reopen_ || stopping_; });
      batch.swap(full_);
      writing_ = true;
      again = std::exchange(reopen_, false);
      last = stopping_ && batch.empty();
    }
    if (again) open_again();
    for (ChunkPtr& chunk : batch) {
      put_out(*chunk);
      {
        const std::lock_guard lock(mutex_);
        if (made_ > policy_.chunks)
          --made_;  // it came from the reserve
        else
          spare_.push_back(std::move(chunk));
      }
      room_.notify_all();
    }
    batch.clear();
    if (last) return;
  }
}

bool LineLog::open_again() {
  const int error = sink_->reopen();
  if (error != 0)
    log::warn(name_ + " not reopened", {{"file", sink_->output()}, {"error", error_text(error)}});
  return error == 0;
}

void LineLog::put_out(LineChunk& chunk) {
  const std::string_view lines(chunk.bytes.get(), chunk.size);
  std::size_t done = 0;
  std::uint64_t lost = 0;
  base::Millis pause_for = kFirstPause;
  while (const int error = sink_->put(lines, done, give_up_)) {
    output_errors_.add();
    if (error == EMSGSIZE) {  // this line will never fit; the next may
      done = lines.find('\n', done) + 1;
      ++lost;
    } else if (policy_.retry && !give_up_.now()) {
      log::warn(name_ + " cannot be written, trying on",
                {{"output", sink_->output()}, {"error", error_text(error)}});
      if (pause(pause_for) && open_again()) done = lines.rfind('\n', done == 0 ? 0 : done - 1) + 1;
      pause_for = std::min(2 * pause_for, kLongestPause);
      continue;
    } else {
      lost += static_cast<std::uint64_t>(std::ranges::count(lines.substr(done), '\n'));
      done = lines.size();
    }
    if (policy_.tell)
      log::warn(name_ + " lines lost",
                {{"output", sink_->output()}, {"error", error_text(error)}, {"lines", lost}});
    if (done == lines.size()) break;
  }
  written_.add(chunk.lines - lost);
  dropped_output_.add(lost);
  chunk.clear();
}

// True: the output shall be opened again, now.
bool LineLog::pause(base::Millis length) {
  std::unique_lock lock(mutex_);
  if (stopping_) length = std::min(length, base::Millis(20));
  wake_.wait_for(lock, length, [&, before = stopping_] { return reopen_ || stopping_ != before; });
  return std::exchange(reopen_, false);
}

// ---- a worker's end

LineBuffer::LineBuffer(LineLog* log) : log_(log) {
  if (log_) chunk_ = std::make_unique<LineChunk>();
}

LineBuffer::~LineBuffer() {
  flush();
}

void LineBuffer::flush_if_due(base::Mono now) {
  if (!pending()) return;
  if (due_ == base::Mono{}) {
    due_ = now + LineLog::kMaxAge;
  } else if (now >= due_) {
    hand_over(false);
  }
}

void LineBuffer::hand_over(bool full) {
  if (pending()) log_->exchange(chunk_, full);
  due_ = {};
}

}  // namespace telemetry
