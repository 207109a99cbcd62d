#include "redis/connection.h"

#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <signal.h>

#include <cstdio>
#include <functional>
#include <optional>

#include "net/testing.h"
#include "net/testing_tls.h"
#include "redis/testing.h"

namespace redis {
namespace {

using base::Code;
using base::Millis;
using base::Seconds;
using net::testing::Peer;
using net::testing::TestServer;
using testing::RedisServer;

constexpr std::string_view kHello = "%1\r\n+proto\r\n:3\r\n";
const std::string kAskHello = "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n";
const std::string kPing = "*1\r\n$4\r\nPING\r\n";

bool greet(Peer& peer) {
  return peer.read(kAskHello.size()) == kAskHello && peer.write(kHello);
}

class ConnectionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }  // as the program does: OpenSSL writes plainly
  void TearDown() override { stop(); }
  using Change = std::function<void(Options&)>;
  void connect(std::uint16_t port, const Change& change = [](Options&) {}) {
    Options options;
    options.timeout = Seconds(5);  // a machine may be busy
    change(options);
    options.host = "127.0.0.1";
    options.port = port;
    connection.emplace(test.loop, test.resolver, std::move(options), metrics);
    connection->start();
  }
  void stop() {
    if (!connection) return;
    connection->stop();
    test.await(connection->drained());
    connection.reset();
  }
  bool up() {
    return test.until([&] { return connection->ready(); });
  }
  bool down() {
    return test.until([&] { return !connection->ready(); });
  }
  base::Result<Reply> ask(std::initializer_list<std::string_view> words) {
    return test.await(connection->command(words));
  }

  net::testing::TestLoop test;
  Metrics metrics;
  std::optional<Connection> connection;
};

TEST_F(ConnectionTest, AnswersACommand) {
  TestServer server([](Peer& peer, int) {
    greet(peer);
    EXPECT_EQ(peer.read(kPing.size()), kPing);
    peer.write("+PONG\r\n");
    peer.ended();
  });
  connect(server.port());
  EXPECT_EQ(ask({"PING"}).error().code, Code::kOriginUnreachable) << "not before it is there";
  ASSERT_TRUE(up());
  EXPECT_EQ(ask({"PING"}).value().text(), "PONG");
  telemetry::HistogramSum latency;
  metrics.latency.read_into(latency);
  EXPECT_EQ(latency.count(), 1u);
  stop();
}

struct Counted : Call {
  Counted() : Call(&Counted::done) {}
  static void done(Call& call, Reply* reply, base::Error why) {
    auto& self = static_cast<Counted&>(call);
    self.good = reply != nullptr;
    self.why = why.code;
  }
  bool good = false;
  Code why = Code::kCount;
};

// Segments with data that a peer has received; with TCP_NODELAY each write makes one at least.
std::uint32_t segments(const Peer& peer) {
  tcp_info info{};
  socklen_t size = sizeof info;
  EXPECT_EQ(::getsockopt(peer.fd(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  return info.tcpi_data_segs_in;
}

TEST_F(ConnectionTest, CommandsOfOneTurnLeaveTogether) {
  std::atomic<std::uint32_t> came{0};
  TestServer server([&](Peer& peer, int) {
    greet(peer);
    const std::uint32_t before = segments(peer);
    peer.read(3 * kPing.size());
    came = segments(peer) - before;
    peer.write("+1\r\n+2\r\n+3\r\n");
    peer.ended();
  });
  connect(server.port());
  ASSERT_TRUE(up());
  Counted calls[3];
  for (Counted& call : calls) ASSERT_TRUE(connection->send(call, {"PING"}));
  EXPECT_TRUE(test.until([&] { return calls[2].good; }));
  EXPECT_EQ(came, 1u);
  stop();
}

TEST_F(ConnectionTest, ALateAnswerMeansThatTheServerIsLost) {
  TestServer server([](Peer& peer, int connection) {
    greet(peer);
    if (connection == 0) {
      peer.read(2 * kPing.size());
      peer.ended();  // says nothing
      return;
    }
    peer.read(kPing.size());
    peer.write("+PONG\r\n");
    peer.ended();
  });
  connect(server.port(), [&](Options& o) { o.timeout = Millis(250); });
  ASSERT_TRUE(up());
  Counted behind;
  const auto sent = connection->send(behind, {"PING"});
  ASSERT_TRUE(sent);
  EXPECT_EQ(ask({"PING"}).error().code, Code::kOriginTimeout);
  EXPECT_EQ(behind.why, Code::kOriginTimeout);
  ASSERT_TRUE(up());
  EXPECT_EQ(ask({"PING"}).value().text(), "PONG");
  EXPECT_EQ(metrics.reconnects.read(), 1u);
  stop();
}

TEST_F(ConnectionTest, AServerThatNeverGreetsIsNotWaitedForForever) {
  TestServer server([](Peer& peer, int) { peer.ended(); });
  connect(server.port(), [&](Options& o) {
    o.timeout = Millis(50);
    o.backoff_min = o.backoff_max = Millis(1);
  });
  EXPECT_TRUE(test.until([&] { return metrics.connects.read() >= 2; }));
  stop();
}

TEST_F(ConnectionTest, GarbageEndsTheConnection) {
  TestServer server([](Peer& peer, int) {
    greet(peer);
    peer.read(kPing.size());
    peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.ended();
  });
  connect(server.port());
  ASSERT_TRUE(up());
  EXPECT_EQ(ask({"PING"}).error().code, Code::kOriginBadReply);
  EXPECT_FALSE(connection->ready());
  stop();
}

TEST_F(ConnectionTest, ConnectsWhenTheServerComesLater) {
  const auto [listener, port] = net::testing::listen_on_loopback();
  ::close(listener);
  connect(port, [&](Options& o) { o.backoff_max = Millis(60); });
  EXPECT_TRUE(test.until([&] { return metrics.connects.read() >= 3; }));
  EXPECT_EQ(ask({"PING"}).error().code, Code::kOriginUnreachable);
}

TEST_F(ConnectionTest, ACallerThatLeavesDoesNotDisturbTheOrder) {
  TestServer server([](Peer& peer, int) {
    greet(peer);
    peer.read(2 * kPing.size());
    peer.write("+one\r\n+two\r\n");
    peer.ended();
  });
  connect(server.port());
  ASSERT_TRUE(up());
  net::Cancel gone;
  gone.request();
  const std::string_view words[] = {"PING"};
  EXPECT_EQ(test.await(connection->command(words, &gone)).error().code, Code::kCancelled);
  EXPECT_EQ(ask({"PING"}).value().text(), "two");
  stop();
}

TEST_F(ConnectionTest, StoppingTellsThoseWhoWait) {
  TestServer server([](Peer& peer, int) {
    greet(peer);
    peer.ended();
  });
  connect(server.port());
  ASSERT_TRUE(up());
  Counted call;
  ASSERT_TRUE(connection->send(call, {"PING"}));
  stop();
  EXPECT_FALSE(call.good);
  EXPECT_EQ(call.why, Code::kShuttingDown);
}

TEST_F(ConnectionTest, LargeRepliesAndCommandsPassWhole) {
  const std::string large(3 << 20, 'x');
  TestServer server([&](Peer& peer, int) {
    greet(peer);
    std::string expected;
    append_command(expected, {"SET", "k", large});
    EXPECT_EQ(peer.read(expected.size()).size(), expected.size());
    peer.write("$" + std::to_string(large.size()) + "\r\n" + large + "\r\n");
    peer.ended();
  });
  connect(server.port());
  ASSERT_TRUE(up());
  EXPECT_EQ(ask({"SET", "k", large}).value().text(), large);
  stop();
}

TEST_F(ConnectionTest, SpeaksTlsAndVerifies) {
  const net::testing::TestCertificate certificate("IP:127.0.0.1"), other("IP:127.0.0.1");
  TestServer server([&](Peer& peer, int) {
    net::testing::TlsPeer tls(peer, certificate);
    if (!tls.accepted()) return;
    tls.read(kAskHello.size());
    tls.write(kHello);
    EXPECT_EQ(tls.read(kPing.size()), kPing);
    tls.write("+PONG\r\n");
    tls.close_notify();
  });
  connect(server.port(), [&](Options& o) {
    o.tls.emplace().ca_file = other.file();
    o.backoff_max = Millis(50);
  });
  EXPECT_TRUE(test.until([&] { return metrics.connects.read() >= 2; }));
  EXPECT_FALSE(connection->ready());
  stop();
  connect(server.port(), [&](Options& o) { o.tls.emplace().ca_file = certificate.file(); });
  ASSERT_TRUE(up());
  EXPECT_EQ(ask({"PING"}).value().text(), "PONG");
  stop();
}

// ---- against the real server

class RealRedisTest : public ConnectionTest {
 protected:
  void SetUp() override {
    if (!RedisServer::available()) GTEST_SKIP() << "redis-server is not installed";
  }
};

TEST_F(RealRedisTest, ReadsEveryTypeOfReply) {
  RedisServer server({"--enable-debug-command", "yes"});
  connect(server.port());
  ASSERT_TRUE(up());
  EXPECT_EQ(ask({"SET", "k", "v\r\n"}).value().text(), "OK");
  EXPECT_EQ(ask({"GET", "k"}).value().text(), "v\r\n");
  EXPECT_EQ(ask({"GET", "none"}).value().type(), Type::kNull);
  EXPECT_EQ(ask({"INCR", "n"}).value().root().integer, 1);
  EXPECT_EQ(ask({"NONSENSE"}).value().error_code(), "ERR");
  const struct {
    std::string_view what;
    Type type;
  } table[] = {{"string", Type::kBulk},  {"integer", Type::kInteger},  {"double", Type::kDouble},
               {"null", Type::kNull},    {"array", Type::kArray},      {"set", Type::kSet},
               {"map", Type::kMap},      {"attrib", Type::kBulk},      {"bignum", Type::kBigNumber},
               {"true", Type::kBoolean}, {"verbatim", Type::kVerbatim}};
  for (const auto& row : table) {
    const auto reply = ask({"DEBUG", "PROTOCOL", row.what});
    ASSERT_TRUE(reply) << row.what;
    EXPECT_EQ(reply->type(), row.type) << row.what;
  }
}

TEST_F(RealRedisTest, TakesACommandsWholeDescription) {
  RedisServer server;
  connect(server.port());
  ASSERT_TRUE(up());
  EXPECT_GT(ask({"COMMAND"}).value().nodes().size(), 1000u);
  EXPECT_GT(ask({"COMMAND", "DOCS"}).value().nodes().size(), 1000u) << "the deepest that there is";
}

TEST_F(RealRedisTest, SelectsItsDatabaseAsItsUser) {
  RedisServer server;
  server.ask({"ACL", "SETUSER", "app", "on", ">app-secret", "~*", "+@all"});
  connect(server.port(), [](Options& o) {
    o.greeting.user = "app";
    o.greeting.password = base::Secret("app-secret");
    o.greeting.database = 3;
  });
  ASSERT_TRUE(up());
  EXPECT_EQ(ask({"ACL", "WHOAMI"}).value().text(), "app");
  EXPECT_TRUE(ask({"CLIENT", "INFO"}).value().text().contains(" db=3 "));
}

TEST_F(RealRedisTest, AWrongPasswordIsTriedSeldomAndNeverShown) {
  RedisServer server({"--requirepass", "right"});
  const base::ClockShift later(Seconds(60));  // what other tests have logged is no repetition
  ::testing::internal::CaptureStderr();
  connect(server.port(), [](Options& o) {
    o.greeting.password = base::Secret("wrong-secret");
    o.backoff_min = Millis(1);
  });
  EXPECT_TRUE(test.until([&] { return metrics.connects.read() >= 1; }));
  net::Event pause(test.loop);
  const auto wait = [](net::Event& event, base::Mono until) -> net::Task<> { co_await event.wait(until); };
  test.await(wait(pause, base::mono_now() + Millis(800)));
  EXPECT_EQ(metrics.connects.read(), 1u) << "the next one after a second at least";
  stop();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(log.contains("Redis refuses the user or the password")) << log;
  EXPECT_TRUE(log.contains("WRONGPASS")) << log;
  EXPECT_FALSE(log.contains("wrong-secret")) << log;
}

TEST_F(RealRedisTest, SpeaksTls) {
  const net::testing::TestCertificate certificate("DNS:redis.test");
  const std::string key = certificate.file() + ".key";
  std::FILE* const out = std::fopen(key.c_str(), "w");
  ASSERT_TRUE(out);
  PEM_write_PrivateKey(out, certificate.key(), nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  const auto [listener, port] = net::testing::listen_on_loopback();
  ::close(listener);
  RedisServer server({"--tls-port", std::to_string(port), "--tls-cert-file", certificate.file(),
                      "--tls-key-file", key, "--tls-auth-clients", "no"});
  ::unlink(key.c_str());
  connect(port, [&](Options& o) {
    o.tls.emplace().ca_file = certificate.file();
    o.tls->server_name = "redis.test";
  });
  ASSERT_TRUE(up());
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(ask({"SET", "k", large}).value().text(), "OK");
  EXPECT_EQ(ask({"GET", "k"}).value().text(), large);
}

TEST_F(RealRedisTest, ComesBackAfterAKill) {
  RedisServer server;
  connect(server.port());
  ASSERT_TRUE(up());
  server.end(SIGKILL);
  ASSERT_TRUE(down());
  server.start();
  ASSERT_TRUE(up());
  EXPECT_EQ(ask({"PING"}).value().text(), "PONG");
}

TEST_F(RealRedisTest, AThousandCommandsAtOnceAreAnsweredInOrder) {
  RedisServer server;
  connect(server.port(), [&](Options& o) { o.pipeline = 1000; });
  ASSERT_TRUE(up());
  struct Numbered : Call {
    Numbered() : Call(&Numbered::done) {}
    static void done(Call& call, Reply* reply, base::Error) {
      static_cast<Numbered&>(call).number = reply ? reply->root().integer : -1;
    }
    std::int64_t number = 0;
  };
  std::vector<Numbered> calls(1001);
  for (std::size_t i = 0; i < 1000; ++i) ASSERT_TRUE(connection->send(calls[i], {"INCR", "n"}));
  EXPECT_EQ(connection->send(calls[1000], {"INCR", "n"}).error().code, Code::kOverloaded);
  ASSERT_TRUE(test.until([&] { return calls[999].number != 0; }));
  for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(calls[i].number, static_cast<std::int64_t>(i) + 1);
}

}  // namespace
}  // namespace redis
