#include "telemetry/oplog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "text/json_check.h"

namespace telemetry::log {
namespace {

class OpLog : public testing::Test {
 protected:
  void SetUp() override {
    static int tests = 0;
    shift_.emplace(kWindow * 2 * ++tests);  // past the windows that other tests opened
    tick();
    char name[] = "/tmp/oplog_test.XXXXXX";
    ::close(::mkstemp(name));
    path_ = name;
    open(path_);
  }
  void TearDown() override {
    open("stderr");
    set_level(Level::kInfo);
    ::unlink(path_.c_str());
    ::unlink((path_ + ".1").c_str());
  }
  std::vector<text::testing_support::Object> lines(const std::string& suffix = "") {
    EXPECT_TRUE(settle(base::Seconds(10)));
    std::vector<text::testing_support::Object> out;
    std::ifstream in(path_ + suffix);
    for (std::string line; std::getline(in, line);) {
      const auto object = text::testing_support::read_object(line);
      EXPECT_TRUE(object) << line;
      if (object) out.push_back(*object);
    }
    return out;
  }
  std::string path_;
  std::optional<base::ClockShift> shift_;
};

TEST_F(OpLog, WritesFieldsAsJson) {
  const std::string name = "pho\"tos\n\xff";
  warn("origin refused", {{"origin", name}, {"attempt", 2}, {"bytes", 7UL}, {"share", 0.5}, {"again", true}});
  const auto all = lines();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].at("level"), "warn");
  EXPECT_EQ(all[0].at("message"), "origin refused");
  EXPECT_EQ(all[0].at("origin"), "pho\"tos\n\xef\xbf\xbd");
  EXPECT_EQ(all[0].at("attempt"), "2");
  EXPECT_EQ(all[0].at("share"), "0.5");
  EXPECT_EQ(all[0].at("again"), "true");
  EXPECT_EQ(all[0].at("time").size(), std::string("2026-11-21T04:21:46.123Z").size());
}

TEST_F(OpLog, FollowsTheLevelAtRunTime) {
  debug("first");
  set_level(Level::kDebug);
  debug("second");
  set_level(Level::kOff);
  error("third");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0].at("message"), "second");
  EXPECT_EQ(parse_level("error"), Level::kError);
  EXPECT_EQ(parse_level("loud"), std::nullopt);
}

TEST_F(OpLog, SuppressesRepetitionsAndSaysHowMany) {
  for (int i = 0; i < 20; ++i) warn("again");
  warn("another");
  EXPECT_EQ(lines().size(), kBurst + 1);
  const base::ClockShift later(kWindow);
  tick();
  const auto all = lines();
  ASSERT_EQ(all.size(), kBurst + 2);
  EXPECT_EQ(all.back().at("message"), "again");
  EXPECT_EQ(all.back().at("suppressed"), std::to_string(20 - kBurst));
  warn("again");
  EXPECT_EQ(lines().size(), kBurst + 3);
}

TEST_F(OpLog, KeepsCountOfFewMessagesHoweverManyThereAre) {
  for (int i = 0; i < 2000; ++i) warn("message " + std::to_string(i));
  EXPECT_TRUE(settle(base::Seconds(10)));
  EXPECT_LT(lines().size(), 600U);
}

TEST_F(OpLog, GoesOnInANewFileAfterARotation) {
  info("before");
  ASSERT_TRUE(settle(base::Seconds(10)));
  ASSERT_EQ(::rename(path_.c_str(), (path_ + ".1").c_str()), 0);
  reopen();
  info("after");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0].at("message"), "after");
  EXPECT_EQ(lines(".1").size(), 1U);
}

TEST_F(OpLog, KeepsTheOldOutputWhenTheNewCannotBeOpened) {
  EXPECT_THROW(open("/proc/none/op.log"), std::runtime_error);
  info("still here");
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(OpLog, TakesLinesFromAllThreads) {
  set_level(Level::kDebug);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 250; ++i) debug("busy", {{"thread", t}, {"i", i}});
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(lines().size(), 1000U);
}

// A stopped `| tee`: the pipe is full, and nobody reads it.
TEST_F(OpLog, NeverWaitsForAReaderThatHasStopped) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  open("/dev/fd/" + std::to_string(pipe[1]));
  set_level(Level::kDebug);
  const Figures before = figures();
  const std::string text(1000, 'x');
  const base::Mono began = base::mono_now();
  for (int i = 0; i < 4000; ++i) debug("busy", {{"text", text}});  // 4 MB: more than pipe and queue hold
  EXPECT_LT(base::mono_now() - began, base::Seconds(5));
  EXPECT_GT(figures().dropped_queue, before.dropped_queue);
  EXPECT_FALSE(settle(base::Millis(10)));
  reopen();
  open(path_);  // which gives up on the old one
  EXPECT_LT(base::mono_now() - began, base::Seconds(10));
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_F(OpLog, CutsATextThatIsLongerThanALineMayBe) {
  const std::string text(1 << 20, '\x01');  // six bytes each
  warn("long", {{"text", text}});
  ASSERT_EQ(lines().size(), 1U);
  warn("longer", {{"a", text}, {"b", text}});  // together they are more than a line
  EXPECT_EQ(lines().size(), 1U);
  EXPECT_EQ(figures().dropped_queue > 0, true);
}

}  // namespace
}  // namespace telemetry::log
