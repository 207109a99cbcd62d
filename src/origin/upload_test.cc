#include <gmock/gmock.h>

#include <algorithm>

#include "client/http1.h"
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

struct Text final : net::Upload {
  explicit Text(std::string t, std::size_t piece = 1 << 20) : text(std::move(t)), step(piece) {}
  net::Task<base::Result<std::size_t>> read(std::span<char> out) override {
    ++reads;
    if (fail_with && left().empty()) co_return base::fail(*fail_with, "as told");
    const std::size_t n = std::min({out.size(), step, left().size()});
    std::ranges::copy(left().substr(0, n), out.begin());
    at += n;
    co_return n;
  }
  std::string_view left() const { return std::string_view(text).substr(at); }
  std::string text;
  std::size_t step, at = 0;
  int reads = 0;
  std::optional<Code> fail_with;
};

using UploadTest = OriginTest;

TEST_F(UploadTest, NeverRepeatsAPutWhoseBodyHasBegun) {
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
  Text upload("body");
  auto reply = fetch(*origin, {.method = http::Method::kPut,
                               .method_text = "PUT",
                               .path = "/",
                               .framing = http::Framing::kLength,
                               .content_length = 4,
                               .body = &upload});
  EXPECT_EQ(reply.error().code, Code::kOriginRefused);
}

TEST_F(UploadTest, StreamsABodyWithItsLength) {
  const std::string big(300'000, 'u');
  std::string head, got;
  TestServer server([&](Peer& peer, int) {
    head = peer.read_head();
    got = peer.read(big.size());
    peer.write(kHello);
  });
  auto origin = make(http_configuration(server.port()));
  Text upload(big, 10'000);
  auto reply = fetch(*origin, {.method = http::Method::kPost,
                               .method_text = "POST",
                               .path = "/",
                               .framing = http::Framing::kLength,
                               .content_length = big.size(),
                               .body = &upload});
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 300000\r\n"));
  EXPECT_EQ(got, big);
  EXPECT_EQ(body(*reply), "hello");
}

TEST_F(UploadTest, FramesAChunkedBodyAnew) {
  std::string head, got;
  TestServer server([&](Peer& peer, int) {
    head = peer.read_head();
    got = peer.read(8 + 8 + 7 + 5);
    peer.write(kHello);
  });
  auto origin = make(http_configuration(server.port()));
  Text upload("abcHELLO", 3);
  auto reply = fetch(*origin, {.method = http::Method::kPost,
                               .method_text = "POST",
                               .path = "/",
                               .framing = http::Framing::kChunked,
                               .body = &upload});
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_THAT(head, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_EQ(got, "3\r\nabc\r\n3\r\nHEL\r\n2\r\nLO\r\n0\r\n\r\n");
}

TEST_F(UploadTest, AnEmptyPostSaysItsLength) {
  std::string head;
  TestServer server([&](Peer& peer, int) {
    head = peer.read_head();
    peer.write(kHello);
  });
  auto origin = make(http_configuration(server.port()));
  ASSERT_TRUE(fetch(*origin, {.method = http::Method::kPost, .method_text = "POST", .path = "/"}));
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 0\r\n"));
}

TEST_F(UploadTest, AnEarlyReplyEndsTheUpload) {
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
    peer.read(1 << 20);  // until the gateway leaves
  });
  auto origin = make(http_configuration(server.port()));
  Text upload(std::string(64 << 20, 'u'));
  auto reply = fetch(*origin, {.method = http::Method::kPost,
                               .method_text = "POST",
                               .path = "/",
                               .framing = http::Framing::kLength,
                               .content_length = upload.text.size(),
                               .body = &upload});
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->status(), 413);
  EXPECT_EQ(body(*reply), "big");
  *reply = Reply();
  EXPECT_LT(upload.at, upload.text.size());
  EXPECT_EQ(origin->stats()->idle.read(), 0);
}

TEST_F(UploadTest, AFailureOfTheClientComesBackAsItIs) {
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    peer.read(1 << 20);  // until the gateway leaves
  });
  auto origin = make(http_configuration(server.port()));
  Text upload("abc");
  upload.fail_with = Code::kBodyTooLarge;
  auto reply = fetch(*origin, {.method = http::Method::kPost,
                               .method_text = "POST",
                               .path = "/",
                               .framing = http::Framing::kChunked,
                               .body = &upload});
  EXPECT_EQ(reply.error().code, Code::kBodyTooLarge);
  EXPECT_EQ(origin->stats()->failed.read(), 0u);
}

}  // namespace
}  // namespace origin
