#include "prove/report/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "prove/record/markup.h"
#include "prove/report/figures.h"
#include "prove/report/report_summary.h"

namespace prove {
namespace {

constexpr base::Nanos kRedraw = base::Seconds(1);
constexpr base::Nanos kLogEach = base::Seconds(10);
constexpr std::size_t kBar = 30;
constexpr std::string_view kPlain = "\x1b[0m", kBold = "\x1b[1m", kDim = "\x1b[2m", kRed = "\x1b[31m",
                           kGreen = "\x1b[32m", kYellow = "\x1b[33m";

// A line that knows how many columns it takes: escape sequences take none, and names may be cut.
class Line {
 public:
  Line(std::size_t width, bool colour) : room_(width), colour_(colour) {}

  Line& add(std::string_view text, std::string_view paint = {}) {
    std::string kept;
    for (std::size_t i = 0; i < text.size() && room_ > 0;
         --room_) {  // by code points; close enough to columns
      std::size_t next = i + 1;
      while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0U) == 0x80) ++next;
      kept += text.substr(i, next - i);
      i = next;
    }
    const bool painted = colour_ && !paint.empty() && !kept.empty();
    if (painted) out_ += paint;
    out_ += kept;
    if (painted) out_ += kPlain;
    return *this;
  }
  std::string end() { return std::move(out_) + "\n"; }

 private:
  std::size_t room_;
  bool colour_;
  std::string out_;
};

double share(const Progress& p) {
  return p.total > 0 ? std::clamp(p.elapsed / p.total, 0.0, 1.0) : 0;
}

std::string bar(double share) {
  const auto full = static_cast<std::size_t>(share * kBar);
  std::string out;
  for (std::size_t i = 0; i < kBar; ++i) out += i < full ? "█" : "░";
  return out;
}

std::string phase_of(const Progress& p) {
  if (p.ending) return "waiting for what is in flight";
  return one_line(p.phase) + (p.warm_up ? " (warm-up)" : "");
}

std::string rates(const Progress& p) {
  // Two things, since an arrival may be a journey of several requests.
  std::string text = number_text(p.done_rate) + " requests/s";
  if (p.offered_rate > 0) text += ", " + number_text(p.offered_rate) + " arrivals/s";
  return text;
}

std::string latency(Nanos of) {
  return of.count() > 0 ? duration_text(of) : "–";
}

std::string_view paint_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
    case Outcome::kDenied:
      return kGreen;
    case Outcome::kLimited:
    case Outcome::kSkipped:
      return kYellow;
    case Outcome::kFailed:
    case Outcome::kTimedOut:
      return kRed;
  }
  return {};
}

std::size_t width_of(std::FILE* out) {
  winsize size{};
  if (::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

std::string progress_lines(const Progress& p, std::size_t width, bool colour) {
  std::string out;
  const auto line = [&] { return Line(width, colour); };
  out += line()
             .add(one_line(p.campaign), kBold)
             .add("  ")
             .add(phase_of(p), p.warm_up ? kDim : std::string_view{})
             .end();
  out += line()
             .add(bar(share(p)), kDim)
             .add(fmt::format("  {} of {}", clock_text(p.elapsed), clock_text(p.total)))
             .end();
  Line load = line();
  load.add(rates(p)).add(fmt::format("   p50 {}   p99 {}", latency(p.p50), latency(p.p99)));
  load.add(fmt::format("   generator {:.0f} % busy", p.busy), p.busy > 90 ? kRed : kDim);
  if (p.waiting > 0) load.add(fmt::format("   {} waiting", count_text(p.waiting)), kYellow);
  out += load.end();
  Line outcomes = line();
  bool first = true;
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (p.outcomes[i] == 0 && i != 0) continue;
    const auto outcome = static_cast<Outcome>(i);
    outcomes.add(std::exchange(first, false) ? "" : "   ");
    outcomes.add(outcome_text(outcome) + " ", kDim).add(count_text(p.outcomes[i]), paint_of(outcome));
  }
  out += outcomes.end();
  if (!p.faults.empty()) {
    Line faults = line();
    faults.add("fault", kRed);
    for (const std::string& fault : p.faults) faults.add("  " + one_line(fault));
    out += faults.end();
  }
  return out;
}

std::string progress_line(const Progress& p) {
  std::string out =
      fmt::format("{} {}/{} {}: {}, p50 {}, p99 {}", one_line(p.campaign), clock_text(p.elapsed),
                  clock_text(p.total), phase_of(p), rates(p), latency(p.p50), latency(p.p99));
  for (std::size_t i = 0; i < kOutcomes; ++i)
    if (p.outcomes[i] > 0)
      out += fmt::format(", {} {}", outcome_text(static_cast<Outcome>(i)), count_text(p.outcomes[i]));
  if (p.waiting > 0) out += fmt::format(", {} waiting", count_text(p.waiting));
  out += fmt::format(", generator {:.0f} % busy", p.busy);
  for (const std::string& fault : p.faults) out += ", fault " + one_line(fault);
  return out + "\n";
}

ProgressDisplay::Mode ProgressDisplay::mode_for(std::FILE* out, bool quiet) {
  if (quiet) return Mode::kQuiet;
  const char* terminal = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const bool dumb = terminal == nullptr || *terminal == '\0' || std::string_view(terminal) == "dumb";
  return ::isatty(::fileno(out)) == 1 && !dumb ? Mode::kTerminal : Mode::kLog;
}

bool ProgressDisplay::due(base::Mono now) const {
  if (mode_ == Mode::kQuiet) return false;
  return !shown_ || now - last_ >= (mode_ == Mode::kTerminal ? kRedraw : kLogEach);
}

void ProgressDisplay::show(const Progress& progress, base::Mono now) {
  if (!due(now)) return;
  shown_ = true;
  last_ = now;
  if (mode_ == Mode::kLog) {
    std::fputs(progress_line(progress).c_str(), out_);
  } else {
    // In one write, so that no half-drawn state shows: up to the first line, and over what stands there. A
    // line as wide as the terminal would wrap, so that the way up were wrong.
    const std::string lines = progress_lines(progress, width_of(out_) - 1, true);
    std::string drawn = lines_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", lines_) : "";
    drawn += lines;
    std::fwrite(drawn.data(), 1, drawn.size(), out_);
    lines_ = static_cast<std::size_t>(std::ranges::count(lines, '\n'));
  }
  std::fflush(out_);
}

void ProgressDisplay::end() {
  if (lines_ == 0) return;
  std::fputs(fmt::format("\x1b[{}A\r\x1b[J", lines_).c_str(), out_);
  std::fflush(out_);
  lines_ = 0;
}

}  // namespace prove
