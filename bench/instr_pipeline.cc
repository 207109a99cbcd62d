// Cases of the whole walk: a request's bytes go into a socket, the reply's bytes come out of it. In between
// stands what serves in production, put together as cli::Server does it: event loop, connection, walk, memory
// cache, reply, metrics, access log.
//
// Thread:   the worker's loop runs in main, and its clients run in that loop. What the clients do is not
//           counted. The access log writes from a thread of its own, which is not counted either.
//
// The connections are pairs of local sockets: what is written is there at once, so that every turn of the
// loop finds the same. What the kernel does is not counted; a system call more shows only as the few
// instructions around it.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "cache/key.h"
#include "config/load.h"
#include "gateway/connection.h"
#include "gateway/snapshot.h"
#include "gateway/worker.h"
#include "identity/testing.h"
#include "instr.h"
#include "net/dns.h"
#include "telemetry/access_log.h"

namespace instr {
namespace {

constexpr std::size_t kConnections = 8;  // which share the cost of a turn of the loop
constexpr std::string_view kHost = "media.example.com";
constexpr std::string_view kPath = "/photos/2026/11/object-1k.bin";

// The origin is never asked: the object is in the cache before the first request.
config::Config configuration(std::string_view more) {
  std::string text = R"(
listen: 127.0.0.1:8080
origins:
  bucket: { type: http, url: "http://127.0.0.1:9" }
identities:
  staff:
    type: jwt
    issuer: https://id.test
    audience: sekisho
    algorithms: HS256
    keys: { inline: "${SECRET}" }
routes:
  - { path: /, origin: bucket, identity: staff }
  - { path: /photos/, origin: bucket, identity: staff, cache: { ttl: 10m } }
  - { path: /team1/reports/, origin: bucket, identity: staff }
)";
  text += more;
  return config::load_text(text, "instr.yaml", [](const std::string&) { return identity::kSecret; });
}

bool store(void* memory, base::Ref<const cache::Entry> entry) {
  return static_cast<cache::Memory*>(memory)->put(std::move(entry));
}

// A worker with its commons, as cli::Server makes them, and clients within its own loop.
class Gateway {
 public:
  // `more`: of the configuration, beside what all cases have.
  explicit Gateway(std::string_view more) {
    worker_.prepare(std::make_shared<const gateway::Snapshot>(
        configuration(more), gateway::Registries{.rates = rates_, .gates = gates_, .healths = healths_}));
    worker_.commit();
    keep_object();
    for (Client& client : clients_) {
      int ends[2];
      expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0, "a socket");
      client.fd = ends[0];
      worker_.tasks().spawn(gateway::Connection::run(
          std::make_unique<gateway::Connection>(worker_, ends[1], *net::Endpoint::parse("192.0.2.7", 40000),
                                                serve::Opening::kRequest, connections_.take())));
    }
  }
  ~Gateway() {
    for (Client& client : clients_) ::close(client.fd);
    worker_.finish_drain();
    worker_.run();
  }
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // n times: the request's bytes in, a reply that begins with `expected` and is like all others out.
  void serve(std::uint64_t n, std::string_view request, std::string_view expected) {
    request_ = request;
    expected_ = expected;
    to_send_ = to_receive_ = n;
    worker_.tasks().spawn(drive(*this));
    worker_.run();
  }

 private:
  struct Client {
    int fd = -1;
    bool waits = false;
  };

  void keep_object() {
    const gateway::LocalSnapshot& snapshot = *worker_.snapshot();
    const auto match = snapshot.snapshot->router().match(kPath);
    expect(match.has_value(), "a route");
    std::array<char, 256> scratch;
    const auto key = cache::make_key({.origin = snapshot.routes[match->route].cache_id,
                                      .path = kPath.substr(match->length),
                                      .host = kHost,
                                      .rendering = snapshot.routes[match->route].rules->rendering},
                                     scratch);
    memory_.put(cache::Entry::make(
        {.key = *key,
         .fields = "Date: Sun, 17 Mar 2030 17:46:40 GMT\r\nContent-Type: application/octet-stream\r\n"
                   "ETag: \"0123456789abcdef\"\r\nLast-Modified: Sat, 16 Mar 2030 09:00:00 GMT\r\n"
                   "Cache-Control: public, max-age=600\r\nAccept-Ranges: bytes\r\n",
         .etag = "\"0123456789abcdef\"",
         .last_modified = "Sat, 16 Mar 2030 09:00:00 GMT",
         .body = {base::Chunk::copy_of(std::string(1024, 'b'))},
         .stored_at = base::mono_now(),
         .freshness = std::chrono::hours(1)}));
  }

  // Once each turn of the loop, after the connections have answered.
  static net::Task<> drive(Gateway& self) {
    while (self.to_receive_ > 0) {
      paused([&self] { self.exchange(); });
      co_await self.worker_.loop().yield();
    }
    self.worker_.loop().stop();
  }

  void exchange() {
    std::array<char, 4096> reply;
    for (Client& client : clients_) {
      if (client.waits) {
        const ssize_t size = ::recv(client.fd, reply.data(), reply.size(), 0);
        if (size < 0) continue;  // a connection lets the others go first after some requests in a row
        check({reply.data(), static_cast<std::size_t>(size)});
        client.waits = false;
        --to_receive_;
      }
      if (to_send_ > 0) {
        expect(
            ::send(client.fd, request_.data(), request_.size(), 0) == static_cast<ssize_t>(request_.size()),
            "the request goes out");
        client.waits = true;
        --to_send_;
      }
    }
  }

  void check(std::string_view reply) {
    expect(reply.starts_with(expected_), reply);
    if (!reply_size_) reply_size_ = reply.size();
    expect(reply.size() == *reply_size_, "every reply is like the first");
  }

  cache::Memory memory_{64 << 20};
  base::Account account_{1ULL << 40};
  cache::Fills fills_{16 << 20, 64 << 20, account_, &store, &memory_, memory_.writes()};
  cache::Loans loans_{memory_};
  net::Dns look_ups_;
  limit::Rates rates_{config::Limits{}};
  limit::Failures failures_{config::Limits{}};
  limit::Gates gates_;
  upstream::Healths healths_;
  telemetry::AccessLog log_{"/dev/null"};
  telemetry::WorkerMetrics metrics_;
  limit::Connections connections_{1000};
  gateway::Worker worker_{{.memory = memory_,
                           .fills = fills_,
                           .loans = loans_,
                           .account = account_,
                           .look_ups = look_ups_,
                           .rates = rates_,
                           .failures = failures_,
                           .connections = connections_},
                          metrics_,
                          &log_};
  std::array<Client, kConnections> clients_;
  std::string_view request_, expected_;
  std::optional<std::size_t> reply_size_;
  std::uint64_t to_send_ = 0, to_receive_ = 0;
};

enum class Token : bool { kNone, kValid };

std::string request(Token token, std::string_view more = {}) {
  constexpr std::string_view kClaims =
      R"({"iss":"https://id.test","aud":"sekisho","sub":"4f5e6d7c-8b9a-4001-a2b3-c4d5e6f70819","iat":1899999000,)"
      R"("exp":2000000000,"jti":"R1x9Q2mV7bT0aYc3","scope":"read write"})";
  std::string out = "GET " + std::string(kPath) + " HTTP/1.1\r\nHost: " + std::string(kHost) +
                    "\r\n"
                    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0)\r\n"
                    "Accept: image/avif,image/webp,*/*;q=0.8\r\n"
                    "Accept-Encoding: gzip, deflate, br\r\n";
  if (token == Token::kValid)
    out.append("Authorization: Bearer ")
        .append(identity::hs256_token(identity::kHsHeader, kClaims))
        .append("\r\n");
  return out.append(more).append("\r\n");
}

void serve(Run& run, const std::string& bytes, std::string_view expected, std::string_view more = {}) {
  const auto gateway = std::make_unique<Gateway>(more);
  run.all([&](std::uint64_t n) { gateway->serve(n, bytes, expected); });
}

void hit(Run& run) {
  serve(run, request(Token::kValid), "HTTP/1.1 200 OK\r\n");
}
// Three limits that are never exhausted, and the fields that tell of them.
void hit_limited(Run& run) {
  serve(run, request(Token::kValid), "HTTP/1.1 200 OK\r\n", R"(
rates:
  address: { requests: 1000000/s, per: address }
  principal: { requests: 1000000/s, per: principal }
  route: { requests: 1000000/s, per: route }
limits: { rates: [ address, principal, route ] }
)");
}
void hit_not_modified(Run& run) {
  serve(run, request(Token::kValid, "If-None-Match: \"0123456789abcdef\"\r\n"), "HTTP/1.1 304 ");
}
void hit_range(Run& run) {
  serve(run, request(Token::kValid, "Range: bytes=100-199\r\n"), "HTTP/1.1 206 ");
}
void denied(Run& run) {
  serve(run, request(Token::kNone), "HTTP/1.1 401 ");
}

constexpr Case kCases[] = {
    {"pipeline/hit", 4'000, hit},
    {"pipeline/hit-limited", 4'000, hit_limited},
    {"pipeline/hit-not-modified", 2'000, hit_not_modified},
    {"pipeline/hit-range", 2'000, hit_range},
    {"pipeline/denied", 2'000, denied},
};

}  // namespace

std::span<const Case> pipeline_cases() {
  return kCases;
}

}  // namespace instr
