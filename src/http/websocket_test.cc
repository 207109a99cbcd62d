#include "http/websocket.h"

#include <gtest/gtest.h>

namespace http {
namespace {

using base::Code;

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // RFC 6455 §1.3

// A head and the text that it views.
struct Asked {
  explicit Asked(std::string_view more) : text("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n") {
    text.append("Upgrade: websocket\r\n").append(more).append("\r\n");
    EXPECT_TRUE(parse_request(text, {}, head).value_or(0));
  }
  std::string text;
  RequestHead head;
};

struct Answered {
  explicit Answered(std::string_view fields, std::string_view version = "1.1")
      : text("HTTP/" + std::string(version) + " 101 Switching Protocols\r\n") {
    text.append(fields).append("\r\n");
    EXPECT_TRUE(parse_response(text, Method::kGet, {}, head).value_or(0));
  }
  std::string text;
  ResponseHead head;
};

std::string handshake(std::string_view key = kKey, std::string_view version = "13") {
  return "Sec-WebSocket-Key: " + std::string(key) + "\r\nSec-WebSocket-Version: " + std::string(version) +
         "\r\n";
}

std::string answer(std::string_view accept = kAccept) {
  return "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: " +
         std::string(accept) + "\r\n";
}

std::optional<Code> refused(std::string_view more) {
  const auto ok = check_handshake(Asked(more).head);
  return ok ? std::nullopt : std::optional(ok.error().code);
}

bool accepted(std::string_view fields, std::string_view more = "", std::string_view version = "1.1") {
  const Asked asked(handshake() + std::string(more));
  const auto ok = check_switch(asked.head, Answered(fields, version).head);
  if (!ok) EXPECT_EQ(ok.error().code, Code::kOriginBadReply);
  return ok.has_value();
}

TEST(WebSocket, AcceptIsTheOneOfTheStandardsExample) {
  EXPECT_EQ(websocket_accept(kKey), kAccept);
}

TEST(WebSocket, AHandshakeHasVersionThirteenAndOneKeyOfSixteenBytes) {
  EXPECT_EQ(refused(handshake()), std::nullopt);
  EXPECT_EQ(refused(handshake(kKey, "8")), Code::kUpgradeRequired);
  EXPECT_EQ(refused(handshake(kKey, "13, 8")), Code::kUpgradeRequired);
  EXPECT_EQ(refused("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), Code::kUpgradeRequired);
  EXPECT_EQ(refused(handshake() + "Sec-WebSocket-Version: 13\r\n"), Code::kBadRequest);
  EXPECT_EQ(refused("Sec-WebSocket-Version: 13\r\n"), Code::kBadRequest);
  for (const std::string_view key : {"x", "", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZTEy",
                                     "dGhlIHNhbXBsZSBub25j_Q==", "dGhlIHNhbXBsZSBub25jZSBub25jZQ=="})
    EXPECT_EQ(refused(handshake(key)), Code::kBadRequest) << key;
  EXPECT_EQ(refused(handshake() + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"), Code::kBadRequest);
  EXPECT_EQ(refused(handshake() + "Content-Length: 3\r\n"), Code::kBadRequest);
}

TEST(WebSocket, ASwitchAnswersTheKeyAndNamesTheProtocol) {
  EXPECT_TRUE(accepted(answer()));
  EXPECT_FALSE(accepted(answer(), "", "1.0"));
  EXPECT_FALSE(accepted(""));
  EXPECT_FALSE(accepted(answer("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")));
  EXPECT_FALSE(accepted(answer() + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_FALSE(accepted("Upgrade: websocket\r\nConnection: Upgrade\r\n"));
  EXPECT_FALSE(accepted(
      "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_FALSE(accepted("Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}

TEST(WebSocket, AServerChoosesAmongWhatIsOffered) {
  const std::string chat = "Sec-WebSocket-Protocol: soap\r\nSec-WebSocket-Protocol: wamp, chat\r\n";
  EXPECT_TRUE(accepted(answer(), chat));
  EXPECT_TRUE(accepted(answer() + "Sec-WebSocket-Protocol: chat\r\n", chat));
  EXPECT_FALSE(accepted(answer() + "Sec-WebSocket-Protocol: chat\r\n"));
  EXPECT_FALSE(accepted(answer() + "Sec-WebSocket-Protocol: CHAT\r\n", chat));
  EXPECT_FALSE(accepted(answer() + "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: soap\r\n", chat));
  const std::string deflate = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
  EXPECT_TRUE(accepted(
      answer() + "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n", deflate));
  EXPECT_FALSE(accepted(answer() + "Sec-WebSocket-Extensions: permessage-deflate, x\r\n", deflate));
  EXPECT_FALSE(accepted(answer() + deflate));
}

}  // namespace
}  // namespace http
