// One direction of a connection through the wire: what was read, and when it may be written.
//
// Owner: a Link of wire_proxy.cc. Knows the faults of its direction and nothing of sockets, except that
// whoever owns it gives it what was read (take) and writes what is due (front, sent).
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "wire_faults.h"

namespace bench {

class Lane {
 public:
  enum class End : std::uint8_t { kNone, kInOrder, kReset };
  static constexpr std::size_t kFull = 1 << 20;  // bytes that wait; then nothing more is read

  void open(const std::vector<Fault>& all, bool upstream, std::uint64_t seed, Clock::time_point now) {
    dice_ = Dice(seed);
    opened_ = last_due_ = free_at_ = now;
    for (const Fault& fault : all)
      if (fault.upstream == upstream && dice_.share() < fault.toxicity) faults_.push_back(fault);
    for (const Fault& fault : faults_) {
      if (fault.kind == FaultKind::kTimeout) {
        swallows_ = true;
        ++touched;
        if (fault.time > Nanos(0)) finish(End::kInOrder, now + fault.time);
      }
      if (fault.kind == FaultKind::kResetPeer) {
        ++touched;
        reset_at_ = now + fault.time;
      }
    }
  }

  // What one read gave.
  void take(std::string bytes, Clock::time_point now) {
    passed_ += bytes.size();
    if (swallows_ || end_ != End::kNone) return;
    Clock::time_point due = now;
    std::uint64_t slice = 0, pace = 0;
    Nanos between{0};
    End ends = End::kNone;
    for (const Fault& fault : faults_) {
      switch (fault.kind) {
        case FaultKind::kLatency:
          due += fault.time + spread(fault.jitter);
          ++touched;
          break;
        case FaultKind::kSlicer:
          slice = fault.size;
          between = fault.time;
          ++touched;
          break;
        case FaultKind::kBandwidth:
          pace = fault.size;
          ++touched;
          break;
        case FaultKind::kLimitData:
          if (passed_ < fault.size) break;
          bytes.resize(bytes.size() - std::min<std::size_t>(bytes.size(), passed_ - fault.size));
          ends = End::kInOrder;
          ++touched;
          break;
        case FaultKind::kReset:
        case FaultKind::kTruncate:
          if (!dice_.one_in(fault.size)) break;
          bytes.resize(bytes.size() / 2);
          ends = fault.kind == FaultKind::kReset ? End::kReset : End::kInOrder;
          ++touched;
          break;
        case FaultKind::kCorrupt:
          if (bytes.empty() || !dice_.one_in(fault.size)) break;
          bytes.back() ^= 1;
          ++touched;
          break;
        case FaultKind::kSlowClose:
        case FaultKind::kTimeout:
        case FaultKind::kResetPeer:
          break;
      }
    }
    queue(std::move(bytes), due, slice, between, pace);
    if (ends != End::kNone) finish(ends, last_due_);
  }

  // The source has no more.
  void source_ended(Clock::time_point now) {
    source_ended_ = true;
    if (swallows_) return;
    Nanos slow{0};
    for (const Fault& fault : faults_) {
      if (fault.kind == FaultKind::kLatency) now += fault.time;
      if (fault.kind != FaultKind::kSlowClose) continue;
      slow += fault.time;
      ++touched;
    }
    finish(End::kInOrder, std::max(now, last_due_) + slow);
  }

  bool wants_bytes() const { return !source_ended_ && waiting_ < kFull; }
  bool ended_by_source() const { return source_ended_; }
  bool swallowed_all() const { return swallows_ && source_ended_; }

  // What may be written now; empty when nothing may.
  std::string_view front(Clock::time_point now) const {
    if (pieces_.empty() || pieces_.front().due > now) return {};
    return std::string_view(pieces_.front().bytes).substr(sent_);
  }
  void sent(std::size_t n) {
    sent_ += n;
    waiting_ -= n;
    if (sent_ < pieces_.front().bytes.size()) return;
    pieces_.pop_front();
    sent_ = 0;
  }

  // How it is to end now: once all that comes before was written.
  End end(Clock::time_point now) const {
    if (reset_at_ && *reset_at_ <= now) return End::kReset;
    return pieces_.empty() && end_ != End::kNone && end_at_ <= now ? end_ : End::kNone;
  }

  // When there will be something to do without any socket saying so.
  std::optional<Clock::time_point> due() const {
    std::optional<Clock::time_point> at = reset_at_;
    const auto sooner = [&](Clock::time_point other) { at = at ? std::min(*at, other) : other; };
    if (!pieces_.empty())
      sooner(pieces_.front().due);
    else if (end_ != End::kNone)
      sooner(end_at_);
    return at;
  }

  std::uint64_t touched = 0;  // how often a fault did something here
  std::uint64_t passed() const { return passed_; }
  std::size_t waiting() const { return waiting_; }

 private:
  struct Piece {
    std::string bytes;
    Clock::time_point due;
  };

  Nanos spread(Nanos jitter) {
    return Nanos(static_cast<Nanos::rep>((2 * dice_.share() - 1) * static_cast<double>(jitter.count())));
  }

  void finish(End how, Clock::time_point at) {
    if (end_ != End::kNone) return;
    end_ = how;
    end_at_ = at;
  }

  void queue(std::string bytes, Clock::time_point due, std::uint64_t slice, Nanos between,
             std::uint64_t pace) {
    due = std::max(due, last_due_);  // no fault changes the order of bytes
    // A slow link gives a little all the time and not a lot now and then.
    const std::uint64_t most = pace > 0 ? std::max<std::uint64_t>(1, pace / 50) : bytes.size();
    for (std::string_view left = bytes; !left.empty();) {
      std::uint64_t size = std::min<std::uint64_t>(left.size(), most);
      if (slice > 0)
        size = std::min(size, std::max<std::uint64_t>(1, slice / 2 + dice_.roll() % (slice + 1)));
      if (pace > 0) {
        due = std::max(due, free_at_);
        free_at_ =
            due + Nanos(static_cast<Nanos::rep>(static_cast<double>(size) * 1e9 / static_cast<double>(pace)));
      }
      pieces_.push_back({std::string(left.substr(0, size)), due});
      waiting_ += size;
      last_due_ = due;
      left.remove_prefix(size);
      if (slice > 0) due += between;
    }
  }

  Dice dice_{0};
  std::vector<Fault> faults_;
  std::deque<Piece> pieces_;
  std::size_t sent_ = 0;     // of the first piece
  std::size_t waiting_ = 0;  // bytes in pieces_
  std::uint64_t passed_ = 0;
  Clock::time_point opened_{}, last_due_{}, free_at_{}, end_at_{};
  std::optional<Clock::time_point> reset_at_;
  bool swallows_ = false;
  bool source_ended_ = false;
  End end_ = End::kNone;
};

}  // namespace bench
