#include "telemetry/line_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "telemetry/line_testing.h"

namespace telemetry {
namespace {

using testing_support::lines_in;
using testing_support::slurp;

class RotatedFile : public testing_support::InFolder {
 protected:
  int put(LineSink& sink, std::string_view lines) {
    std::size_t done = 0;
    return sink.put(lines, done, give_up_);
  }
  std::string old(int n) const { return slurp(path_ + "." + std::to_string(n)); }
  GiveUp give_up_;
};

TEST_F(RotatedFile, TakesWholeLinesUpToItsSize) {
  auto sink = make_rotating_sink(path_, {.size = 10, .keep = 3});
  EXPECT_EQ(put(*sink, "aaaa\nbbbb\ncccc\n"), 0);
  EXPECT_EQ(put(*sink, "dd\n"), 0);
  EXPECT_EQ(put(*sink, "e\n"), 0);
  EXPECT_EQ(old(2), "");
  EXPECT_EQ(old(1), "aaaa\nbbbb\n");
  EXPECT_EQ(slurp(path_), "cccc\ndd\ne\n");
}

TEST_F(RotatedFile, KeepsTheYoungestAndLetsTheOldestGo) {
  auto sink = make_rotating_sink(path_, {.size = 4, .keep = 2});
  for (const char* line : {"111\n", "222\n", "333\n", "444\n"}) EXPECT_EQ(put(*sink, line), 0);
  EXPECT_EQ(slurp(path_), "444\n");
  EXPECT_EQ(old(1), "333\n");
  EXPECT_EQ(old(2), "222\n");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".3"));
}

TEST_F(RotatedFile, WritesALineThatIsLongerThanAFile) {
  auto sink = make_rotating_sink(path_, {.size = 4, .keep = 5});
  EXPECT_EQ(put(*sink, "1\n123456789\n2\n"), 0);
  EXPECT_EQ(old(2), "1\n");
  EXPECT_EQ(old(1), "123456789\n");
  EXPECT_EQ(slurp(path_), "2\n");
}

TEST_F(RotatedFile, FillsGapsBeforeItLetsGo) {
  auto sink = make_rotating_sink(path_, {.size = 4, .keep = 3});
  std::ofstream(path_ + ".2") << "older\n";
  EXPECT_EQ(put(*sink, "111\n222\n"), 0);
  EXPECT_EQ(old(1), "111\n");
  EXPECT_EQ(old(2), "older\n");
}

TEST_F(RotatedFile, BeginsANewFileWithANewPeriod) {
  auto sink = make_rotating_sink(path_, {.every = base::Seconds(86'400), .keep = 3});
  EXPECT_EQ(put(*sink, "today\n"), 0);
  {
    const base::ClockShift tomorrow(base::Seconds(86'400));
    EXPECT_EQ(put(*sink, "tomorrow\n"), 0);
    EXPECT_EQ(put(*sink, "tomorrow, too\n"), 0);
  }
  EXPECT_EQ(old(1), "today\n");
  EXPECT_EQ(slurp(path_), "tomorrow\ntomorrow, too\n");
}

TEST_F(RotatedFile, KnowsThePeriodOfAFileOfItsPredecessor) {
  EXPECT_EQ(put(*make_rotating_sink(path_, {}), "today\n"), 0);
  const base::ClockShift tomorrow(base::Seconds(86'400));
  auto sink = make_rotating_sink(path_, {.every = base::Seconds(86'400), .keep = 3});
  EXPECT_EQ(put(*sink, "tomorrow\n"), 0);
  EXPECT_EQ(old(1), "today\n");
}

TEST_F(RotatedFile, CountsWhatItsPredecessorWrote) {
  EXPECT_EQ(put(*make_rotating_sink(path_, {}), "1234\n"), 0);
  auto sink = make_rotating_sink(path_, {.size = 8, .keep = 1});
  EXPECT_EQ(put(*sink, "5678\n"), 0);
  EXPECT_EQ(old(1), "1234\n");
}

TEST_F(RotatedFile, BeginsCleanlyBehindHalfALine) {
  std::ofstream(path_) << "{\"half\":";
  auto sink = make_rotating_sink(path_, {});
  EXPECT_EQ(put(*sink, "whole\n"), 0);
  EXPECT_EQ(slurp(path_), "{\"half\":\nwhole\n");
}

TEST_F(RotatedFile, OpensAgainWhatSomebodyElseMovedAway) {
  auto sink = make_rotating_sink(path_, {.size = 8, .keep = 2});
  EXPECT_EQ(put(*sink, "1234567\n"), 0);
  std::filesystem::rename(path_, path_ + ".moved");
  EXPECT_EQ(put(*sink, "next\n"), 0);
  EXPECT_EQ(slurp(path_ + ".moved"), "1234567\n");
  EXPECT_EQ(slurp(path_), "next\n");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".1"));
}

TEST_F(RotatedFile, GoesOnInTheSameFileWhenItCannotBeRotated) {
  auto sink = make_rotating_sink(path_, {.size = 4, .keep = 1});
  EXPECT_EQ(put(*sink, "111\n"), 0);
  std::filesystem::create_directories(path_ + ".1/full");  // what rename() cannot replace
  EXPECT_EQ(put(*sink, "222\n"), 0);
  EXPECT_EQ(put(*sink, "333\n"), 0);
  EXPECT_EQ(slurp(path_), "111\n222\n333\n");
}

TEST_F(RotatedFile, IsNeverAPipe) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  EXPECT_EQ(put(*make_rotating_sink(path_, {.size = 4, .keep = 3}), "111\n222\n333\n"), 0);
  ::close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".1"));
}

TEST_F(RotatedFile, IsOpenToTheGroupAtMost) {
  const ::mode_t before = ::umask(0);
  make_rotating_sink(path_, {});
  ::umask(before);
  struct stat about{};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0640U);
}

TEST_F(RotatedFile, SharesAPipeWithAnotherLogLineByLine) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  std::vector<std::thread> writers;
  for (const char letter : {'a', 'b'})
    writers.emplace_back([&, letter] {
      std::string lines;
      for (int i = 0; i < 2000; ++i) lines.append(100 + i % 50, letter).append("\n");
      EXPECT_EQ(put(*make_stream_sink(path_), lines), 0);
    });
  std::string got;
  char bytes[4096];
  testing_support::within(base::Seconds(20), [&] {
    for (ssize_t n; (n = ::read(reader, bytes, sizeof bytes)) > 0;)
      got.append(bytes, static_cast<std::size_t>(n));
    return lines_in(got) >= 4000;
  });
  for (auto& writer : writers) writer.join();
  ::close(reader);
  EXPECT_EQ(lines_in(got), 4000U);
  EXPECT_EQ(got.find("ab"), std::string::npos);
  EXPECT_EQ(got.find("ba"), std::string::npos);
}

// ---- syslog

class Syslog : public testing_support::InFolder {
 protected:
  void listen() {
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    ASSERT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  void TearDown() override {
    if (socket_ >= 0) ::close(socket_);
    InFolder::TearDown();
  }
  std::optional<std::string> message() {
    std::string bytes(128 << 10, '\0');
    const ssize_t n = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (n < 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
  }
  int socket_ = -1;
  GiveUp give_up_;
};

constexpr std::string_view kLine = R"({"time":"2026-11-21T04:31:46.123Z","event":"start"})";

TEST_F(Syslog, SendsOneMessageALine) {
  listen();
  auto sink = make_syslog_sink(path_);
  std::size_t done = 0;
  EXPECT_EQ(sink->put(std::string(kLine) + "\n" + std::string(kLine) + "\n", done, give_up_), 0);
  std::array<char, 256> host{};
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  const std::string expected = "<109>1 2026-11-21T04:31:46.123Z " + std::string(host.data()) + " sekisho " +
                               std::to_string(::getpid()) + " audit - " + std::string(kLine);
  EXPECT_EQ(message(), expected);
  EXPECT_EQ(message(), expected);
  EXPECT_EQ(message(), std::nullopt);
}

TEST_F(Syslog, TellsOfASocketThatIsNotThereAndFindsItLater) {
  auto sink = make_syslog_sink(path_);
  const std::string lines = std::string(kLine) + "\n";
  std::size_t done = 0;
  EXPECT_EQ(sink->put(lines, done, give_up_), ENOENT);
  EXPECT_EQ(done, 0U);
  listen();
  EXPECT_EQ(sink->put(lines, done, give_up_), 0);
  EXPECT_TRUE(message());
}

TEST_F(Syslog, FindsADaemonThatWasStartedAnew) {
  listen();
  auto sink = make_syslog_sink(path_);
  const std::string lines = std::string(kLine) + "\n";
  std::size_t done = 0;
  EXPECT_EQ(sink->put(lines, done, give_up_), 0);
  ::close(socket_);
  ::unlink(path_.c_str());
  listen();
  done = 0;
  EXPECT_EQ(sink->put(lines, done, give_up_), ECONNREFUSED);
  EXPECT_EQ(sink->put(lines, done, give_up_), 0);
  EXPECT_TRUE(message());
}

TEST_F(Syslog, GivesUpOnADaemonThatDoesNotRead) {
  listen();
  auto sink = make_syslog_sink(path_);
  give_up_.at(base::mono_now());
  std::string lines;
  for (int i = 0; i < 10'000; ++i) lines.append(kLine).append("\n");
  std::size_t done = 0;
  EXPECT_EQ(sink->put(lines, done, give_up_), ETIMEDOUT);
  EXPECT_LT(done, lines.size());
  EXPECT_EQ(lines[done - 1], '\n');
}

TEST_F(Syslog, RefusesALineThatNoDatagramHolds) {
  auto sink = make_syslog_sink("127.0.0.1:9");
  std::size_t done = 0;
  EXPECT_EQ(sink->put(std::string(70'000, 'x') + "\n", done, give_up_), EMSGSIZE);
}

TEST_F(Syslog, SendsToAPort) {
  const int receiver = ::socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  socklen_t length = sizeof address;
  if (::bind(receiver, reinterpret_cast<sockaddr*>(&address), length) != 0) GTEST_SKIP() << "no IPv6 here";
  ASSERT_EQ(::getsockname(receiver, reinterpret_cast<sockaddr*>(&address), &length), 0);
  auto sink = make_syslog_sink("[::1]:" + std::to_string(ntohs(address.sin6_port)));
  std::size_t done = 0;
  EXPECT_EQ(sink->put(std::string(kLine) + "\n", done, give_up_), 0);
  socket_ = receiver;
  EXPECT_TRUE(testing_support::within(base::Seconds(5), [&] {
    const auto got = message();
    return got && got->ends_with(kLine);
  }));
}

}  // namespace
}  // namespace telemetry
