#include "net/tls.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "net/dial.h"
#include "net/stream.h"
#include "net/testing_tls.h"
#include "net/tls_sessions.h"

namespace net {
namespace {

using testing::Peer;
using testing::TestCertificate;
using testing::TestLoop;
using testing::TestServer;
using testing::TlsPeer;

class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }  // as the program does: OpenSSL writes plainly

  Result<Stream> dial(std::uint16_t port) {
    const std::vector<Endpoint> to{*Endpoint::parse("127.0.0.1", port)};
    return test.await(connect(test.loop, to, test.loop.now() + base::Seconds(5), nullptr));
  }
  // The outcome of a handshake with a server that has `certificate`.
  Result<> shake(const TestCertificate& certificate, const TlsContext& context, const std::string& name) {
    TestServer server([&](Peer& peer, int) {
      TlsPeer tls(peer, certificate);
      sni = tls.server_name();
      tls.read(1);
    });
    auto stream = dial(server.port());
    EXPECT_TRUE(stream);
    stream->set_deadline(base::Seconds(5));
    return test.await(stream->handshake(context, name));
  }
  TestLoop test;
  std::string sni;
};

TEST_F(TlsTest, VerifiesChainAndName) {
  const TestCertificate certificate("DNS:store.example,IP:127.0.0.1"), stranger("DNS:store.example");
  const TlsContext trusting(true, certificate.file());
  EXPECT_TRUE(shake(certificate, trusting, "store.example"));
  EXPECT_EQ(sni, "store.example");
  EXPECT_TRUE(shake(certificate, trusting, "127.0.0.1"));
  EXPECT_EQ(sni, "");  // an address is no server name
  EXPECT_EQ(shake(certificate, trusting, "other.example").error().fault, Fault::kCertificate);
  EXPECT_EQ(shake(certificate, trusting, "127.0.0.2").error().fault, Fault::kCertificate);
  EXPECT_EQ(shake(stranger, trusting, "store.example").error().fault, Fault::kCertificate);
}

// OpenSSL checks no name where it has taken none, and a C string ends at its first NUL: each of these once
// passed, or would with a certificate of another kind.
TEST_F(TlsTest, ANameThatCannotBeCheckedFailsInsteadOfGoingUnchecked) {
  const TestCertificate certificate("DNS:store.example,IP:127.0.0.1");
  const TlsContext trusting(true, certificate.file());
  using namespace std::string_literals;
  for (const std::string& name : {""s, "store.example\0"s, "store.example\0.evil.example"s, "127.0.0.1\0"s,
                                  "\0"s, std::string(256, 'a'), std::string(70'000, 'a')}) {
    const auto shaken = shake(certificate, trusting, name);
    ASSERT_FALSE(shaken) << name.size();
    EXPECT_EQ(shaken.error().fault, Fault::kTls) << name.size();
  }
}

// RFC 9110 section 4.3.4: the Common Name is not looked at, whatever stands beside it.
TEST_F(TlsTest, ACommonNameIsNoName) {
  for (const char* common : {"store.example", "*.example"}) {
    for (const char* names :
         {"", "IP:127.0.0.1", "email:a@store.example", "URI:https://store.example", "DNS:other.example"}) {
      const TestCertificate certificate(names, common);
      const TlsContext trusting(true, certificate.file());
      const auto shaken = shake(certificate, trusting, "store.example");
      ASSERT_FALSE(shaken) << common << " " << names;
      EXPECT_EQ(shaken.error().fault, Fault::kCertificate) << common << " " << names;
    }
  }
  const TestCertificate address("DNS:127.0.0.1", "127.0.0.1");
  EXPECT_FALSE(shake(address, TlsContext(true, address.file()), "127.0.0.1"));
}

// What each of so many connections in turn was: resumed or not.
class TlsSessions : public TlsTest {
 protected:
  std::vector<bool> resumed(const std::vector<std::pair<const TlsContext*, std::string>>& dials, int version,
                            base::Nanos shift_each = {}) {
    SSL_CTX* const shared = TlsPeer::make_context(certificate);
    SSL_CTX_set_max_proto_version(shared, version);
    static constexpr unsigned char kId[] = "test";
    SSL_CTX_set_session_id_context(shared, kId, sizeof kId);
    std::vector<bool> out;
    std::optional<TestServer> server(std::in_place, [&](Peer& peer, int) {
      SSL_CTX_up_ref(shared);
      TlsPeer tls(peer, shared);
      out.push_back(tls.resumed());
      tls.write("x");  // with it come the tickets
      tls.read(1);
    });
    for (const auto& [context, name] : dials) {
      auto stream = dial(server->port());
      stream->set_deadline(base::Seconds(5));
      EXPECT_TRUE(test.await(stream->handshake(*context, name)));
      char byte;
      EXPECT_EQ(test.await(stream->read({&byte, 1})), 1U);
      stream->close();
      base::clock_seam::offset += shift_each.count();
    }
    base::clock_seam::offset -= static_cast<std::int64_t>(dials.size()) * shift_each.count();
    server.reset();
    SSL_CTX_free(shared);
    return out;
  }
  const TestCertificate certificate{"DNS:store.example,DNS:other.example"};
};

TEST_F(TlsSessions, AreResumed) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsContext context(true, certificate.file());
    const std::pair<const TlsContext*, std::string> dial(&context, "store.example");
    EXPECT_EQ(resumed({dial, dial, dial, dial}, version), (std::vector{false, true, true, true})) << version;
  }
}

TEST_F(TlsSessions, AreNotSharedBetweenNamesOrRules) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsContext verifying(true, certificate.file()), trusting(false, ""),
        another(true, certificate.file());
    EXPECT_EQ(resumed({{&trusting, "store.example"},
                       {&verifying, "store.example"},
                       {&another, "store.example"},
                       {&verifying, "other.example"},
                       {&verifying, "store.example"}},
                      version),
              (std::vector{false, false, false, false, true}))
        << version;
  }
}

TEST_F(TlsSessions, AreVerifiedAnewAfterAWhile) {
  const TlsContext context(true, certificate.file());
  const std::pair<const TlsContext*, std::string> dial(&context, "store.example");
  EXPECT_EQ(resumed({dial, dial, dial}, TLS1_2_VERSION, kSessionLife / 2), (std::vector{false, true, false}));
}

TEST_F(TlsTest, TakesAnyCertificateWhenToldNotToVerify) {
  const TestCertificate certificate("DNS:store.example");
  EXPECT_TRUE(shake(certificate, TlsContext(false, ""), "other.example"));
}

TEST_F(TlsTest, AnUnreadableAuthorityIsToldAtOnce) {
  EXPECT_THROW(TlsContext(true, "/nonexistent.pem"), std::runtime_error);
}

TEST_F(TlsTest, ReadsAndWritesAndTellsAnEndFromACut) {
  const TestCertificate certificate("DNS:x.example");
  const TlsContext context(true, certificate.file());
  const std::string big(3'000'000, 'b');
  TestServer server([&](Peer& peer, int n) {
    TlsPeer tls(peer, certificate);
    tls.write(tls.read(big.size()));
    if (n == 0) tls.close_notify();
  });
  for (const bool clean : {true, false}) {
    auto stream = dial(server.port());
    ASSERT_TRUE(stream);
    stream->set_deadline(base::Seconds(10));
    ASSERT_TRUE(test.await(stream->handshake(context, "x.example")));
    EXPECT_TRUE(test.await(stream->write_all(big)));
    std::string got, buffer(100'000, '\0');
    Result<std::size_t> n;
    while ((n = test.await(stream->read(buffer))) && *n > 0) got.append(buffer, 0, *n);
    EXPECT_EQ(got, big);
    EXPECT_EQ(n.has_value(), clean);
  }
}

TEST_F(TlsTest, AServerThatSpeaksPlainlyOrNotAtAllFails) {
  const TlsContext context(false, "");
  TestServer server([](Peer& peer, int n) {
    if (n == 0) peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.read(1 << 20);
  });
  auto plain = dial(server.port());
  ASSERT_TRUE(plain);
  plain->set_deadline(base::Seconds(5));
  EXPECT_EQ(test.await(plain->handshake(context, "x")).error().fault, Fault::kTls);
  *plain = Stream();
  auto mute = dial(server.port());
  ASSERT_TRUE(mute);
  mute->set_deadline(base::Millis(50));
  EXPECT_EQ(test.await(mute->handshake(context, "x")).error().fault, Fault::kTimedOut);
}

}  // namespace
}  // namespace net
