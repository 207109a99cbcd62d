#include "origin/http_origin.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>

#include "net/testing_tls.h"
#include "origin/testing.h"

namespace origin {
namespace {

using base::Code;
using net::testing::Peer;
using net::testing::TestServer;
using ::testing::HasSubstr;
using testing::http_configuration;
using testing::kHello;
using testing::OriginTest;

// Answers every request on every connection with the same bytes.
TestServer::Script always(std::string_view reply) {
  return [reply](Peer& peer, int) {
    while (!peer.read_head().empty()) peer.write(reply);
  };
}

using HttpOriginTest = OriginTest;

TEST_F(HttpOriginTest, RendersTheRequestAndReadsTheReply) {
  std::string seen;
  TestServer server([&](Peer& peer, int) {
    seen = peer.read_head();
    peer.write(kHello);
  });
  auto origin = make(http_configuration(server.port(), "/base"));
  auto reply = fetch(
      *origin, {.path = "/a%20b/c;d%3B|", .raw_query = "x=%20", .has_query = true, .fields = "X-Two: 2\r\n"});
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(seen, "GET /base/a%20b/c;d%3B%7C?x=%20 HTTP/1.1\r\nHost: 127.0.0.1:" +
                      std::to_string(server.port()) + "\r\nX-Two: 2\r\n\r\n");
  EXPECT_EQ(reply->status(), 200);
  EXPECT_EQ(reply->length(), 5u);
  EXPECT_EQ(reply->head().fields.find("x-one")->value, "1");
  EXPECT_EQ(body(*reply), "hello");
  EXPECT_GE(reply->received_at(), reply->requested_at());
}

TEST_F(HttpOriginTest, SendsTheClientsHostWhenAskedToPreserveIt) {
  std::string seen;
  TestServer server([&](Peer& peer, int) {
    seen = peer.read_head();
    peer.write(kHello);
  });
  auto c = http_configuration(server.port());
  std::get<config::HttpOrigin>(c.kind).preserve_host = true;
  auto origin = make(c);
  ASSERT_TRUE(fetch(*origin, {.path = "/", .host = "www.example.com"}));
  EXPECT_THAT(seen, HasSubstr("\r\nHost: www.example.com\r\n"));
}

TEST_F(HttpOriginTest, ReusesAConnectionWhoseBodyWasReadToItsEnd) {
  TestServer server(always(kHello));
  auto origin = make(http_configuration(server.port()));
  for (int i = 0; i < 3; ++i) {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(body(*reply), "hello");
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(origin->stats()->connections[telemetry::OriginConnection::kOpened].read(), 1u);
  EXPECT_EQ(origin->stats()->connections[telemetry::OriginConnection::kReused].read(), 2u);
  EXPECT_EQ(origin->stats()->idle.read(), 1);
}

TEST_F(HttpOriginTest, ClosesAConnectionWhoseBodyWasDropped) {
  std::atomic<bool> ended = false;
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    ended = peer.ended();
  });
  auto origin = make(http_configuration(server.port()));
  {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply);
  }
  EXPECT_TRUE(test.until([&] { return ended.load(); }));
  EXPECT_EQ(origin->stats()->idle.read(), 0);
}

TEST_F(HttpOriginTest, DecodesChunksWhateverThePieces) {
  const std::string big(100'000, 'x');
  TestServer server([&](Peer& peer, int) {
    while (!peer.read_head().empty()) {
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      peer.write("186a0;a=b\r\n" + big + "\r\n");
      peer.write("1\r\n!\r\n0\r\nT: t\r\n\r\n");
    }
  });
  auto origin = make(http_configuration(server.port()));
  for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{4096}, std::size_t{7}}) {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->length(), std::nullopt);
    EXPECT_EQ(body(*reply, piece), "hello" + big + "!");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpOriginTest, ReadsUntilCloseAndDoesNotKeepTheConnection) {
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.0 200 OK\r\n\r\nold");
  });
  auto origin = make(http_configuration(server.port()));
  auto reply = fetch(*origin, {.path = "/"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(body(*reply), "old");
  *reply = Reply();
  EXPECT_EQ(origin->stats()->idle.read(), 0);
}

TEST_F(HttpOriginTest, ABodyThatEndsEarlyIsAnError) {
  TestServer server([&](Peer& peer, int n) {
    peer.read_head();
    peer.write(n == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"
                      : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  });
  auto origin = make(http_configuration(server.port()));
  for (int i = 0; i < 2; ++i) {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(body(*reply).error(), Code::kOriginBadReply);
  }
}

TEST_F(HttpOriginTest, PassesOverInterimRepliesAndRefusesAnUnaskedUpgrade) {
  TestServer server([&](Peer& peer, int n) {
    peer.read_head();
    peer.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    peer.write(n == 0 ? kHello
                      : "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
  });
  auto origin = make(http_configuration(server.port()));
  auto reply = fetch(*origin, {.path = "/"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(body(*reply), "hello");
  *reply = Reply();
  origin->close_idle();
  EXPECT_EQ(fetch(*origin, {.path = "/"}).error().code, Code::kOriginBadReply);
}

TEST_F(HttpOriginTest, HandsOverTheConnectionOfAWebSocket) {
  std::string seen;
  TestServer server([&](Peer& peer, int) {
    seen = peer.read_head();
    peer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nfirst");
    peer.write(peer.read(4));
  });
  http::RequestHead handshake;
  handshake.fields.push("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", http::FieldId::kOther);
  auto origin = make(http_configuration(server.port()));
  auto reply = fetch(*origin, {.path = "/", .fields = "Sec-WebSocket-Key: k\r\n", .websocket = &handshake});
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_THAT(seen,
              HasSubstr("\r\nSec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
  std::string got;
  net::Stream stream = reply->take_stream(got);
  EXPECT_EQ(test.await(stream.write_all("ping")), net::Result<>{});
  char buffer[16];
  while (got.size() < 9) {
    const auto n = test.await(stream.read(buffer));
    ASSERT_TRUE(n && *n > 0);
    got.append(buffer, *n);
  }
  EXPECT_EQ(got, "firstping");
}

TEST_F(HttpOriginTest, AsksAgainWhenAKeptConnectionDied) {
  // The first connection answers once, then closes as soon as it has read a second request.
  TestServer server([&](Peer& peer, int n) {
    peer.read_head();
    peer.write(kHello);
    peer.read_head();
    if (n > 0) peer.write(kHello);
  });
  auto origin = make(http_configuration(server.port()));
  for (int i = 0; i < 2; ++i) {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(body(*reply), "hello");
  }
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(origin->stats()->connections[telemetry::OriginConnection::kRetried].read(), 1u);
}

TEST_F(HttpOriginTest, NeverRepeatsAPost) {
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write(kHello);
    peer.read_head();
  });
  auto origin = make(http_configuration(server.port()));
  {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(body(*reply), "hello");
  }
  auto reply = fetch(*origin, {.method = http::Method::kPost, .method_text = "POST", .path = "/"});
  EXPECT_EQ(reply.error().code, Code::kOriginRefused);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(origin->stats()->connections[telemetry::OriginConnection::kRetried].read(), 0u);
}

TEST_F(HttpOriginTest, PassesOverAKeptConnectionThatThePeerHasClosed) {
  std::atomic<bool> closed = false;
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write(kHello);
    peer.close();
    closed = true;
  });
  auto origin = make(http_configuration(server.port()));
  for (int i = 0; i < 2; ++i) {
    closed = false;
    auto reply = fetch(*origin, {.method = http::Method::kPost, .method_text = "POST", .path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(body(*reply), "hello");
    EXPECT_TRUE(test.until([&] { return closed.load(); }));
    *reply = Reply();
  }
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpOriginTest, DoesNotKeepAConnectionThatSaidMoreThanItsReply) {
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
    peer.read_head();
  });
  auto origin = make(http_configuration(server.port()));
  for (int i = 0; i < 2; ++i) {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(body(*reply), "ok");
  }
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpOriginTest, TellsRefusalSilenceAndGarbageApart) {
  TestServer server([&](Peer& peer, int n) {
    peer.read_head();
    if (n == 0) peer.write("SSH-2.0-OpenSSH\r\n\r\n");
    if (n == 1) peer.write("HTTP/1.1 200 OK\r\nConte");
    if (n == 2) peer.write("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'));
    if (n == 4) peer.reset();
    if (n == 5) peer.ended();  // says nothing until the gateway gives up
  });
  auto c = http_configuration(server.port());
  std::get<config::HttpOrigin>(c.kind).timeouts.first_byte = base::Millis(80);
  auto origin = make(c);
  EXPECT_EQ(fetch(*origin, {.path = "/"}).error().code, Code::kOriginBadReply);
  EXPECT_EQ(fetch(*origin, {.path = "/"}).error().code, Code::kOriginBadReply);
  EXPECT_EQ(fetch(*origin, {.path = "/"}).error().code, Code::kOriginBadReply);
  EXPECT_EQ(fetch(*origin, {.path = "/"}).error().code, Code::kOriginRefused);
  EXPECT_EQ(fetch(*origin, {.path = "/"}).error().code, Code::kOriginRefused);
  EXPECT_EQ(fetch(*origin, {.path = "/"}).error().code, Code::kOriginTimeout);
  EXPECT_EQ(origin->stats()->failed.read(), 6u);

  auto nobody = make(http_configuration(1));
  EXPECT_EQ(fetch(*nobody, {.path = "/"}).error().code, Code::kOriginRefused);
}

net::Task<> request_later(net::Loop& loop, net::Cancel& cancel) {
  net::Event pause(loop);
  co_await pause.wait(loop.now() + base::Millis(20));
  cancel.request();
}

TEST_F(HttpOriginTest, ACancelledFetchEndsAndClosesItsConnection) {
  std::atomic<bool> ended = false;
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    ended = peer.ended();
  });
  auto origin = make(http_configuration(server.port()));
  net::Cancel cancel;
  test.scope.spawn(request_later(test.loop, cancel));
  EXPECT_EQ(fetch(*origin, {.path = "/"}, &cancel).error().code, Code::kCancelled);
  EXPECT_TRUE(test.until([&] { return ended.load(); }));
  EXPECT_EQ(origin->stats()->failed.read(), 0u);
}

TEST_F(HttpOriginTest, AStalledBodyTimesOutAndASlowOneDoesNot) {
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    for (int i = 0; i < 4; ++i) {
      ::poll(nullptr, 0, 60);
      peer.write("x");
    }
    peer.ended();
  });
  auto c = http_configuration(server.port());
  std::get<config::HttpOrigin>(c.kind).timeouts.idle = base::Millis(150);
  auto origin = make(c);
  auto reply = fetch(*origin, {.path = "/"});
  ASSERT_TRUE(reply);
  char buffer[16];
  std::size_t got = 0;
  for (;;) {
    const auto n = test.await(reply->read(buffer, nullptr));
    if (!n) {
      EXPECT_EQ(n.error().code, Code::kOriginTimeout);
      break;
    }
    got += *n;
  }
  EXPECT_EQ(got, 4u);
}

TEST_F(HttpOriginTest, ClosesIdleConnectionsWhenTheirTimeHasCome) {
  std::atomic<bool> ended = false;
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write(kHello);
    ended = peer.ended();
  });
  auto c = http_configuration(server.port());
  std::get<config::HttpOrigin>(c.kind).pool.idle_timeout = base::Millis(50);
  auto origin = make(c);
  {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(body(*reply), "hello");
  }
  EXPECT_EQ(origin->stats()->idle.read(), 1);
  EXPECT_TRUE(test.until([&] { return ended.load(); }));
  EXPECT_EQ(origin->stats()->idle.read(), 0);
}

TEST_F(HttpOriginTest, ABodyOfKnownLengthCanBeSpliced) {
  TestServer server(always(kHello));
  auto origin = make(http_configuration(server.port()));
  auto reply = fetch(*origin, {.path = "/"});
  ASSERT_TRUE(reply);
  ASSERT_NE(reply->spliceable(), nullptr);
  EXPECT_EQ(reply->left(), 5u);
  const std::size_t n = reply->buffered().size();
  EXPECT_TRUE(std::string_view("hello").starts_with(reply->buffered()));
  reply->consume_buffered(n);
  EXPECT_EQ(reply->left(), 5 - n);
  char rest[8];
  ASSERT_EQ(::recv(reply->spliceable() ? reply->spliceable()->fd() : -1, rest, 5 - n, MSG_WAITALL) < 0,
            n == 5);
  reply->relayed(5 - n);
  EXPECT_EQ(reply->spliceable(), nullptr);
  *reply = Reply();
  EXPECT_EQ(origin->stats()->idle.read(), 1);
}

TEST_F(HttpOriginTest, HeadAndNotModifiedHaveNoBody) {
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    peer.read_head();
    peer.write("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n");
  });
  auto origin = make(http_configuration(server.port()));
  {
    auto reply = fetch(*origin, {.method = http::Method::kHead, .method_text = "HEAD", .path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->length(), 0u);
    EXPECT_EQ(reply->head().content_length, 5u);
    EXPECT_EQ(body(*reply), "");
  }
  auto reply = fetch(*origin, {.path = "/"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status(), 304);
  EXPECT_EQ(body(*reply), "");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpOriginTest, KeepsNoConnectionWhereNoneIsAllowed) {
  TestServer server(always(kHello));
  auto c = http_configuration(server.port());
  std::get<config::HttpOrigin>(c.kind).pool.idle = 0;
  auto origin = make(c);
  for (int i = 0; i < 2; ++i) {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply);
    EXPECT_EQ(body(*reply), "hello");
  }
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpOriginTest, SpeaksTlsAndKeepsTheConnection) {
  const net::testing::TestCertificate certificate("DNS:api.example");
  std::string server_name;
  TestServer server([&](Peer& peer, int) {
    net::testing::TlsPeer tls(peer, certificate);
    server_name = tls.server_name();
    while (!tls.read_head().empty()) tls.write(kHello);
  });
  auto c = http_configuration(server.port());
  auto& options = std::get<config::HttpOrigin>(c.kind);
  options.url.tls = true;
  options.tls.ca_file = certificate.file();
  options.tls.server_name = "api.example";
  auto origin = make(c);
  for (int i = 0; i < 3; ++i) {
    auto reply = fetch(*origin, {.path = "/"});
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(reply->spliceable(), nullptr);
    EXPECT_EQ(body(*reply), "hello");
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server_name, "api.example");
  origin.reset();

  options.tls.server_name = "other.example";
  origin = make(c);
  EXPECT_EQ(fetch(*origin, {.path = "/"}).error().code, Code::kOriginBadReply);
  EXPECT_EQ(test.await(origin->probe(nullptr)).error().code, Code::kOriginBadReply);
  options.tls.ca_file = "/nonexistent.pem";
  EXPECT_THROW(make(c), std::runtime_error);
}

TEST_F(HttpOriginTest, ProbeTellsWhetherTheOriginCanBeReached) {
  std::uint16_t port = 0;
  {
    TestServer server([](Peer& peer, int) { peer.ended(); });
    port = server.port();
    auto origin = make(http_configuration(port));
    EXPECT_TRUE(test.await(origin->probe(nullptr)));
  }
  auto origin = make(http_configuration(port));
  EXPECT_EQ(test.await(origin->probe(nullptr)).error().code, Code::kOriginRefused);
}

}  // namespace
}  // namespace origin
