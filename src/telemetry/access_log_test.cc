#include "telemetry/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>
#include <sstream>
#include <system_error>

#include "telemetry/line_testing.h"
#include "telemetry/oplog.h"
#include "text/json_check.h"

namespace telemetry {
namespace {

using testing_support::lines_in;
using testing_support::slurp;
using testing_support::within;
using text::testing_support::read_object;

AccessRecord typical() {
  return {.time = base::Wall(base::Nanos(1'795'235'506'123'456'789)),
          .request_id = "0123456789abcdef",
          .client = "192.0.2.7",
          .principal = "ana@example.com",
          .issuer = "https://id.example.com",
          .method = "GET",
          .host = "cdn.example.com",
          .path = "/photos/2026/11/a.jpg?width=200",
          .route = "/photos/",
          .user_agent = "curl/8.5.0",
          .cache = "hit",
          .status = 200,
          .bytes_sent = 1234,
          .bytes_received = 410,
          .duration = base::Nanos(1'234'567)};
}

std::string line_of(const AccessRecord& record) {
  std::string out(kMaxAccessLine, '\0');
  AccessLineFormatter formatter;
  out.resize(formatter.format(record, out.data()));
  return out;
}

class AccessLogFile : public testing_support::InFolder {};

TEST(AccessLine, HoldsTheRecord) {
  EXPECT_EQ(line_of(typical()),
            R"({"time":"2026-11-21T04:31:46.123Z","request_id":"0123456789abcdef","client":"192.0.2.7",)"
            R"("principal":"ana@example.com","issuer":"https://id.example.com","method":"GET",)"
            R"("host":"cdn.example.com","path":"/photos/2026/11/a.jpg?width=200","route":"/photos/",)"
            R"("status":200,"bytes":1234,"bytes_in":410,"duration_ms":1.235,"cache":"hit",)"
            R"("user_agent":"curl/8.5.0"})"
            "\n");
}

TEST(AccessLine, TellsTheOriginsTimeOnlyWhenItWasAsked) {
  AccessRecord record = typical();
  record.origin = base::Nanos(0);
  record.reason = "origin_timeout";
  EXPECT_NE(line_of(record).find(R"("origin_ms":0.000,"reason":"origin_timeout")"), std::string::npos);
}

TEST(AccessLine, CrossesSecondsAndSurvivesDatesBeforeTheEpoch) {
  AccessLineFormatter formatter;
  std::string out(kMaxAccessLine, '\0');
  AccessRecord record;
  for (const auto& [seconds, text] : {std::pair<int, std::string>{0, "1970-01-01T00:00:00.000Z"},
                                      {59, "1970-01-01T00:00:59.000Z"},
                                      {60, "1970-01-01T00:01:00.000Z"},
                                      {-1, "1969-12-31T23:59:59.000Z"}}) {
    record.time = base::Wall(base::Seconds(seconds));
    EXPECT_EQ(std::string_view(out.data(), formatter.format(record, out.data())).substr(9, 24), text);
  }
}

TEST(AccessLine, IsJsonWhateverTheClientSends) {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    std::string hostile(random() % 40, '\0');
    for (char& c : hostile)
      c = static_cast<char>(round % 2 ? random()
                                      : "\"\\/\n\x7f\xc2\x85\xe3\x81\x82\xf0\xed\xa0"[random() % 14]);
    AccessRecord record = typical();
    record.path = record.user_agent = record.host = record.principal = hostile;
    std::string line = line_of(record);
    ASSERT_EQ(lines_in(line), 1U);
    line.pop_back();
    const auto object = read_object(line);
    ASSERT_TRUE(object) << line;
    ASSERT_EQ(object->at("path").empty(), hostile.empty());
  }
}

TEST(AccessLine, KeepsUtf8AndMarksWhatIsNot) {
  AccessRecord record = typical();
  record.path = "/\xe9\x96\xa2\xe6\x89\x80/\xff\x01\"\\";
  std::string line = line_of(record);
  EXPECT_NE(line.find("\"path\":\"/\xe9\x96\xa2\xe6\x89\x80/\\ufffd\\u0001\\\"\\\\\""), std::string::npos)
      << line;
}

TEST(AccessLine, StaysWithinItsBoundWhenEverythingIsLong) {
  const std::string junk(100'000, '\x01');
  AccessRecord r;
  r.protocol = r.origin_name = r.detail = junk;
  r.request_id = r.client = r.principal = r.issuer = r.method = r.host = r.path = r.route = junk;
  r.user_agent = r.cache = r.reason = junk;
  r.bytes_sent = r.bytes_received = UINT64_MAX;
  r.duration = r.origin = base::Nanos::max();
  std::string line = line_of(r);
  line.pop_back();
  EXPECT_TRUE(read_object(line));
}

TEST(AccessLogOff, CostsNothingAndDoesNothing) {
  AccessLogBuffer buffer(nullptr);
  buffer.append(typical());
  buffer.flush_if_due(base::mono_now());
  EXPECT_FALSE(buffer.enabled());
  EXPECT_FALSE(buffer.pending());
}

TEST(AccessLogOpen, ThrowsWhenTheFileCannotBe) {
  EXPECT_THROW(AccessLog("/nonexistent/access.log"), std::system_error);
}

TEST_F(AccessLogFile, WritesEverythingBeforeItDies) {
  constexpr std::size_t kWorkers = 3, kLines = 5000;
  {
    AccessLog log(path_, 1024);
    std::vector<std::thread> workers;
    workers.reserve(kWorkers);
    for (std::size_t i = 0; i < kWorkers; ++i)
      workers.emplace_back([&] {
        AccessLogBuffer buffer(&log);
        for (std::size_t n = 0; n < kLines; ++n) buffer.append(typical());
      });
    for (auto& w : workers) w.join();
    EXPECT_EQ(log.dropped_queue(), 0U);
  }
  const std::string text = slurp(path_);
  EXPECT_EQ(lines_in(text), kWorkers * kLines);
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) ASSERT_TRUE(read_object(line)) << line;
  struct stat about{};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0137, 0U);  // no more than 0640
}

TEST_F(AccessLogFile, HandsOverWhatHasGrownOld) {
  AccessLog log(path_);
  AccessLogBuffer buffer(&log);
  buffer.append(typical());
  const base::Mono now = base::mono_now();
  buffer.flush_if_due(now);
  buffer.flush_if_due(now + AccessLog::kMaxAge / 2);
  EXPECT_TRUE(buffer.pending());
  buffer.flush_if_due(now + AccessLog::kMaxAge);
  EXPECT_FALSE(buffer.pending());
  EXPECT_TRUE(within(base::Seconds(10), [&] { return log.lines_written() == 1; }));
}

TEST_F(AccessLogFile, GoesOnInANewFileAfterARotation) {
  AccessLog log(path_);
  AccessLogBuffer buffer(&log);
  buffer.append(typical());
  buffer.flush();
  ASSERT_TRUE(within(base::Seconds(10), [&] { return log.lines_written() == 1; }));
  ASSERT_EQ(::rename(path_.c_str(), (path_ + ".1").c_str()), 0);
  log.reopen();
  ASSERT_TRUE(within(base::Seconds(10), [&] { return ::access(path_.c_str(), F_OK) == 0; }));
  buffer.append(typical());
  buffer.flush();
  ASSERT_TRUE(within(base::Seconds(10), [&] { return log.lines_written() == 2; }));
  EXPECT_EQ(lines_in(slurp(path_)), 1U);
  EXPECT_EQ(lines_in(slurp(path_ + ".1")), 1U);
}

TEST_F(AccessLogFile, DropsAndCountsWhenNobodyReads) {
  const std::string pipe = dir_ + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  std::uint64_t lines = 0;
  const base::Mono start = base::mono_now();
  {
    AccessLog log(pipe, 2);
    {
      AccessLogBuffer buffer(&log);
      while (log.dropped_queue() == 0 && lines < 1'000'000) {
        buffer.append(typical());
        ++lines;
      }
      EXPECT_GT(log.dropped_queue(), 0U);
      EXPECT_LT(lines, 10'000U);  // bounded memory: the pipe and a few chunks
    }
  }  // and it leaves in time although the reader never came
  EXPECT_LT(base::mono_now() - start, AccessLog::kFarewell + base::Seconds(20));
  ::close(reader);
}

TEST_F(AccessLogFile, CountsWhatAFullDiskRefuses) {
  log::open(path_);
  {
    AccessLog log("/dev/full");
    AccessLogBuffer buffer(&log);
    for (int i = 0; i < 3; ++i) buffer.append(typical());
    buffer.flush();
    EXPECT_TRUE(within(base::Seconds(10), [&] { return log.dropped_output() == 3; }));
    EXPECT_EQ(log.lines_written(), 0U);
  }
  EXPECT_TRUE(log::settle(base::Seconds(10)));
  EXPECT_NE(slurp(path_).find("access log lines lost"), std::string::npos);
  log::open("stderr");
}

TEST_F(AccessLogFile, SurvivesAReaderThatLeaves) {
  const std::string pipe = dir_ + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  AccessLog log(pipe);
  ::close(reader);
  AccessLogBuffer buffer(&log);
  buffer.append(typical());
  buffer.flush();
  EXPECT_TRUE(within(base::Seconds(10), [&] { return log.dropped_output() == 1; }));
}

}  // namespace
}  // namespace telemetry
