// For tests only: what every test of an origin needs.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <expected>
#include <memory>
#include <string>
#include <utility>

#include "net/testing.h"
#include "origin/origin.h"

namespace origin::testing {

inline config::Origin http_configuration(std::uint16_t port, std::string path = "") {
  config::HttpOrigin options;
  options.url.host = "127.0.0.1";
  options.url.port = port;
  options.url.path = std::move(path);
  options.timeouts = {
      .connect = base::Millis(2000), .first_byte = base::Millis(2000), .idle = base::Millis(2000)};
  return {.name = "http", .concurrency = {}, .kind = options};
}

inline constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\n\r\nhello";

class OriginTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }  // as the program does

  std::shared_ptr<Origin> make(const config::Origin& c) { return make_origin(c, {test.loop, test.resolver}); }
  base::Result<Reply> fetch(Origin& origin, const Ask& ask, net::Cancel* cancel = nullptr) {
    return test.await(origin.fetch(ask, cancel));
  }
  // The whole body, read in pieces; the code where it failed.
  std::expected<std::string, base::Code> body(Reply& reply, std::size_t piece = 4096) {
    std::string all, buffer(piece, '\0');
    for (;;) {
      const auto n = test.await(reply.read(buffer, nullptr));
      if (!n) return std::unexpected(n.error().code);
      if (*n == 0) return all;
      all.append(buffer, 0, *n);
    }
  }

  net::testing::TestLoop test;
};

}  // namespace origin::testing
