// Answers as a client sees them: a session on one end of a socketpair, its bytes read at the other.
#include "app/send.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "net/testing.h"
#include "serve/session.h"

namespace app {
namespace {

class Pieces final : public Source {
 public:
  Pieces(std::string text, std::size_t breaks_at = std::string::npos)
      : text_(std::move(text)), breaks_at_(breaks_at) {}

  net::Task<base::Result<std::size_t>> read(std::span<char> out) override {
    if (at_ >= breaks_at_) co_return base::fail(base::Code::kOriginBadReply, "broke off");
    const std::size_t n = std::min({out.size(), text_.size() - at_, std::size_t{5}});
    std::memcpy(out.data(), text_.data() + at_, n);
    at_ += n;
    co_return n;
  }

 private:
  std::string text_;
  std::size_t breaks_at_, at_ = 0;
};

// Answers every request with what `make` makes.
struct Guest {
  serve::Http1 http;
  std::function<Answer()> make;
  serve::Request request{};
  serve::Out out{};
  serve::Terms kept{};
  bool whole = false;

  serve::Http1& session() { return http; }
  serve::Request& open_request() { return request; }
  void close() {}
  void next() { request.clear(); }
  const serve::Terms& terms() const { return kept; }
  bool step(serve::Downstream) { return false; }
  net::Task<> rest(serve::Downstream down) {
    Answer answer = make();
    answer.append_field_lines(out.begin());
    whole = (co_await send(answer, request.head.method == http::Method::kHead, out, down)).has_value();
  }
  bool ended() const { return whole; }
};

class Sent : public ::testing::Test {
 protected:
  // All bytes that a client gets who sends this and then no more.
  std::string exchange(std::string_view requests, std::function<Answer()> make) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    EXPECT_EQ(::write(ends[1], requests.data(), requests.size()), static_cast<ssize_t>(requests.size()));
    ::shutdown(ends[1], SHUT_WR);
    {
      serve::Shared shared{loop_.loop};
      std::unique_ptr<Guest> guest(
          new Guest{.http = {shared, ends[0], net::Endpoint::of(std::array<std::uint8_t, 16>{}, 0)},
                    .make = std::move(make)});
      loop_.await(serve::run(std::move(guest)));
    }
    std::string got;
    char piece[4096];
    for (ssize_t n; (n = ::read(ends[1], piece, sizeof piece)) > 0;)
      got.append(piece, static_cast<std::size_t>(n));
    ::close(ends[1]);
    return got;
  }

  net::testing::TestLoop loop_;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kHead = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kLines = "Content-Type: text/plain\r\nCache-Control: no-store\r\n";

std::string reply(std::string_view framing_and_body) {
  return "HTTP/1.1 200 OK\r\n" + std::string(kLines) + std::string(framing_and_body);
}

TEST_F(Sent, TextGoesOutWithItsLength) {
  const auto text = [] { return Answer{.type = "text/plain", .body = std::string("hello")}; };
  EXPECT_EQ(exchange(kGet, text), reply("Content-Length: 5\r\n\r\nhello"));
  EXPECT_EQ(exchange(kHead, text), reply("Content-Length: 5\r\n\r\n"));
  const std::string twice = std::string(kGet) + std::string(kGet);
  EXPECT_EQ(exchange(twice, text).size(), 2 * reply("Content-Length: 5\r\n\r\nhello").size());
}

TEST_F(Sent, AFileGoesOutFromItsOffset) {
  const auto file = [] {
    const int fd = ::memfd_create("answer", MFD_CLOEXEC);
    EXPECT_EQ(::write(fd, "0123456789", 10), 10);
    return Answer{.type = "text/plain", .body = File(fd, 2, 5)};
  };
  EXPECT_EQ(exchange(kGet, file), reply("Content-Length: 5\r\n\r\n23456"));
  EXPECT_EQ(exchange(kHead, file), reply("Content-Length: 5\r\n\r\n"));
}

TEST_F(Sent, APulledBodyGoesOutAsItComes) {
  const auto known = [] {
    return Answer{.type = "text/plain", .body = Pulled{std::make_unique<Pieces>("0123456789"), 10}};
  };
  EXPECT_EQ(exchange(kGet, known), reply("Content-Length: 10\r\n\r\n0123456789"));
  const auto stream = [] {
    return Answer{.type = "text/plain", .body = Pulled{std::make_unique<Pieces>("0123456"), std::nullopt}};
  };
  EXPECT_EQ(exchange(kGet, stream),
            reply("Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n2\r\n56\r\n0\r\n\r\n"));
  EXPECT_EQ(exchange("GET / HTTP/1.0\r\n\r\n", stream), reply("Connection: close\r\n\r\n0123456"));
}

TEST_F(Sent, ABodyThatBreaksOffIsNotFinished) {
  const auto broken = [] {
    return Answer{.type = "text/plain",
                  .body = Pulled{std::make_unique<Pieces>("0123456789", 5), std::nullopt}};
  };
  EXPECT_EQ(exchange(std::string(kGet) + std::string(kGet), broken),
            reply("Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n"))
      << "no last chunk, and no second reply";
  const auto shorter = [] {
    return Answer{.type = "text/plain", .body = Pulled{std::make_unique<Pieces>("0123"), 10}};
  };
  EXPECT_EQ(exchange(std::string(kGet) + std::string(kGet), shorter),
            reply("Content-Length: 10\r\n\r\n0123"));
}

}  // namespace
}  // namespace app
