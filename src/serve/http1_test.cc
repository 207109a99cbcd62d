// What HTTP/1.1 makes of the verbs of a reply, byte for byte, over a pair of sockets.
#include "serve/http1.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/proxy_protocol.h"
#include "net/testing.h"
#include "serve/session.h"

namespace serve {
namespace {

using base::Code;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kGet10 = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

// What a guest does with a request; false: the reply broke off.
using Script = std::function<net::Task<bool>(Downstream, Request&, Out&)>;

struct Guest {
  Guest(Shared& shared, int fd, Opening opening, Terms t, const Script& s)
      : http(shared, fd, net::Endpoint::parse("192.0.2.1", 7).value_or(net::Endpoint{}), opening),
        limits(t),
        script(s) {}

  Http1& session() { return http; }
  Request& open_request() { return request; }
  void close() {}
  void next() { request.clear(); }
  const Terms& terms() const { return limits; }
  bool step(Downstream) { return false; }
  net::Task<> rest(Downstream down) { whole = co_await script(down, request, out); }
  bool ended() const { return whole; }

  Http1 http;
  Terms limits;
  const Script& script;
  Request request;
  Out out;
  bool whole = true;
};

// The fixture keeps a script for as long as its session.
// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines)

class Http1Test : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }
  ~Http1Test() override {
    leave();
    test.await(sessions.drained());
  }

  // A session that answers as `script` says, and the client's end of its socket.
  Http1& open(Script s, Opening opening = Opening::kRequest) {
    script = std::move(s);
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    client = ends[0];
    const int little = 4096;  // so that what a client does not read is soon too much
    ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    auto guest = std::make_unique<Guest>(shared, ends[1], opening, terms, script);
    Http1& http = guest->http;
    sessions.spawn(run(std::move(guest)));
    return http;
  }
  void say(std::string_view bytes) {
    EXPECT_EQ(::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // All that has come, once it ends with `end`, or the connection has ended ("").
  std::string hear(std::string_view end = "") {
    EXPECT_TRUE(test.until([&] {
      take();
      return ended || (!end.empty() && heard.ends_with(end));
    })) << heard;
    return std::exchange(heard, {});
  }
  void take() {
    char bytes[4096];
    ssize_t n;
    while ((n = ::recv(client, bytes, sizeof bytes, 0)) > 0) heard.append(bytes, static_cast<std::size_t>(n));
    if (n == 0 || errno == ECONNRESET) ended = true;
  }
  void leave() {
    if (client >= 0) ::close(std::exchange(client, -1));
  }

  static net::Task<bool> answer(Downstream down, Out& out, std::string_view body) {
    out.begin();
    const iovec part{const_cast<char*>(body.data()), body.size()};
    const Begun begun = down.begin(out, {.length = body.size()}, std::span(&part, 1));
    if (begun.sent == Sent::kGone || !co_await down.send(body.substr(begun.body))) co_return false;
    co_return (co_await down.finish()).has_value();
  }
  // What each request asked for is its answer.
  static net::Task<bool> echo(Downstream down, Request& request, Out& out) {
    co_return co_await answer(down, out,
                              request.parsed ? request.head.target : std::string_view(request.refused.text));
  }

  net::testing::TestLoop test;
  net::PipePool pipes;
  Shared shared{.loop = test.loop, .pipes = &pipes};
  net::Scope sessions{test.loop};
  Terms terms;
  Script script;
  int client = -1;
  std::string heard;
  bool ended = false;
};

TEST_F(Http1Test, PutsAStatusLineInFrontAndFramesBehind) {
  open([](Downstream down, Request&, Out& out) -> net::Task<bool> {
    out.begin() = std::string(Out::kHeadroom, '\0') + "A: 1\r\n";
    down.begin(out, {.status = 404, .length = 7, .fields = "B: 2\r\n"});
    co_return (co_await down.send("missing")).has_value() && (co_await down.finish()).has_value();
  });
  say(kGet);
  EXPECT_EQ(hear("missing"), "HTTP/1.1 404 Not Found\r\nA: 1\r\nB: 2\r\nContent-Length: 7\r\n\r\nmissing");
}

TEST_F(Http1Test, SaysALongestReasonWithinTheHeadroom) {
  open([](Downstream down, Request&, Out& out) -> net::Task<bool> {
    out.begin();
    down.begin(out, {.status = 431, .length = 0});
    co_return (co_await down.finish()).has_value();
  });
  say(kGet);
  EXPECT_EQ(hear("\r\n\r\n"), "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(Http1Test, SendsATailAsItIsKept) {
  open([](Downstream down, Request&, Out& out) -> net::Task<bool> {
    out.begin();
    down.begin(out, {.length = 2, .fields = "not used", .tail = "E: \"x\"\r\nContent-Length: 2\r\n\r\nab"});
    co_return (co_await down.finish()).has_value();
  });
  say(kGet);
  EXPECT_EQ(hear("ab"), "HTTP/1.1 200 OK\r\nE: \"x\"\r\nContent-Length: 2\r\n\r\nab");
}

TEST_F(Http1Test, ChunksWhatStreamsAndEndsItWithItsTrailers) {
  open([](Downstream down, Request&, Out& out) -> net::Task<bool> {
    out.begin();
    down.begin(out, {.streams = true});
    for (const std::string_view piece : {"abc", "", "0123456789abcdef"})
      if (!co_await down.send(piece)) co_return false;
    co_return (co_await down.finish("Sum: 1\r\n")).has_value();
  });
  say(kGet);
  EXPECT_EQ(hear("\r\n\r\n").substr(0, 47), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  say(kGet);
  EXPECT_THAT(hear("Sum: 1\r\n\r\n"),
              EndsWith("\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nSum: 1\r\n\r\n"));
}

TEST_F(Http1Test, ForAClientOf10TheEndIsTheEnd) {
  open([](Downstream down, Request&, Out& out) -> net::Task<bool> {
    out.begin();
    down.begin(out, {.streams = true});
    co_return (co_await down.send("abc")).has_value() && (co_await down.finish("Sum: 1\r\n")).has_value();
  });
  say(kGet10);
  EXPECT_EQ(hear(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
}

TEST_F(Http1Test, SaysToAClientOf10ThatItStays) {
  open(echo);
  say(kGet10);
  EXPECT_EQ(hear("\r\n\r\n/"), "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n/");
}

TEST_F(Http1Test, LosesNothingOfAReplyThatAClientTakesSlowly) {
  std::string body(300'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  body.back() = '.';
  open([&body](Downstream down, Request&, Out& out) { return answer(down, out, body); });
  say(kGet);
  EXPECT_EQ(hear("."), "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body);
}

// A socket that is full takes not even the head: it goes out with the first byte of the body.
TEST_F(Http1Test, SendsAHeadThatDidNotFitBeforeTheBody) {
  std::string fields(200'000, 'f');
  fields = "F: " + fields + "\r\n";
  open([&fields](Downstream down, Request&, Out& out) -> net::Task<bool> {
    out.begin();
    const Begun begun = down.begin(out, {.length = 3, .fields = fields});
    EXPECT_EQ(begun.sent, Sent::kAgain);
    EXPECT_EQ(begun.body, 0U);
    co_return (co_await down.send("abc")).has_value() && (co_await down.finish()).has_value();
  });
  say(kGet);
  EXPECT_EQ(hear("\r\n\r\nabc"), "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: 3\r\n\r\nabc");
}

TEST_F(Http1Test, SendsAPartOfAFile) {
  const int file = ::memfd_create("part", MFD_CLOEXEC);
  const std::string content = std::string(200'002, 'x') + ".and more that is not wanted";
  ASSERT_EQ(::write(file, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  std::vector<Code> failed;
  open([&](Downstream down, Request& request, Out& out) -> net::Task<bool> {
    const bool beyond = request.head.target == "/beyond";
    out.begin();
    down.begin(out, {.length = beyond ? 300'000 : 200'000});
    const auto done = co_await down.send_file(file, beyond ? 0 : 3, beyond ? 300'000 : 200'000);
    if (!done) failed.push_back(done.error().code);
    co_return done.has_value();
  });
  say(kGet);
  EXPECT_THAT(hear("."), EndsWith("\r\n\r\n" + content.substr(3, 200'000)));
  say("GET /beyond HTTP/1.1\r\nHost: a\r\n\r\n");  // shorter than it was when the head was made
  hear();
  EXPECT_THAT(failed, ElementsAre(Code::kOriginBadReply));
  ::close(file);
}

TEST_F(Http1Test, SaysInterimRepliesBeforeTheFinalOne) {
  open([](Downstream down, Request& request, Out& out) -> net::Task<bool> {
    down.interim("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    co_return co_await echo(down, request, out);
  });
  say(kGet);
  EXPECT_EQ(hear("\r\n\r\n/"),
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n/");
}

TEST_F(Http1Test, RelaysExactlySoMuchOfAnotherStream) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  net::Stream from(test.loop, ends[0]);
  net::testing::Peer origin(ends[1]);
  origin.write("bodyREST");
  open([&](Downstream down, Request& request, Out& out) -> net::Task<bool> {
    out.begin();
    down.begin(out, {.length = 4});
    Downstream::Relay relay{.from = from, .length = 4, .idle = base::Seconds(5), .cancel = &request.gone};
    const auto sent = co_await down.relay(relay);
    EXPECT_TRUE(sent && *sent == Sent::kAll);
    EXPECT_EQ(relay.moved.bytes, 4U);
    co_return (co_await down.finish()).has_value();
  });
  say(kGet);
  EXPECT_EQ(hear("\r\n\r\nbody"), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
  char rest[8];
  EXPECT_EQ(from.try_read(rest), 4);
}

TEST_F(Http1Test, CutsAReplyThatBrokeOff) {
  open([](Downstream down, Request&, Out& out) -> net::Task<bool> {
    out.begin();
    down.begin(out, {.length = 9});
    co_return (co_await down.send("abc")).has_value() && false;
  });
  say(kGet);
  say(kGet);
  EXPECT_EQ(hear(), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");  // and no second reply
}

TEST_F(Http1Test, TellsTheGuestThatItsClientHasLeft) {
  bool told = false;
  open([&](Downstream, Request& request, Out&) -> net::Task<bool> {
    net::Event event(test.loop);
    const net::CancelLink link(&request.gone, event);
    told = co_await event.wait(test.loop.now() + base::Seconds(9)) == net::Wake::kCancelled;
    co_return false;
  });
  say(kGet);
  leave();
  EXPECT_TRUE(test.until([&] { return told; }));
}

TEST_F(Http1Test, EndsAClientThatTakesNothingWithinItsTime) {
  terms.write = base::Millis(40);
  Code why{};
  const std::string body(1 << 20, 'x');
  open([&](Downstream down, Request&, Out& out) -> net::Task<bool> {
    out.begin();
    down.begin(out, {.length = body.size()});
    const auto done = co_await down.send(body);
    why = done ? Code{} : done.error().code;
    co_return false;
  });
  say(kGet);
  EXPECT_TRUE(test.until([&] { return why == Code::kClientGone; }));
}

// ---- who may stay

TEST_F(Http1Test, AtDrainTheReplyThatIsNextIsTheLast) {
  open(echo);
  say(kGet);
  EXPECT_THAT(hear("\r\n\r\n/"), StartsWith("HTTP/1.1 200 OK\r\nContent-Length"));
  shared.draining = true;
  say(kGet);
  EXPECT_EQ(hear(), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n/");
}

TEST_F(Http1Test, RestsBetweenRequestsAndNotWhileOneArrives) {
  Http1& http = open(echo);
  say(kGet);
  hear("\r\n\r\n/");
  EXPECT_TRUE(test.until([&] { return http.rests_since() != base::Mono::max(); }));
  say("GET /");
  EXPECT_TRUE(test.until([&] { return http.rests_since() == base::Mono::max(); }));
  say(" HTTP/1.1\r\nHost: a\r\n\r\n");
  hear("\r\n\r\n/");
  EXPECT_TRUE(test.until([&] { return http.rests_since() != base::Mono::max(); }));
  http.evict();
  EXPECT_EQ(hear(), "");
}

TEST_F(Http1Test, AHeadThatDripsIsRefusedInTime) {
  terms.head_patience = base::Millis(40);
  open(echo);
  say("GET / HT");
  EXPECT_THAT(hear(), EndsWith("the request head did not arrive in time"));
}

TEST_F(Http1Test, WhoSaysNothingIsLeftWithoutAWord) {
  terms.idle = base::Millis(40);
  open(echo);
  say(kGet);
  EXPECT_THAT(hear(), EndsWith("\r\n\r\n/"));
}

TEST_F(Http1Test, ReadsAHeadLargerThanTheFirstBuffer) {
  terms.head.head = terms.head.target = 32 << 10;
  open(echo);
  const std::string target = "/" + std::string(12'000, 't');
  say("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(hear("\r\n\r\n/2"), ::testing::HasSubstr("\r\n\r\n" + target));
}

// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)

// ---- in front of the first request

std::string proxy_header(std::size_t padding) {
  std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11", 14);
  const std::size_t length = 12 + (padding ? 3 + padding : 0);
  header += {static_cast<char>(length >> 8), static_cast<char>(length & 0xff)};
  header.append("\xc6\x33\x64\x07\x7f\x00\x00\x01\x12\x34\x00\x50", 12);  // 198.51.100.7:4660
  if (padding) {                                                          // a TLV of type NOOP
    header += {'\x04', static_cast<char>(padding >> 8), static_cast<char>(padding & 0xff)};
    header.append(padding, '\0');
  }
  return header;
}

TEST_F(Http1Test, BelievesAProxysHeaderAndReadsOnBehindIt) {
  Http1& http = open(echo, Opening::kProxyHeader);
  say(proxy_header(0) + std::string(kGet));
  EXPECT_THAT(hear("\r\n\r\n/"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(http.peer().text, "198.51.100.7");
}

// It makes the buffer larger than any head may be, and a head behind it must not make it smaller.
TEST_F(Http1Test, ReadsAHeadBehindALargestProxyHeader) {
  terms.head.head = terms.head.target = 16 << 10;
  Http1& http = open(echo, Opening::kProxyHeader);
  const std::string all = proxy_header(http::kProxyHeaderMax - 31) + "GET /" + std::string(14'000, 't') +
                          " HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t at = 0; at < all.size(); test.turn()) {
    const ssize_t n = ::send(client, all.data() + at, all.size() - at, MSG_NOSIGNAL);
    if (n > 0) at += static_cast<std::size_t>(n);
  }
  EXPECT_THAT(hear(std::string(14'000, 't')), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(http.peer().text, "198.51.100.7");
}

TEST_F(Http1Test, LeavesWhoSpeaksNoProxyHeaderWithoutAnAnswer) {
  telemetry::PerEnum<telemetry::Refusal, telemetry::Counter> refusals;
  shared.refusals = &refusals;
  open(echo, Opening::kProxyHeader);
  say(kGet);
  EXPECT_EQ(hear(), "");
  EXPECT_EQ(refusals[telemetry::Refusal::kProxyHeader].read(), 1U);
}

}  // namespace
}  // namespace serve
