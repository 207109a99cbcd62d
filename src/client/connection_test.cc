#include "client/connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "net/testing.h"

namespace client {
namespace {

using net::testing::Peer;
using net::testing::TestLoop;

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    connection.emplace(net::Stream(test.loop, ends[0]));
    peer = std::make_unique<Peer>(ends[1]);
  }
  base::Result<> ask() {
    connection->begin_exchange();
    EXPECT_TRUE(test.await(connection->send("GET / HTTP/1.1\r\n\r\n", http::Method::kGet, base::Seconds(5))));
    connection->request_complete();
    return test.await(connection->read_head(http::Method::kGet, base::Seconds(5)));
  }

  TestLoop test;
  std::optional<Connection> connection;
  std::unique_ptr<Peer> peer;
};

TEST_F(ConnectionTest, HoldsWhatCameAndNoMore) {
  EXPECT_EQ(connection->held(), 0U) << "nothing has been asked yet";
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
  peer->write(head);
  ASSERT_TRUE(ask());
  EXPECT_EQ(connection->held(), head.size()) << "while it waits for the body";
}

// As the pool does before it keeps one.
TEST_F(ConnectionTest, GivesUpALargeBufferWhenItRests) {
  const std::string large(8000, 'x');
  peer->write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Large: " + large + "\r\n\r\n");
  ASSERT_TRUE(ask());
  EXPECT_EQ(connection->head().fields.find("x-large")->value, large);
  EXPECT_GT(connection->held(), large.size());
  connection->rest();
  EXPECT_EQ(connection->held(), 0U);
  peer->write("HTTP/1.1 204 No Content\r\nX-Small: 1\r\n\r\n");
  ASSERT_TRUE(ask());
  EXPECT_EQ(connection->head().fields.find("x-small")->value, "1");
  const std::size_t held = connection->held();
  connection->rest();
  EXPECT_EQ(connection->held(), held) << "a small one stays for the next exchange";
}

TEST_F(ConnectionTest, GrowsWithAHeadThatComesInPieces) {
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Long: " + std::string(5000, 'y') + "\r\n\r\n";
  std::thread drip([&] {
    for (std::size_t at = 0; at < head.size(); at += 61) peer->write(std::string_view(head).substr(at, 61));
    peer->write("hello");
  });
  ASSERT_TRUE(ask());
  drip.join();
  EXPECT_EQ(connection->head().fields.find("x-long")->value, std::string(5000, 'y'));
  char body[16];
  std::string got;
  while (got.size() < 5) {
    const auto n = test.await(connection->read_body(body, base::Seconds(5)));
    ASSERT_TRUE(n && *n > 0);
    got.append(body, *n);
  }
  EXPECT_EQ(got, "hello");
  EXPECT_TRUE(connection->reusable());
}

TEST_F(ConnectionTest, RefusesAHeadBeyondTheLimit) {
  peer->write("HTTP/1.1 200 OK\r\nX: " + std::string(config::ReplyLimits{}.head, 'x') + "\r\n\r\n");
  const auto done = ask();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, base::Code::kOriginBadReply);
  EXPECT_LE(connection->held(), config::ReplyLimits{}.head);
}

}  // namespace
}  // namespace client
