// What a session owes to HTTP/1.1 alone (RFC 9112): pipelining, framing, `100 Continue`, who closes and how.
#include <gmock/gmock.h>

#include <atomic>

#include "gateway/session_testing.h"

namespace gateway {
namespace {

using net::testing::Peer;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing_support::Answer;
using testing_support::Http1Client;

// Answers each request with its path.
void echo(Peer& peer, int) {
  for (std::string head; !(head = peer.read_head()).empty();) {
    const std::string path = head.substr(head.find(' ') + 1, head.find(" HTTP/") - head.find(' ') - 1);
    const std::size_t length = head.find("Content-Length: ");
    if (length != head.npos) peer.read(std::stoul(head.substr(length + 16)));
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" + path);
  }
}

class SessionHttp1 : public testing_support::SessionTest {
 protected:
  Answer say(Http1Client& client, std::string_view bytes, std::string method = "GET") {
    client.expects(std::move(method));
    client.send(bytes);
    return answer_to(client);
  }
  bool closed(Http1Client& client) {
    return until([&] { return !client.answer() && client.ended(); });
  }
};

TEST_F(SessionHttp1, AnswersPipelinedRequestsInTheirOrder) {
  Server server(*this, echo);
  configure_origin(server.port());
  Http1Client client(connect());
  std::string all;
  for (int i = 0; i < 10; ++i) {
    all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    client.expects("GET");
  }
  client.send(all);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(answer_to(client).body, "/" + std::to_string(i));
}

TEST_F(SessionHttp1, FindsTheNextRequestBehindABody) {
  Server server(*this, echo);
  configure_origin(server.port());
  Http1Client client(connect());
  client.expects("POST");
  EXPECT_EQ(say(client,
                "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
                "GET /two HTTP/1.1\r\nHost: a\r\n\r\n")
                .body,
            "/one");
  EXPECT_EQ(answer_to(client).body, "/two");
}

TEST_F(SessionHttp1, ReadsAHeadByteForByte) {
  Server server(*this, echo);
  configure_origin(server.port());
  Http1Client client(connect());
  for (const char c : std::string_view("GET /slow HTTP/1.1\r\nHost: a\r\n\r")) {
    client.send({&c, 1});
    EXPECT_TRUE(until([] { return true; }));
    EXPECT_FALSE(client.answer());
  }
  EXPECT_EQ(say(client, "\n").body, "/slow");
}

TEST_F(SessionHttp1, SaysContinueWhenTheBodyIsWantedAndNotBefore) {
  Server server(*this, echo);
  configure_origin(server.port());
  Http1Client client(connect());
  client.expects("POST");
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(until([&] { return client.answer() || client.interim() == 1; }));
  ASSERT_EQ(client.interim(), 1);
  client.send("body");
  EXPECT_EQ(answer_to(client).body, "/x");
}

TEST_F(SessionHttp1, SaysNoContinueToWhatItRefuses) {
  configure("origins: { files: { type: dir, path: /tmp } }\nroutes: [ { path: /, origin: files } ]\n");
  Http1Client client(connect());
  EXPECT_EQ(
      say(client, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", "PUT")
          .status,
      405);
  EXPECT_EQ(client.interim(), 0);
}

TEST_F(SessionHttp1, ClosesWhenItIsAskedTo) {
  Server server(*this, echo);
  configure_origin(server.port());
  Http1Client client(connect());
  const Answer got = say(client, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(got.field("Connection"), "close");
  EXPECT_TRUE(closed(client));
}

TEST_F(SessionHttp1, KeepsAConnectionOf10OnlyWhenItIsAskedTo) {
  Server server(*this, echo);
  configure_origin(server.port());
  Http1Client client(connect());
  EXPECT_EQ(say(client, "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").field("Connection"),
            "keep-alive");
  EXPECT_EQ(say(client, "GET /y HTTP/1.0\r\n\r\n").body, "/y");
  EXPECT_TRUE(closed(client));
}

TEST_F(SessionHttp1, EndsABodyOfUnknownLengthFor10ByClosing) {
  Server server(*this, [](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  });
  configure_origin(server.port());
  Http1Client client(connect());
  const Answer got = say(client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(got.field("Transfer-Encoding"), "");
  EXPECT_EQ(got.body, "abc");
  EXPECT_TRUE(closed(client));
}

TEST_F(SessionHttp1, ChunksABodyThatItsOriginEndsByClosing) {
  Server server(*this, [](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\n\r\nabc");
  });
  configure_origin(server.port());
  Http1Client client(connect());
  const Answer got = say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(got.field("Transfer-Encoding"), "chunked");
  EXPECT_EQ(got.body, "abc");
  EXPECT_TRUE(got.whole);
}

TEST_F(SessionHttp1, RefusesWhatTwoReadersCouldTakeForTwoThings) {
  Server server(*this, echo);
  configure_origin(server.port());
  for (const std::string_view bytes :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"}) {
    Http1Client client(connect());
    const Answer got = say(client, bytes);
    EXPECT_EQ(got.status, 400) << bytes;
    EXPECT_EQ(got.field("Connection"), "close");
    EXPECT_TRUE(closed(client)) << "nobody knows where the next request begins";
  }
}

TEST_F(SessionHttp1, ReadsABodyOnForAWhileAfterItsRefusalSoThatTheAnswerArrives) {
  configure("origins: { files: { type: dir, path: /tmp } }\nroutes: [ { path: /, origin: files } ]\n");
  Http1Client client(connect());
  client.expects("PUT");
  client.send("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
  for (int i = 0; i < 8; ++i) client.send(chunk);
  const Answer got = answer_to(client);
  EXPECT_EQ(got.status, 405);
  EXPECT_TRUE(got.whole);
}

TEST_F(SessionHttp1, AnswersAClientThatHasSaidAllItWanted) {
  Server server(*this, echo);
  configure_origin(server.port());
  const int fd = connect();
  Http1Client client(fd);
  client.expects("GET");
  client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(answer_to(client).body, "/x");
  ::shutdown(fd, SHUT_WR);
  EXPECT_TRUE(closed(client));
  EXPECT_TRUE(until([&] { return open_connections() == 0; }));
}

}  // namespace
}  // namespace gateway
