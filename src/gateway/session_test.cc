// A request's whole way, from a client's bytes to the reply's, as it is over every protocol. On real sockets
// and with real origins stands the same in tests/test_http1.py, tests/test_dir.py and
// tests/test_http_origin.py.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

#include "gateway/session_testing.h"

namespace gateway {
namespace {

using net::testing::Peer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing_support::Answer;
using testing_support::Ask;
using testing_support::Client;
using testing_support::Protocol;

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + i * 7919 / 64 % 26);
  return out;
}

class Session : public testing_support::SessionTest, public ::testing::WithParamInterface<Protocol> {
 protected:
  std::unique_ptr<Client> client() { return GetParam().client(connect()); }
  Answer ask(Client& client, const Ask& what) {
    client.ask(what);
    return answer_to(client);
  }
};

class Folder : public Session {
 protected:
  void SetUp() override {
    char name[] = "/tmp/session_test.XXXXXX";
    dir_ = ::mkdtemp(name);
    std::ofstream(dir_ + "/ten") << "0123456789";
    std::ofstream(dir_ + "/large") << pattern(3 << 20);
    configure("origins: { files: { type: dir, path: " + dir_ +
              " } }\nroutes: [ { path: /, origin: files } ]\n");
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_;
};

TEST_P(Folder, GivesAnObjectAndOfHeadItsFieldsAlone) {
  const auto one = client();
  const Answer got = ask(*one, {.target = "/ten"});
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "0123456789");
  EXPECT_TRUE(got.whole);
  EXPECT_NE(got.field("X-Request-Id"), "");
  const Answer head = ask(*one, {.method = "HEAD", .target = "/ten"});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  for (const char* name : {"Content-Length", "ETag", "Last-Modified", "Content-Type", "Accept-Ranges"})
    EXPECT_EQ(head.field(name), got.field(name)) << name;
}

TEST_P(Folder, GivesALargeObjectAtThePaceOfItsReader) {
  const auto one = client();
  const Answer got = ask(*one, {.target = "/large"});
  EXPECT_TRUE(got.whole);
  EXPECT_EQ(got.body, pattern(3 << 20));
}

TEST_P(Folder, GivesAPartSeveralPartsOrSaysThatThereIsNone) {
  const auto one = client();
  const Answer part = ask(*one, {.target = "/ten", .fields = {{"Range", "bytes=2-4"}}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.field("Content-Range"), "bytes 2-4/10");
  const Answer parts = ask(*one, {.target = "/ten", .fields = {{"Range", "bytes=0-0,-1"}}});
  EXPECT_EQ(parts.status, 206);
  EXPECT_THAT(parts.field("Content-Type"), StartsWith("multipart/byteranges"));
  EXPECT_THAT(parts.body, AllOf(HasSubstr("\r\n\r\n0\r\n"), HasSubstr("\r\n\r\n9\r\n")));
  const Answer none = ask(*one, {.target = "/ten", .fields = {{"Range", "bytes=10-"}}});
  EXPECT_EQ(none.status, 416);
  EXPECT_EQ(none.field("Content-Range"), "bytes */10");
}

TEST_P(Folder, AnswersConditions) {
  const auto one = client();
  const Answer got = ask(*one, {.target = "/ten"});
  const Answer same = ask(*one, {.target = "/ten", .fields = {{"If-None-Match", got.field("ETag")}}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(ask(*one, {.target = "/ten", .fields = {{"If-Match", "\"other\""}}}).status, 412);
}

TEST_P(Folder, SaysWhatIsNotThereAsAProblem) {
  const auto one = client();
  const Answer got = ask(*one, {.target = "/nothing"});
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(got.field("Content-Type"), "application/problem+json");
  EXPECT_THAT(got.body, HasSubstr(got.field("X-Request-Id")));
}

TEST_P(Folder, RefusesAnUploadBeforeItsBodyHasCome) {
  const auto one = client();
  const Answer got = ask(*one, {.method = "PUT", .target = "/ten", .has_body = true, .length = 1 << 20});
  EXPECT_EQ(got.status, 405);
  EXPECT_TRUE(got.whole);
  EXPECT_THAT(got.field("Allow"), HasSubstr("GET"));
}

// ---- in front of a server

TEST_P(Session, SendsAnUploadOnAsItComesAndTheReplyBack) {
  std::promise<std::pair<std::string, std::string>> heard;  // from the origin's thread
  Server server(*this, [&](Peer& peer, int) {
    std::string head = peer.read_head();
    heard.set_value({std::move(head), peer.read(300'000)});
    peer.write("HTTP/1.1 201 Created\r\nContent-Length: 4\r\nX-Own: 1\r\n\r\ndone");
  });
  configure_origin(server.port());
  const auto one = client();
  const std::string sent = pattern(300'000);
  one->ask({.method = "POST", .target = "/a?b=c", .has_body = true, .length = sent.size()});
  for (std::size_t at = 0; at < sent.size(); at += 100'000) one->body(sent.substr(at, 100'000));
  one->end_body();
  const Answer got = answer_to(*one);
  EXPECT_EQ(got.status, 201);
  EXPECT_EQ(got.body, "done");
  EXPECT_EQ(got.field("X-Own"), "1");
  const auto [head, body] = heard.get_future().get();
  EXPECT_THAT(head, AllOf(StartsWith("POST /a?b=c HTTP/1.1\r\n"), HasSubstr("Content-Length: 300000\r\n"),
                          HasSubstr("X-Forwarded-For: 192.0.2.7\r\n")));
  EXPECT_EQ(body, sent);
}

TEST_P(Session, SendsOnBodiesWhoseLengthNobodyKnows) {
  std::promise<std::pair<std::string, std::string>> heard;
  Server server(*this, [&](Peer& peer, int) {
    std::string head = peer.read_head();
    heard.set_value(
        {std::move(head), peer.read(std::string_view("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").size())});
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n1\r\nz\r\n0\r\n\r\n");
  });
  configure_origin(server.port());
  const auto one = client();
  one->ask({.method = "POST", .has_body = true});
  one->body("abc");
  ASSERT_TRUE(until([&] { return open_connections() == 1; }));
  one->body("de");
  one->end_body();
  const Answer got = answer_to(*one);
  EXPECT_TRUE(got.whole);
  EXPECT_EQ(got.body, "xyz");
  const auto [head, body] = heard.get_future().get();
  EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(body, AllOf(StartsWith("3\r\nabc"), ::testing::EndsWith("0\r\n\r\n")));
}

TEST_P(Session, RelaysALargeReplyByteForByte) {
  const std::string large = pattern(5 << 20);
  Server server(*this, [&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large);
  });
  configure_origin(server.port());
  const auto one = client();
  EXPECT_EQ(ask(*one, {}).body, large);
}

TEST_P(Session, NeverMakesABrokenReplyLookWhole) {
  Server server(*this, [&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  });
  configure_origin(server.port());
  const auto one = client();
  const Answer got = ask(*one, {});
  EXPECT_EQ(got.status, 200);
  EXPECT_FALSE(got.whole);
}

TEST_P(Session, StopsAskingWhenTheClientHasGone) {
  std::atomic<bool> asked{false}, let_go{false};
  Server server(*this, [&](Peer& peer, int) {
    peer.read_head();
    asked = true;
    let_go = peer.ended();
  });
  configure_origin(server.port());
  auto one = client();
  one->ask({});
  ASSERT_TRUE(until([&] { return asked.load(); }));
  one->leave();
  EXPECT_TRUE(until([&] { return let_go && open_connections() == 0; }));
}

TEST_P(Session, StopsAnUploadWhoseClientHasGone) {
  std::atomic<bool> begun{false}, let_go{false};
  Server server(*this, [&](Peer& peer, int) {
    peer.read_head();
    begun = peer.read(3) == "abc";
    let_go = peer.ended();
  });
  configure_origin(server.port());
  auto one = client();
  one->ask({.method = "POST", .has_body = true, .length = 1000});
  one->body("abc");
  ASSERT_TRUE(until([&] { return begun.load(); }));
  one->leave();
  EXPECT_TRUE(until([&] { return let_go && open_connections() == 0; }));
}

TEST_P(Session, StopsAReplyThatNobodyReadsAnyMore) {
  std::atomic<bool> let_go{false};
  Server server(*this, [&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const std::string block(65536, 'x');
    while (peer.write(block)) {
    }
    let_go = true;
  });
  configure_origin(server.port());
  auto one = client();
  one->ask({});
  ASSERT_TRUE(until([&] { return open_connections() == 1; }));
  one->leave();
  EXPECT_TRUE(until([&] { return let_go && open_connections() == 0; }));
}

TEST_P(Session, AsksTheOriginOnceForWhatMayBeStored) {
  std::atomic<int> asked{0};
  Server server(*this, [&](Peer& peer, int) {
    while (!peer.read_head().empty()) {
      ++asked;
      peer.write("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\nhello");
    }
  });
  configure_origin(server.port());
  const auto one = client();
  EXPECT_THAT(ask(*one, {}).field("Cache-Status"), HasSubstr("fwd=miss"));
  const Answer hit = ask(*one, {});
  EXPECT_THAT(hit.field("Cache-Status"), HasSubstr("; hit"));
  EXPECT_EQ(hit.body, "hello");
  EXPECT_EQ(ask(*one, {.fields = {{"Range", "bytes=1-2"}}}).body, "el");
  const Answer head = ask(*one, {.method = "HEAD"});
  EXPECT_EQ(head.field("Content-Length"), "5");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(asked, 1);
}

TEST_P(Session, DeniesBeforeAnybodyIsAsked) {
  std::atomic<int> connections{0};
  Server server(*this, [&](Peer&, int) { ++connections; });
  configure_origin(server.port(), "identity: staff", R"(
identities:
  staff: { type: jwt, issuer: "https://id.test", audience: sekisho, algorithms: HS256, keys: { inline: "${SECRET}" } })");
  const auto one = client();
  const Answer got = ask(*one, {});
  EXPECT_EQ(got.status, 401);
  EXPECT_THAT(got.field("WWW-Authenticate"), StartsWith("Bearer"));
  EXPECT_EQ(ask(*one, {.fields = {{"Authorization", "Bearer a.b.c"}}}).status, 401);
  EXPECT_EQ(connections, 0);
}

TEST_P(Session, SaysThatNothingIsServedThere) {
  configure("origins: { files: { type: dir, path: /tmp } }\nroutes: [ { path: /files/, origin: files } ]\n");
  const auto one = client();
  EXPECT_EQ(ask(*one, {.target = "/other"}).status, 404);
  EXPECT_EQ(ask(*one, {.target = "/files/..%2fetc"}).status, 400);
}

const auto kProtocols = ::testing::Values(testing_support::kHttp1);
const auto kNames = [](const auto& info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Over, Session, kProtocols, kNames);
INSTANTIATE_TEST_SUITE_P(Over, Folder, kProtocols, kNames);

}  // namespace
}  // namespace gateway
