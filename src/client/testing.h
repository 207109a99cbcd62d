// For tests only: a Pool to a server of a few lines, and exchanges with it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <expected>
#include <memory>
#include <string>
#include <utility>

#include "client/http1.h"
#include "client/pool.h"
#include "net/testing.h"

namespace client::testing {

inline constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\n\r\nhello";

class ClientTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }  // as the program does

  base::Ref<Pool> pool(std::uint16_t port, base::Millis patience = base::Millis(5000)) {
    Remote remote{.host = "127.0.0.1",
                  .port = port,
                  .tls = false,
                  .server_name = "",
                  .timeouts = {.connect = patience, .first_byte = patience, .idle = patience},
                  .pool = {},
                  .addresses = {}};
    return base::make_ref<Pool>(test.loop, test.resolver, std::move(remote), nullptr, stats);
  }
  base::Result<Reply> get(const base::Ref<Pool>& from, net::Cancel* cancel = nullptr) {
    return test.await(exchange(from, {.head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"}, cancel));
  }
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
  std::shared_ptr<Stats> stats = std::make_shared<Stats>();
};

}  // namespace client::testing
