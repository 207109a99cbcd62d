#include "telemetry/audit_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>
#include <vector>

#include "telemetry/line_testing.h"
#include "text/json_check.h"

namespace telemetry {
namespace {

using testing_support::lines_in;
using testing_support::slurp;
using testing_support::within;
using text::testing_support::read_object;

class AuditFile : public testing_support::InFolder {
 protected:
  AuditOptions options() const { return {.output = path_}; }
  AuditOptions pipe_options(bool block) {
    path_ += ".pipe";
    EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    reader_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
    return {.output = path_, .block = block, .buffer = 2 * LineChunk::kFull};
  }
  void TearDown() override {
    if (reader_ >= 0) ::close(reader_);
    InFolder::TearDown();
  }
  // Reads whatever comes until there are so many lines.
  std::string read_lines(std::size_t wanted, const std::function<void()>& meanwhile = [] {}) {
    std::string got;
    char bytes[4096];
    within(base::Seconds(20), [&] {
      for (ssize_t n; (n = ::read(reader_, bytes, sizeof bytes)) > 0;)
        got.append(bytes, static_cast<std::size_t>(n));
      meanwhile();
      return lines_in(got) >= wanted;
    });
    return got;
  }
  int reader_ = -1;
};

std::string number(std::size_t n) {
  return std::to_string(n);
}

void append(AuditBuffer& buffer, std::size_t id) {
  const std::string text = number(id);
  buffer.append({.request_id = text, .path = "/photos/2026/11/a.jpg?width=200", .status = 200});
}

std::multiset<std::size_t> ids_in(const std::string& text) {
  std::multiset<std::size_t> ids;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const auto object = read_object(line);
    EXPECT_TRUE(object) << line;
    if (object && object->contains("request_id")) ids.insert(std::stoul(object->at("request_id")));
  }
  return ids;
}

TEST(AuditOff, CostsNothingAndDoesNothing) {
  AuditBuffer buffer(nullptr);
  buffer.append({});
  buffer.flush();
  EXPECT_FALSE(buffer.enabled());
  EXPECT_FALSE(buffer.all_requests());
}

TEST(AuditOpen, ThrowsWhenTheFileCannotBe) {
  EXPECT_THROW(AuditLog({.output = "/nonexistent/audit.log"}), std::system_error);
}

TEST_F(AuditFile, WritesAnEventAtOnceAndFillsInTheTime) {
  AuditLog log(options());
  log.event({.event = AuditEvent::kStart});
  ASSERT_TRUE(within(base::Seconds(10), [&] { return lines_in(slurp(path_)) == 1; }));
  const std::string text = slurp(path_);
  const auto object = read_object(std::string_view(text).substr(0, text.size() - 1));
  ASSERT_TRUE(object);
  EXPECT_EQ(object->at("event"), "start");
  EXPECT_FALSE(object->at("time").starts_with("1970"));
}

TEST_F(AuditFile, SettlesWhenAllIsWrittenAndGivesUpWhenItCannotBe) {
  AuditLog log(options());
  for (int i = 0; i < 1000; ++i) log.event({.event = AuditEvent::kReload});
  EXPECT_TRUE(log.settle(base::Seconds(20)));
  EXPECT_EQ(lines_in(slurp(path_)), 1000U);
  AuditLog stuck({.output = "/dev/full"});
  stuck.event({});
  EXPECT_FALSE(stuck.settle(base::Millis(50)));
}

TEST_F(AuditFile, RotatesUnderLoadWithEveryLineOnce) {
  constexpr std::size_t kWorkers = 3, kLines = 20'000;
  AuditOptions some = options();
  some.block = true;
  some.rotation = {.size = 100'000, .keep = 1000};
  {
    AuditLog log(some);
    std::vector<std::thread> workers;
    workers.reserve(kWorkers);
    for (std::size_t w = 0; w < kWorkers; ++w)
      workers.emplace_back([&log, w] {
        AuditBuffer buffer(&log);
        for (std::size_t n = 0; n < kLines; ++n) append(buffer, w * kLines + n);
      });
    for (auto& worker : workers) worker.join();
  }
  std::multiset<std::size_t> ids;
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir_)) {
    ++files;
    EXPECT_LE(file.file_size(), 100'000U);
    ids.merge(ids_in(slurp(file.path())));
  }
  EXPECT_GT(files, 20);
  EXPECT_EQ(ids.size(), kWorkers * kLines);
  EXPECT_EQ(std::set<std::size_t>(ids.begin(), ids.end()).size(), kWorkers * kLines);
}

TEST_F(AuditFile, DropsAndCountsWhenNobodyReadsAndItMay) {
  std::size_t lines = 0;
  std::uint64_t dropped = 0;
  {
    AuditLog log(pipe_options(false));
    AuditBuffer buffer(&log);
    while (log.dropped_queue() == 0 && lines < 100'000) append(buffer, lines++);
    dropped = log.dropped_queue();
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_LT(lines, 10'000U) << "bounded memory: the pipe and a few chunks";
}

TEST_F(AuditFile, BlocksTheWorkerAndLosesNothingWhenItMayNot) {
  constexpr std::size_t kLines = 10'000;
  AuditLog log(pipe_options(true));
  std::atomic<std::size_t> appended{0};
  std::thread worker([&] {
    AuditBuffer buffer(&log);
    for (std::size_t n = 0; n < kLines; ++n) {
      append(buffer, n);
      appended = n + 1;
    }
  });
  EXPECT_TRUE(within(base::Seconds(20), [&] { return log.blocked() > base::Nanos(0); }));
  EXPECT_LT(appended, kLines);
  const auto ids = ids_in(read_lines(kLines));
  worker.join();
  EXPECT_EQ(ids.size(), kLines);
  EXPECT_EQ(std::set<std::size_t>(ids.begin(), ids.end()).size(), kLines);
  EXPECT_EQ(log.dropped_queue() + log.dropped_output(), 0U);
  EXPECT_GT(log.blocked(), base::Nanos(0));
}

TEST_F(AuditFile, TakesEventsWithoutWaitingWhileWorkersAreBlocked) {
  AuditLog log(pipe_options(true));
  std::atomic<bool> go_on{true};
  std::atomic<std::size_t> appended{0};
  std::thread worker([&] {
    AuditBuffer buffer(&log);
    while (go_on) append(buffer, appended++);
  });
  ASSERT_TRUE(within(base::Seconds(20), [&] { return log.blocked() > base::Nanos(0); }));
  const base::Mono began = base::mono_now();
  for (int i = 0; i < 1000; ++i) log.event({.event = AuditEvent::kReload, .by = "SIGHUP"});
  EXPECT_LT(base::mono_now() - began, base::Seconds(5));
  EXPECT_EQ(log.dropped_queue(), 0U);
  go_on = false;
  const std::string text = read_lines(appended + 1000);
  worker.join();
  std::size_t reloads = 0;
  for (std::size_t at = 0; (at = text.find(R"("event":"reload")", at)) != text.npos; ++at) ++reloads;
  EXPECT_EQ(reloads, 1000U);
}

TEST_F(AuditFile, TriesAgainWhenTheDiskIsFullAndWritesAllOnceItIsNot) {
  // A file that cannot grow beyond a link to /dev/full, until a reopen finds another one.
  ASSERT_EQ(::symlink("/dev/full", path_.c_str()), 0);
  AuditLog log(options());
  AuditBuffer buffer(&log);
  for (std::size_t n = 0; n < 100; ++n) append(buffer, n);
  buffer.flush();
  EXPECT_TRUE(within(base::Seconds(10), [&] { return log.output_errors() >= 3; }));
  EXPECT_EQ(log.lines_written() + log.dropped_output(), 0U);
  ::unlink(path_.c_str());
  log.reopen();
  EXPECT_TRUE(within(base::Seconds(10), [&] { return log.lines_written() == 100; }));
  EXPECT_EQ(ids_in(slurp(path_)).size(), 100U);
  EXPECT_EQ(log.dropped_output(), 0U);
}

TEST_F(AuditFile, LeavesInTimeWhenTheDiskStaysFull) {
  const base::Mono began = base::mono_now();
  {
    AuditLog log({.output = "/dev/full"});
    for (int i = 0; i < 10; ++i) log.event({});
  }
  EXPECT_LT(base::mono_now() - began, LineLog::kFarewell + base::Seconds(10));
}

TEST_F(AuditFile, UsesItsWholeBufferHoweverFewLinesAreHandedOverAtATime) {
  // Whatever the writer holds while nobody reads, two chunks take almost two chunks of lines: one that waits
  // behind the first takes all that comes until it is full, and what is left stays with the worker.
  AuditLog log(pipe_options(false));
  AuditBuffer buffer(&log);
  base::Mono now = base::mono_now();
  std::size_t lines = 0;
  for (; lines < 800; ++lines) {  // each by itself, as a quiet worker does
    append(buffer, lines);
    buffer.flush_if_due(now);
    now += LineLog::kMaxAge;
    buffer.flush_if_due(now);
  }
  const std::string got = read_lines(lines, [&] {
    buffer.flush_if_due(now);
    now += LineLog::kMaxAge;
  });
  EXPECT_EQ(log.dropped_queue(), 0U);
  EXPECT_EQ(ids_in(got).size(), lines);
  EXPECT_GT(got.size(), LineChunk::kFull * 3 / 2) << "too little to show it";
  EXPECT_LT(got.size(), LineChunk::kFull * 2) << "more than the buffer must take";
}

TEST_F(AuditFile, BeginsALineAgainInTheNewFileWhenTheOldOneTookHalfOfIt) {
  // A file of 1,000 bytes at most, by the process's limit, stands for a disk that fills up within a line.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  {
    AuditLog log(options());
    {
      AuditBuffer buffer(&log);
      for (std::size_t n = 0; n < 20; ++n) append(buffer, n);
    }
    EXPECT_TRUE(within(base::Seconds(10), [&] { return log.output_errors() > 0; }));
    EXPECT_EQ(slurp(path_).size(), 1000U);
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::filesystem::rename(path_, path_ + ".1");
    log.reopen();
    EXPECT_TRUE(within(base::Seconds(10), [&] { return log.lines_written() == 20; }));
  }
  ::signal(SIGXFSZ, old_handler);
  const std::string cut = slurp(path_ + ".1");
  auto ids = ids_in(cut.substr(0, cut.rfind('\n') + 1));
  ids.merge(ids_in(slurp(path_)));
  EXPECT_EQ(ids.size(), 20U);
  EXPECT_EQ(std::set<std::size_t>(ids.begin(), ids.end()).size(), 20U);
}

}  // namespace
}  // namespace telemetry
