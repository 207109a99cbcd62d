#include "net/tls.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "net/stream.h"
#include "net/testing_tls.h"

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
