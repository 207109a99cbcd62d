#include "prove/report/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace prove {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Progress example() {
  Progress p;
  p.campaign = "chaos";
  p.phase = "steady";
  p.elapsed = 65;
  p.total = 600;
  p.offered_rate = 1'000;
  p.done_rate = 998;
  p.p50 = base::Nanos(900'000);
  p.p99 = base::Nanos(12'000'000);
  p.outcomes[static_cast<std::size_t>(Outcome::kOk)] = 12'345;
  p.outcomes[static_cast<std::size_t>(Outcome::kTimedOut)] = 3;
  p.busy = 14.3;
  return p;
}

std::string written(std::FILE* file) {
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  EXPECT_EQ(std::fseek(file, 0, SEEK_SET), 0);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  return text;
}

struct Closed {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closed>;

TEST(Progress, TellsPhaseRatesLatencyAndOutcomes) {
  const std::string text = progress_lines(example(), 100, false);
  for (const char* part : {"chaos", "steady", "1:05 of 10:00", "998 requests/s, 1,000 arrivals/s",
                           "p50 900 µs", "p99 12.0 ms", "generator 14 % busy", "ok 12,345", "timed out 3"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "no colour was asked for";
  EXPECT_THAT(text, Not(HasSubstr("fault")));
}

TEST(Progress, NamesFaultsThatAreActive) {
  Progress p = example();
  p.faults = {"origin killed"};
  EXPECT_THAT(progress_lines(p, 100, false), HasSubstr("fault  origin killed\n"));
  EXPECT_THAT(progress_line(p), HasSubstr("fault origin killed"));
}

TEST(Progress, CutsLinesAtTheWidthOfTheTerminal) {
  Progress p = example();
  p.campaign = std::string(200, 'x');
  const std::string text = progress_lines(p, 20, true);
  EXPECT_THAT(text, HasSubstr(std::string(20, 'x')));
  EXPECT_THAT(text, Not(HasSubstr(std::string(21, 'x'))));
}

TEST(Progress, LetsNoNameDriveTheTerminal) {
  Progress p = example();
  p.campaign = "evil\x1b[2J\nname";
  p.faults = {"\x1b]0;title\x07"};
  EXPECT_THAT(progress_lines(p, 100, false), Not(HasSubstr("\x1b")));
  EXPECT_THAT(progress_line(p), Not(HasSubstr("\x1b")));
}

TEST(ProgressDisplay, WritesALineEachTenSecondsToALog) {
  const File file(std::tmpfile());
  ProgressDisplay display(file.get(), ProgressDisplay::Mode::kLog);
  const base::Mono begin{};
  for (int s = 0; s < 25; ++s) display.show(example(), begin + base::Seconds(s));
  display.end();
  const std::string text = written(file.get());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(ProgressDisplay, DrawsOverItselfAndLeavesNothing) {
  const File file(std::tmpfile());
  ProgressDisplay display(file.get(), ProgressDisplay::Mode::kTerminal);
  const base::Mono begin{};
  display.show(example(), begin);
  display.show(example(), begin + base::Millis(100));  // too soon
  display.show(example(), begin + base::Seconds(1));
  display.end();
  display.end();
  const std::string text = written(file.get());
  std::size_t ups = 0;
  for (std::size_t at = 0; (at = text.find("\x1b[4A\r\x1b[J", at)) != text.npos; ++at) ++ups;
  EXPECT_EQ(ups, 2u) << "once before the second drawing, once at the end";
  EXPECT_TRUE(text.ends_with("\x1b[J"));
}

TEST(ProgressDisplay, SaysNothingWhenQuiet) {
  const File file(std::tmpfile());
  ProgressDisplay display(file.get(), ProgressDisplay::Mode::kQuiet);
  display.show(example(), base::Mono{});
  display.end();
  EXPECT_EQ(std::ftell(file.get()), 0);
  EXPECT_FALSE(display.due(base::Mono{}));
}

}  // namespace
}  // namespace prove
