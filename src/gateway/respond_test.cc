// One object, whatever keeps it: a file, the memory tier, or a fill that has only just begun to fetch it.
// What is asked of it gets the same status, fields and bytes.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "gateway/session_testing.h"

namespace gateway {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing_support::Answer;
using testing_support::Fields;
using testing_support::Http1Client;

enum class Keeper : std::uint8_t { kFile, kMemory, kFill };
constexpr Keeper kKeepers[] = {Keeper::kFile, Keeper::kMemory, Keeper::kFill};

std::string large() {
  std::string out(300'000, '\0');
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>('a' + i / 7 % 26);
  return out;
}

class Respond : public testing_support::SessionTest, public ::testing::WithParamInterface<Keeper> {
 protected:
  Respond() {
    char name[] = "/tmp/respond_test.XXXXXX";
    dir_ = ::mkdtemp(name);
    configure("origins: { files: { type: dir, path: " + dir_ + " } }\nroutes: [ { path: /, origin: files" +
              (GetParam() == Keeper::kFile ? "" : ", cache: { ttl: 1h }") + " } ]\n");
    client_.emplace(connect());
  }
  ~Respond() override {
    client_->leave();
    std::filesystem::remove_all(dir_);
  }
  // An object under a name of its own, so that each question finds it as the keeper has it.
  std::string object(std::string_view content) {
    const std::string name = "/" + std::to_string(++objects_);
    std::ofstream(dir_ + name) << content;
    if (GetParam() == Keeper::kMemory) get(name);
    return name;
  }
  Answer get(const std::string& target, Fields fields = {}, const std::string& method = "GET") {
    client_->ask({.method = method, .target = target, .fields = std::move(fields)});
    Answer got = answer_to(*client_);
    EXPECT_TRUE(got.whole);
    return got;
  }
  std::string tag(const std::string& of) { return get(of, {}, "HEAD").field("ETag"); }

  int objects_ = 0;
  std::string dir_;
  std::optional<Http1Client> client_;
};

TEST_P(Respond, GivesItWhole) {
  for (const std::string& content : {std::string("0123456789"), std::string(), large()}) {
    const std::string name = object(content);
    const Answer got = get(name);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, content);
    EXPECT_EQ(got.field("Content-Length"), std::to_string(content.size()));
    EXPECT_EQ(got.field("Accept-Ranges"), "bytes");
    EXPECT_EQ(got.field("Transfer-Encoding"), "");
    const Answer head = get(name, {}, "HEAD");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.field("Content-Length"), std::to_string(content.size()));
    EXPECT_EQ(head.field("ETag"), got.field("ETag"));
  }
}

TEST_P(Respond, GivesTheVeryBytesOfARange) {
  const std::string content = large();
  const struct {
    const char* range;
    std::size_t first, length;
  } cases[] = {{"bytes=0-0", 0, 1},
               {"bytes=299999-", 299'999, 1},
               {"bytes=-5", 299'995, 5},
               {"bytes=65530-65545", 65'530, 16},
               {"bytes=1000-900000", 1000, 299'000},
               {"bytes=-900000", 0, 300'000}};
  for (const auto& [range, first, length] : cases) {
    const Answer got = get(object(content), {{"Range", range}});
    EXPECT_EQ(got.status, 206) << range;
    EXPECT_EQ(got.body, content.substr(first, length)) << range;
    EXPECT_EQ(got.field("Content-Range"),
              "bytes " + std::to_string(first) + "-" + std::to_string(first + length - 1) + "/300000");
    EXPECT_EQ(got.field("Content-Length"), std::to_string(length));
  }
}

TEST_P(Respond, GivesSeveralRangesAsParts) {
  const Answer got = get(object("0123456789"), {{"Range", "bytes=1-2,-1"}});
  EXPECT_EQ(got.status, 206);
  EXPECT_EQ(got.field("Content-Range"), "");
  const std::string type = got.field("Content-Type");
  ASSERT_THAT(type, StartsWith("multipart/byteranges; boundary="));
  const std::string line = "--" + type.substr(type.find('=') + 1);
  EXPECT_EQ(got.field("Content-Length"), std::to_string(got.body.size()));
  EXPECT_THAT(got.body,
              AllOf(HasSubstr(line + "\r\n"), HasSubstr("Content-Range: bytes 1-2/10\r\n\r\n12\r\n"),
                    HasSubstr("Content-Range: bytes 9-9/10\r\n\r\n9\r\n"), EndsWith(line + "--\r\n")));
}

TEST_P(Respond, SaysWhereNoByteIs) {
  for (const char* range : {"bytes=10-", "bytes=-0", "bytes=20-30,40-"}) {
    const Answer got = get(object("0123456789"), {{"Range", range}});
    EXPECT_EQ(got.status, 416) << range;
    EXPECT_EQ(got.field("Content-Range"), "bytes */10") << range;
    EXPECT_EQ(got.field("Content-Type"), "application/problem+json");
  }
}

TEST_P(Respond, IgnoresARangeThatIsNoneOrIsAskedOfHead) {
  for (const char* range : {"bytes=2-1", "items=0-1", "bytes=x-"}) {
    const Answer got = get(object("0123456789"), {{"Range", range}});
    EXPECT_EQ(got.status, 200) << range;
    EXPECT_EQ(got.body, "0123456789") << range;
  }
  const Answer head = get(object("0123456789"), {{"Range", "bytes=0-0"}}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), "10");
}

TEST_P(Respond, GivesAPartOnlyOfTheObjectThatIsMeant) {
  const std::string name = object("0123456789");
  const std::string same = tag(name);
  EXPECT_EQ(get(name, {{"Range", "bytes=1-2"}, {"If-Range", same}}).status, 206);
  const Answer other = get(name, {{"Range", "bytes=1-2"}, {"If-Range", "\"other\""}});
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(other.body, "0123456789");
  EXPECT_EQ(get(name, {{"Range", "bytes=1-2"}, {"If-Range", "W/" + same}}).status, 200);  // RFC 9110 §13.1.5
}

TEST_P(Respond, AnswersConditionsInTheirOrder) {
  const std::string name = object("0123456789");
  const Answer whole = get(name);
  const std::string same = whole.field("ETag"), then = whole.field("Last-Modified");
  const Answer unchanged = get(name, {{"If-None-Match", "\"x\", W/" + same}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(unchanged.field("ETag"), same);
  EXPECT_EQ(get(name, {{"If-Modified-Since", then}}).status, 304);
  // A tag goes before a date, and what must hold before what must not.
  EXPECT_EQ(get(name, {{"If-None-Match", "\"x\""}, {"If-Modified-Since", then}}).status, 200);
  EXPECT_EQ(get(name, {{"If-Match", "\"x\""}, {"If-None-Match", same}}).status, 412);
  EXPECT_EQ(get(name, {{"If-Match", "*"}, {"Range", "bytes=1-1"}}).body, "1");
  EXPECT_EQ(get(name, {{"If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"}}).status, 412);
}

std::string name_of(const ::testing::TestParamInfo<Keeper>& keeper) {
  constexpr const char* kNames[] = {"ByAFile", "InMemory", "ByAFill"};
  return kNames[static_cast<std::size_t>(keeper.param)];
}
INSTANTIATE_TEST_SUITE_P(Kept, Respond, ::testing::ValuesIn(kKeepers), name_of);

// ---- what has no object

class Refusal : public testing_support::SessionTest {
 protected:
  Answer say(const std::string& method, const std::string& target, Fields fields = {}) {
    Http1Client client(connect());
    client.ask({.method = method, .target = target, .fields = std::move(fields)});
    Answer got = answer_to(client);
    client.leave();
    return got;
  }
};

TEST_F(Refusal, IsAProblemWithWhatItsKindDemands) {
  configure(
      "origins: { files: { type: dir, path: /tmp }, app: { type: http, url: 'http://127.0.0.1:1' } }\n"
      "identities: { us: { type: jwt, algorithms: HS256, keys: { inline: '${S}' } } }\n"
      "routes: [ { path: /open, origin: files }, { path: /shut, origin: files, identity: us }, { path: "
      "/away, "
      "origin: app } ]\n");
  const struct {
    const char *method, *target;
    int status;
    const char *field, *value;
  } cases[] = {{"GET", "/nowhere", 404, "Cache-Control", "no-store"},
               {"POST", "/open/x", 405, "Allow", "GET, HEAD"},
               {"GET", "/shut/x", 401, "WWW-Authenticate", "Bearer realm=\"sekisho\""},
               {"GET", "/away", 502, "Cache-Control", "no-store"}};
  for (const auto& [method, target, status, field, value] : cases) {
    const Answer got = say(method, target);
    EXPECT_EQ(got.status, status) << target;
    EXPECT_EQ(got.field(field), value) << target;
    EXPECT_EQ(got.field("Content-Type"), "application/problem+json") << target;
    EXPECT_NE(got.field("Date"), "") << target;
    EXPECT_THAT(got.body, HasSubstr("\"status\":" + std::to_string(status))) << target;
    EXPECT_THAT(got.body, HasSubstr(got.field("X-Request-Id"))) << target;
    const Answer head = say("HEAD", target);
    EXPECT_EQ(head.body, "") << target;
    if (std::string_view(method) == "GET") EXPECT_NE(head.field("Content-Length"), "0") << target;
  }
}

}  // namespace
}  // namespace gateway
