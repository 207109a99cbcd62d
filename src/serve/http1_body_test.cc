#include "serve/http1_body.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>

#include "net/testing.h"

namespace serve {
namespace {

using base::Code;

class Http1BodyTest : public ::testing::Test {
 protected:
  Http1BodyTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    client = net::Stream(test.loop, ends[0]);
    peer = std::make_unique<net::testing::Peer>(ends[1]);
    request.parsed = true;
  }
  void start(http::Framing framing, std::uint64_t length = 0) {
    request.head.framing = framing;
    request.head.content_length = length;
    body.start(request, terms);
  }
  base::Result<std::string> read() {
    std::string piece(64, '\0');
    const auto n = test.await(body.read(piece));
    if (!n) return std::unexpected(n.error());
    return piece.substr(0, *n);
  }
  // Requests `end` as soon as somebody waits.
  net::Task<> interrupt_soon(net::Cancel& end) {
    net::Event pause(test.loop);
    co_await pause.wait(test.loop.now() + base::Millis(1));
    end.request();
  }

  // As soon as somebody waits, and the clock has been moved.
  net::Task<> write_after(base::Nanos pause, std::string bytes) {
    net::Event soon(test.loop);
    co_await soon.wait(test.loop.now() + base::Millis(1));
    base::clock_seam::offset.fetch_add(pause.count());
    peer->write(bytes);
  }

  net::testing::TestLoop test;
  net::Stream client;
  std::unique_ptr<net::testing::Peer> peer;
  Input input;
  Request request;
  Terms terms;
  base::Account account{1 << 20};
  Http1Body body{client, input, &account};
};

TEST_F(Http1BodyTest, AnInterruptedWaitLosesNothing) {
  for (const http::Framing framing : {http::Framing::kLength, http::Framing::kChunked}) {
    start(framing, 10);
    const bool chunked = framing == http::Framing::kChunked;
    net::Cancel end;
    EXPECT_EQ(body.interrupt_by(&end), nullptr);
    peer->write(chunked ? "4\r\nfour" : "four");
    EXPECT_EQ(read().value_or(""), "four");
    test.scope.spawn(interrupt_soon(end));
    EXPECT_EQ(read().error().code, Code::kCancelled);
    EXPECT_EQ(read().error().code, Code::kCancelled) << "until it is told otherwise";
    EXPECT_TRUE(body.drainable()) << "the connection is as it was";
    end.reset();
    peer->write(chunked ? "\r\n6\r\nsix---\r\n0\r\n\r\n" : "six---");
    EXPECT_EQ(read().value_or(""), "six---");
    EXPECT_EQ(read().value_or("?"), "");
    EXPECT_TRUE(body.complete());
    EXPECT_EQ(body.interrupt_by(nullptr), &end);
    body.take_rest();
  }
}

TEST_F(Http1BodyTest, WhoDripsIsTooSlowAndWhoPausesIsNot) {
  terms.least = {.per_second = 10, .span = base::Seconds(10)};
  start(http::Framing::kLength, 1000);
  // Each piece comes after a pause that is within the patience between two; two pauses are a span.
  for (int i = 0; i < 4; ++i) {
    test.scope.spawn(write_after(base::Seconds(29), i == 0 ? std::string(300, 'x') : "x"));
    ASSERT_TRUE(read()) << i;
    for (int rest = 0; i == 0 && rest < 4; ++rest) ASSERT_TRUE(read());
  }
  EXPECT_EQ(read().error().code, Code::kRequestTimeout);
}

}  // namespace
}  // namespace serve
