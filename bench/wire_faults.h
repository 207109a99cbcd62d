// What a wire can do to a connection, by toxiproxy's names where it has one, and how a command line says so.
//
// A fault touches replies (server to client); "upstream:" in front makes it touch requests. "@P" behind it is
// the toxicity, the share of connections that it touches (1 unless said). Times are 500us, 20ms, 1s, 1.5s;
// sizes are plain bytes, KiB or MiB. Odds are counted in reads: what one recv() of up to 64 KiB took, which
// for a client that waits for each reply is one small reply, and for a large body a piece of it.
//
//   latency:TIME[:JITTER]   each byte comes TIME later, give or take JITTER; order stays
//   bandwidth:SIZE          SIZE a second
//   slicer:SIZE[:TIME]      in slices of about SIZE bytes, TIME between them
//   limit_data:SIZE         closed in order after SIZE bytes
//   slow_close:TIME         the end of the stream comes TIME later
//   timeout:TIME            nothing passes; closed after TIME, never if it is 0s
//   blackhole               timeout:0s
//   reset_peer:TIME         reset TIME after it was opened
//   reset:1/N               one read in N passes by half, then the connection is reset
//   truncate:1/N            one read in N passes by half, then the connection is closed in order
//   corrupt:1/N             the last byte of one read in N has a wrong bit
//
//   freeze:AT:FOR           from AT after the start nothing moves for FOR, on any connection, nor is one
//                           accepted
//
// A command line that cannot be understood ends the process with one line and exit code 2.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;
using Nanos = std::chrono::nanoseconds;

enum class FaultKind : std::uint8_t {
  kLatency,
  kBandwidth,
  kSlicer,
  kLimitData,
  kSlowClose,
  kTimeout,
  kResetPeer,
  kReset,
  kTruncate,
  kCorrupt
};

struct Fault {
  FaultKind kind{};
  bool upstream = false;
  double toxicity = 1;
  Nanos time{0}, jitter{0};
  std::uint64_t size = 0;  // bytes, or N of 1/N
};

struct Freeze {
  Nanos at{0}, duration{0};
};

struct Faults {
  std::vector<Fault> faults;
  std::vector<Freeze> freezes;
};

[[noreturn]] inline void wrong(std::string_view what, std::string_view text) {
  std::fprintf(stderr, "sekisho_wire_proxy: %.*s: '%.*s'\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(text.size()), text.data());
  std::exit(2);
}

// A number with one of the units behind it, in the smallest of them; npos-like nonsense ends the process.
template <std::size_t N>
double measure(std::string_view text, const std::pair<std::string_view, double> (&units)[N],
               std::string_view what) {
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const auto& [name, factor] : units)
    if (error == std::errc() && number >= 0 && unit == name) return number * factor;
  wrong(what, text);
}

inline Nanos parse_time(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
  return Nanos(static_cast<Nanos::rep>(measure(text, kUnits, "not a time")));
}

inline std::uint64_t parse_size(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"", 1}, {"KiB", 1024}, {"MiB", 1 << 20}};
  const double size = measure(text, kUnits, "not a size");
  if (size < 1) wrong("not a size", text);
  return static_cast<std::uint64_t>(size);
}

inline std::uint64_t parse_odds(std::string_view text) {
  if (!text.starts_with("1/")) wrong("odds are 1/N", text);
  return parse_size(text.substr(2));
}

inline std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

inline void parse_fault(std::string_view text, Faults& out) {
  constexpr std::string_view kUpstream = "upstream:";
  const std::string_view whole = text;
  Fault fault;
  if (text.starts_with(kUpstream)) {
    fault.upstream = true;
    text.remove_prefix(kUpstream.size());
  }
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    constexpr std::pair<std::string_view, double> kUnits[] = {{"", 1}};
    fault.toxicity = measure(text.substr(at + 1), kUnits, "toxicity is 0 to 1");
    if (fault.toxicity > 1) wrong("toxicity is 0 to 1", whole);
    text = text.substr(0, at);
  }
  const std::vector<std::string_view> parts = split(text, ':');
  const std::string_view name = parts[0];
  const auto takes = [&](std::size_t least, std::size_t most) {
    if (parts.size() < least + 1 || parts.size() > most + 1) wrong("wrong number of arguments", whole);
  };
  const auto is = [&](FaultKind kind, std::size_t least, std::size_t most) {
    takes(least, most);
    fault.kind = kind;
  };
  if (name == "latency") {
    is(FaultKind::kLatency, 1, 2);
    fault.time = parse_time(parts[1]);
    if (parts.size() > 2) fault.jitter = parse_time(parts[2]);
  } else if (name == "bandwidth" || name == "limit_data") {
    is(name == "bandwidth" ? FaultKind::kBandwidth : FaultKind::kLimitData, 1, 1);
    fault.size = parse_size(parts[1]);
  } else if (name == "slicer") {
    is(FaultKind::kSlicer, 1, 2);
    fault.size = parse_size(parts[1]);
    if (parts.size() > 2) fault.time = parse_time(parts[2]);
  } else if (name == "slow_close" || name == "timeout" || name == "reset_peer") {
    is(name == "timeout"      ? FaultKind::kTimeout
       : name == "slow_close" ? FaultKind::kSlowClose
                              : FaultKind::kResetPeer,
       1, 1);
    fault.time = parse_time(parts[1]);
  } else if (name == "blackhole") {
    is(FaultKind::kTimeout, 0, 0);
  } else if (name == "reset" || name == "truncate" || name == "corrupt") {
    is(name == "reset"      ? FaultKind::kReset
       : name == "truncate" ? FaultKind::kTruncate
                            : FaultKind::kCorrupt,
       1, 1);
    fault.size = parse_odds(parts[1]);
  } else if (name == "freeze") {
    takes(2, 2);
    if (fault.upstream || fault.toxicity < 1) wrong("a freeze is of the whole wire", whole);
    out.freezes.push_back({parse_time(parts[1]), parse_time(parts[2])});
    return;
  } else {
    wrong("unknown fault", whole);
  }
  out.faults.push_back(fault);
}

// SplitMix64: the same odds in every run of one seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t roll() {
    std::uint64_t x = state_ += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }
  bool one_in(std::uint64_t n) { return roll() % n == 0; }
  double share() { return static_cast<double>(roll() >> 11) * 0x1p-53; }  // 0 to 1, without 1

 private:
  std::uint64_t state_;
};

}  // namespace bench
