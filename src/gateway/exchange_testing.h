// For tests only: an exchange as the walk has it once a request is read and its route is known, made from the
// texts of a configuration and of a request, without a socket.
//
// Owner:    a test. Thread: the test's.
// Lifetime: receive() begins the next exchange; what the one before pointed to is gone.
// Failure:  through gtest.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/load.h"
#include "gateway/exchange.h"
#include "identity/testing.h"
#include "net/testing.h"

namespace gateway::testing_support {

class ExchangeTest : public ::testing::Test {
 protected:
  // All of a configuration but `listen`. ${SECRET} is the secret of identity/testing.h.
  void configure(const std::string& text) {
    x().reset();
    snapshot_ = base::make_ref<LocalSnapshot>(
        std::make_shared<const Snapshot>(
            config::load_text("listen: 127.0.0.1:8080\n" + text, "test.yaml",
                              [](const std::string&) { return identity::kSecret; }),
            Registries{.rates = rates_, .gates = gates_, .healths = healths_}),
        nullptr, origin::Env{loop_.loop, loop_.resolver});
  }

  // One http origin, `app`, and one route to it with these keys more.
  void configure_route(const std::string& more, const std::string& rest = "") {
    configure("origins: { app: { type: http, url: \"http://127.0.0.1:9\" } }\n" + rest +
              "\nroutes: [ { path: /, origin: app" + (more.empty() ? "" : ", ") + more + " } ]\n");
  }

  // Lines of a head, each ended by "\n", from a peer at that address.
  Exchange& receive(std::string_view lines, std::string_view peer = "192.0.2.7") {
    if (!snapshot_) configure_route("");
    Exchange& now = x();
    now.reset();
    request_.clear();
    for (const char c : lines) {
      if (c == '\n') request_ += '\r';
      request_ += c;
    }
    request_ += "\r\n";
    const auto used = http::parse_request(request_, http::HeadLimits{}, now.head);
    EXPECT_TRUE(used && *used == request_.size()) << lines;
    now.parsed = true;
    scratch_.resize(http::target_scratch(now.head.target));
    EXPECT_TRUE(http::parse_target(now.head.target, scratch_, now.target));
    now.query = now.target.raw_query;
    now.has_query = now.target.has_query;
    now.snapshot = snapshot_;
    const auto match = snapshot_->snapshot->router().match(now.target.collapsed);
    EXPECT_TRUE(match) << lines;
    if (match) now.route = &snapshot_->routes[match->route];
    peer_.emplace(*net::Endpoint::parse(peer, 40000));
    now.peer = &*peer_;
    now.client = peer;
    now.client_address = peer_->bytes;
    now.request_id = "our-id";
    now.started = base::mono_now();
    return now;
  }

  Exchange& x() { return *exchange_; }
  const Route& route() const { return *exchange_->route->rules; }

 protected:
  serve::Peer& peer() { return *peer_; }

 private:
  net::testing::TestLoop loop_;
  limit::Rates rates_{config::Limits{}};
  limit::Gates gates_;
  upstream::Healths healths_;
  base::Ref<LocalSnapshot> snapshot_;
  std::string request_, scratch_;
  std::optional<serve::Peer> peer_;
  std::unique_ptr<Exchange> exchange_ = std::make_unique<Exchange>();  // the last to come, the first to go
};

// Identities for `rest` of configure_route(), of which a route takes some: `identity: staff`.
inline constexpr const char* kStaff = R"(
identities:
  staff: { type: jwt, issuer: "https://id.test", audience: sekisho, algorithms: HS256, keys: { inline: "${SECRET}" },
           from: [ bearer, { header: X-Token }, { cookie: session }, { query: token } ] })";

}  // namespace gateway::testing_support
