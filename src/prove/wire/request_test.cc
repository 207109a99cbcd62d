#include "prove/wire/request.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace prove {
namespace {

class RequestTest : public ::testing::Test {
 protected:
  RequestTest() {
    target.url.host = "127.0.0.1";
    target.url.port = 8080;
    step.path = text("/a?b=c");
  }
  Template text(std::string_view t) { return Template::compile(t, slots).value(); }
  std::string render(Signer* signer = nullptr) {
    const Request request(step, target);
    constant = request.constant();
    const Wire wire = request.render(values, buffer, signer);
    generated = wire.generated;
    return std::string(wire.bytes);
  }

  Slots slots;
  Values values;
  Step step;
  Target target;
  std::string buffer;
  bool constant = false;
  std::uint64_t generated = 0;
};

TEST_F(RequestTest, RendersAConstantRequestOnce) {
  EXPECT_EQ(render(), "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: sekisho-prove\r\n\r\n");
  EXPECT_TRUE(constant);
  EXPECT_TRUE(buffer.empty());
}

TEST_F(RequestTest, PutsTheBaseOfTheTargetBeforeThePath) {
  target.url.path = "/base";
  target.url.port = 80;
  EXPECT_EQ(render(), "GET /base/a?b=c HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: sekisho-prove\r\n\r\n");
}

TEST_F(RequestTest, LeavesHostAndUserAgentToTheStepThatNamesThem) {
  step.headers.emplace_back("HOST", text("x"));
  step.headers.emplace_back("user-agent", text("y"));
  EXPECT_EQ(render(), "GET /a?b=c HTTP/1.1\r\nHOST: x\r\nuser-agent: y\r\n\r\n");
}

TEST_F(RequestTest, FillsWhatChangesAndSaysHowLongItIs) {
  values.resize(2);
  step.method = "POST";
  step.path = text("/{{key}}");
  step.body = text("n={{n}}!");
  values[slots.slot_of("key")] = "k";
  values[slots.slot_of("n")] = "12345678";
  const std::string wanted =
      "POST /k HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: sekisho-prove\r\nContent-Length: "
      "11\r\n\r\nn=12345678!";
  EXPECT_EQ(render(), wanted);
  EXPECT_FALSE(constant);
  EXPECT_EQ(render(), wanted);
}

TEST_F(RequestTest, CountsTheBodyThatIsSentAndNotTheOneThatIsWritten) {
  step.method = "POST";
  step.body = text("{{{{x}}");
  EXPECT_TRUE(render().ends_with("Content-Length: 5\r\n\r\n{{x}}"));
}

TEST_F(RequestTest, SaysThatAPostWithoutABodyHasNone) {
  step.method = "POST";
  EXPECT_TRUE(render().ends_with("Content-Length: 0\r\n\r\n"));
}

TEST_F(RequestTest, SendsAFileAndGeneratedBytes) {
  char name[] = "/tmp/request-test-XXXXXX";
  ::close(::mkstemp(name));
  std::ofstream(name) << "bytes";
  step.method = "PUT";
  step.body_file = name;
  EXPECT_TRUE(render().ends_with("Content-Length: 5\r\n\r\nbytes"));
  std::remove(name);
  EXPECT_THROW(render(), std::runtime_error);

  step.body_file.reset();
  step.body_size = 5'000'000'000;
  EXPECT_TRUE(render().ends_with("Content-Length: 5000000000\r\n\r\n"));
  EXPECT_EQ(generated, 5'000'000'000u);
}

TEST_F(RequestTest, KnowsWhatMayBeSentTwice) {
  for (const auto* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    step.method = method;
    EXPECT_TRUE(Request(step, target).idempotent()) << method;
  }
  for (const auto* method : {"POST", "PATCH", "get"}) {
    step.method = method;
    EXPECT_FALSE(Request(step, target).idempotent()) << method;
  }
}

TEST_F(RequestTest, SignsS3StepsWithTheirOwnFields) {
  target.access_key_id = "AKIDEXAMPLE";
  target.secret_access_key = base::Secret("secret");
  step.type = StepType::kS3;
  step.method = "PUT";
  step.headers.emplace_back("x-amz-meta-a", text("b"));
  step.body = text("abc");
  Signer signer(target);
  const std::string head = render(&signer);
  EXPECT_FALSE(constant);
  EXPECT_NE(head.find("\r\nx-amz-meta-a: b\r\n"), std::string::npos);
  EXPECT_NE(
      head.find("x-amz-content-sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\r\n"),
      std::string::npos);
  EXPECT_NE(head.find("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a, Signature="),
            std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\nabc"));

  values.resize(1);
  step.body = text("{{n}}");
  values[slots.slot_of("n")] = "abc";
  EXPECT_NE(render(&signer).find("x-amz-content-sha256: ba7816bf"), std::string::npos);
}

TEST_F(RequestTest, GivesAWholeTargetNothingOfTheTargetsPath) {
  target.url.path = "/base";
  values.resize(1);
  step.path = text("{{link}}?x");
  values[slots.slot_of("link")] = "/base/next";
  EXPECT_TRUE(render().starts_with("GET /base/next?x HTTP/1.1\r\n"));
  step.path = text("/{{link}}");
  EXPECT_TRUE(render().starts_with("GET /base//base/next HTTP/1.1\r\n"));
  step.path = text("{{link}}");
  for (const char* bad : {"", "next", "?x"}) {
    values[0] = bad;
    EXPECT_TRUE(Request(step, target).render(values, buffer, nullptr).bad) << bad;
  }
}

TEST_F(RequestTest, SendsAFormAsBrowsersDo) {
  char name[] = "/tmp/request-test-XXXXXX";
  ::close(::mkstemp(name));
  std::ofstream(name) << "by\ntes";
  step.method = "POST";
  step.multipart.push_back(
      {.name = text("f"), .value = {}, .file = name, .filename = text("a\"b.txt"), .type = "text/plain"});
  step.multipart.push_back(
      {.name = text("t\"\r\n"), .value = text("x\ny\rz\r\n"), .file = {}, .filename = {}, .type = ""});
  const std::string b = "----sekisho-prove-0000000000000000";
  const std::string body =
      "--" + b +
      "\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a%22b.txt\"\r\n"
      "Content-Type: text/plain\r\n\r\nby\ntes\r\n--" +
      b + "\r\nContent-Disposition: form-data; name=\"t%22%0D%0A\"\r\n\r\nx\r\ny\r\nz\r\n\r\n--" + b +
      "--\r\n";
  const std::string sent = render();
  EXPECT_TRUE(constant);
  EXPECT_TRUE(sent.ends_with("\r\nContent-Type: multipart/form-data; boundary=" + b +
                             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body))
      << sent;
  std::remove(name);
}

TEST_F(RequestTest, TakesABoundaryThatNoPartHolds) {
  values.resize(1);
  step.method = "POST";
  step.multipart.push_back(
      {.name = text("a"), .value = text("{{x}}"), .file = {}, .filename = {}, .type = ""});
  const std::size_t x = slots.slot_of("x");
  values[x] = "well";
  EXPECT_NE(render().find("boundary=----sekisho-prove-0000000000000000\r\n"), std::string::npos);
  EXPECT_FALSE(constant);
  values[x] = "\r\n------sekisho-prove-0000000000000000--\r\n";
  const std::string sent = render();
  EXPECT_NE(sent.find("boundary=----sekisho-prove-0000000000000001\r\n"), std::string::npos);
  EXPECT_TRUE(sent.ends_with(values[x] + "\r\n------sekisho-prove-0000000000000001--\r\n"));
}

}  // namespace
}  // namespace prove
