#include "client/reply.h"

#include <gmock/gmock.h>

#include <atomic>

#include "client/testing.h"
#include "net/testing_tls.h"

namespace client {
namespace {

using base::Code;
using net::testing::Peer;
using net::testing::TestServer;
using testing::ClientTest;
using testing::kHello;

using ReplyWait = ClientTest;

TEST_F(ReplyWait, EndsWhenSomethingComesAndNotBefore) {
  std::atomic<bool> more{false}, said{false};
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (!more) ::poll(nullptr, 0, 1);
    said = true;
    peer.write("5\r\nhello\r\n");
    peer.ended();
  });
  const auto from = pool(server.port());
  auto reply = get(from);
  ASSERT_TRUE(reply);
  net::Scope scope(test.loop);
  bool woke = false;
  struct Local {
    static net::Task<> wait(Reply& r, bool& done) { done = (co_await r.wait(nullptr)).has_value(); }
  };
  scope.spawn(Local::wait(*reply, woke));
  test.turn();
  EXPECT_FALSE(woke);
  more = true;
  test.await(scope.drained());
  EXPECT_TRUE(woke && said);
  char buffer[16];
  EXPECT_EQ(test.await(reply->read(buffer, nullptr)), 5U);
}

// A read that filled its buffer does not know whether it has emptied the socket; a wait must find out.
TEST_F(ReplyWait, IsNotMisledByAReadThatTookExactlyWhatWasThere) {
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.read(1);
    peer.write("5\r\nhello\r\n");
    peer.ended();
  });
  const auto from = pool(server.port(), base::Millis(100));
  auto reply = get(from);
  ASSERT_TRUE(reply);
  EXPECT_EQ(test.await(reply->wait(nullptr)).error().code, Code::kOriginTimeout);
  net::Cancel cancel;
  cancel.request();
  EXPECT_EQ(test.await(reply->wait(&cancel)).error().code, Code::kCancelled);
}

TEST_F(ReplyWait, IsOverAtOnceForWhatIsThereForTheEndAndForAnError) {
  TestServer server([&](Peer& peer, int n) {
    peer.read_head();
    if (n == 0) {
      peer.write(kHello);
      peer.ended();
    } else {
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
      peer.close();
    }
  });
  const auto from = pool(server.port());
  auto whole = get(from);
  ASSERT_TRUE(whole);
  EXPECT_TRUE(test.await(whole->wait(nullptr)));
  EXPECT_EQ(body(*whole), "hello");
  EXPECT_TRUE(test.await(whole->wait(nullptr)));
  *whole = Reply();
  from->close_idle();
  auto cut = get(from);
  ASSERT_TRUE(cut);
  EXPECT_TRUE(test.await(cut->wait(nullptr)));
  EXPECT_EQ(body(*cut).error(), Code::kOriginBadReply);
}

TEST_F(ReplyWait, SeesWhatTlsHasReadAlready) {
  const net::testing::TestCertificate certificate("DNS:api.example");
  TestServer server([&](Peer& peer, int) {
    net::testing::TlsPeer tls(peer, certificate);
    tls.read_head();
    tls.write("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n");
    tls.write(std::string(16'000, 'x'));  // one record, read in pieces
    tls.read(1);
  });
  Remote remote{.host = "127.0.0.1",
                .port = server.port(),
                .tls = true,
                .server_name = "api.example",
                .timeouts = {},
                .pool = {},
                .addresses = {}};
  const auto from =
      base::make_ref<Pool>(test.loop, test.resolver, remote,
                           std::make_shared<const net::TlsContext>(true, certificate.file()), stats);
  auto reply = get(from);
  ASSERT_TRUE(reply);
  std::string buffer(4000, '\0');
  for (std::size_t got = 0; got < 16'000;) {
    ASSERT_TRUE(test.await(reply->wait(nullptr)));
    const auto n = test.await(reply->read(buffer, nullptr));
    ASSERT_TRUE(n);
    got += *n;
  }
  net::Cancel cancel;
  cancel.request();
  EXPECT_EQ(test.await(reply->wait(&cancel)).error().code, Code::kCancelled) << "the rest has not come";
}

}  // namespace
}  // namespace client
