#include "origin/s3_origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/range.h"
#include "origin/testing.h"

namespace origin {
namespace {

using base::Code;
using net::testing::Peer;
using net::testing::TestServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

config::S3Origin options_for(std::uint16_t port) {
  config::S3Origin options;
  options.bucket = "photos";
  options.endpoint.host = "127.0.0.1";
  options.endpoint.port = port;
  options.access_key_id = "AKID";
  options.secret_access_key = base::Secret("secret");
  options.timeouts = {
      .connect = base::Millis(2000), .first_byte = base::Millis(2000), .idle = base::Millis(2000)};
  return options;
}

class S3OriginTest : public testing::OriginTest {
 protected:
  // Answers each request with what `answer` says of its head.
  using Answer = std::function<std::string(const std::string& head)>;

  void serve(const Answer& answer) {
    server = std::make_unique<TestServer>([this, answer](Peer& peer, int) {
      for (std::string head; !(head = peer.read_head()).empty();) {
        heads.push_back(head);
        peer.write(answer(head));
      }
    });
  }
  base::Result<Reply> get(const Ask& ask) {
    if (!origin) origin = make({.name = "s3", .concurrency = {}, .kind = options_for(server->port())});
    return test.await(origin->fetch(ask, nullptr));
  }
  // The code of the error for one reply of the server; kCount when there was none.
  Code refusal(const std::string& reply, const Ask& ask) {
    origin.reset();  // and its connections, which the server waits for
    server.reset();
    serve([reply](const std::string&) { return reply; });
    auto got = get(ask);
    return got ? Code::kCount : got.error().code;
  }
  static std::string error(std::string_view status, std::string_view code) {
    const std::string xml = "<?xml version=\"1.0\"?><Error><Code>" + std::string(code) + "</Code></Error>";
    return "HTTP/1.1 " + std::string(status) + " X\r\nContent-Length: " + std::to_string(xml.size()) +
           "\r\n\r\n" + xml;
  }

  std::vector<std::string> heads;  // written by the server's thread, read once it has answered
  std::unique_ptr<TestServer> server;
  std::shared_ptr<Origin> origin;
};

// An object server that knows ranges, If-Match and If-Unmodified-Since, as S3 does.
std::string object_store(const std::string& head, std::string_view object, std::string_view etag) {
  const auto field = [&](std::string_view name) {
    const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return std::string();
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  };
  const std::string common = "ETag: " + std::string(etag) +
                             "\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                             "Date: Mon, 07 Nov 1994 08:49:37 GMT\r\nContent-Type: text/x\r\nServer: S\r\n";
  if (const auto match = field("If-Match"); !match.empty() && match != etag)
    return "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n";
  std::string_view data = object;
  std::string status = "200 OK", range;
  if (const auto wanted = field("Range"); !wanted.empty()) {
    const auto set = http::parse_range(wanted, object.size());
    if (set.kind == http::RangeSet::Kind::kUnsatisfiable)
      return "HTTP/1.1 416 R\r\nContent-Range: bytes */" + std::to_string(object.size()) +
             "\r\nContent-Length: 3\r\n\r\nxml";
    data = data.substr(set.ranges()[0].first, set.ranges()[0].length());
    status = "206 Partial Content";
    http::append_content_range(set.ranges()[0], object.size(), range);
    range = "Content-Range: " + range + "\r\n";
  }
  return "HTTP/1.1 " + status + "\r\n" + common + range + "Content-Length: " + std::to_string(data.size()) +
         "\r\n\r\n" + (head.starts_with("HEAD") ? std::string() : std::string(data));
}

TEST_F(S3OriginTest, SignsAPathStyleRequest) {
  serve([](const std::string& head) { return object_store(head, "data", "\"e\""); });
  auto reply = get({.path = "/a b//ü", .raw_query = "acl&versionId=v1&x=1&partNumber=2", .has_query = true});
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(body(*reply), "data");
  ASSERT_EQ(heads.size(), 1u);
  EXPECT_THAT(heads[0], StartsWith("GET /photos/a%20b//%C3%BC?partNumber=2 HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(heads[0], HasSubstr("\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKID/"));
  EXPECT_THAT(heads[0], HasSubstr("/us-east-1/s3/aws4_request"));
  EXPECT_THAT(heads[0], HasSubstr("\r\nx-amz-date: "));
  EXPECT_THAT(heads[0], HasSubstr("\r\nx-amz-content-sha256: "));
}

TEST_F(S3OriginTest, UsesVirtualHostPrefixAndSessionToken) {
  serve([](const std::string& head) { return object_store(head, "data", "\"e\""); });
  auto options = options_for(server->port());
  options.style = config::S3Style::kVirtualHost;
  options.prefix = "team one/";
  options.session_token = base::Secret("session");
  origin = make({.name = "s3", .concurrency = {}, .kind = options});
  ASSERT_TRUE(get({.path = "/k"}));
  EXPECT_THAT(heads[0], StartsWith("GET /team%20one/k HTTP/1.1\r\nHost: photos.127.0.0.1:"));
  EXPECT_THAT(heads[0], HasSubstr("\r\nx-amz-security-token: session\r\n"));
}

TEST_F(S3OriginTest, AnonymousRequestsAreNotSigned) {
  serve([](const std::string& head) { return object_store(head, "data", "\"e\""); });
  auto options = options_for(server->port());
  options.access_key_id.clear();
  options.secret_access_key = base::Secret();
  origin = make({.name = "s3", .concurrency = {}, .kind = options});
  ASSERT_TRUE(get({.path = "/k"}));
  EXPECT_THAT(heads[0], Not(HasSubstr("uthorization")));
  EXPECT_THAT(heads[0], Not(HasSubstr("x-amz-")));
}

TEST_F(S3OriginTest, NeverListsTheBucketAndNeverWrites) {
  serve([](const std::string&) { return std::string(); });
  EXPECT_EQ(get({.path = "/"}).error().code, Code::kNotFound);
  EXPECT_EQ(get({.path = ""}).error().code, Code::kNotFound);
  EXPECT_EQ(get({.method = http::Method::kPut, .method_text = "PUT", .path = "/k"}).error().code,
            Code::kMethodNotAllowed);
  EXPECT_EQ(server->connections(), 0);
}

TEST_F(S3OriginTest, ShowsTheObjectsFieldsOnly) {
  serve([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: a/b\r\nETag: \"e\"\r\nServer: MinIO\r\n"
           "Vary: Origin\r\nx-amz-request-id: r\r\nX-Amz-Id-2: i\r\nX-Amz-Meta-Colour: red\r\n"
           "x-amz-version-id: v\r\nContent-Disposition: inline\r\nSet-Cookie: a=b\r\n\r\nok";
  });
  auto reply = get({.path = "/k"});
  ASSERT_TRUE(reply);
  std::vector<std::string_view> names;
  for (const auto& field : reply->head().fields) names.push_back(field.name);
  EXPECT_THAT(names, ElementsAre("Content-Length", "Content-Type", "ETag", "X-Amz-Meta-Colour",
                                 "x-amz-version-id", "Content-Disposition"));
  EXPECT_FALSE(reply->head().fields.has(http::FieldId::kVary));
}

TEST_F(S3OriginTest, TranslatesRefusals) {
  const Ask key{.path = "/k"};
  const Ask version{.path = "/k", .raw_query = "partNumber=2", .has_query = true};
  const Ask head{.method = http::Method::kHead, .method_text = "HEAD", .path = "/k"};
  EXPECT_EQ(refusal(error("404", "NoSuchKey"), key), Code::kNotFound);
  EXPECT_EQ(refusal(error("404", "NoSuchBucket"), key), Code::kNotFound);
  EXPECT_EQ(refusal(error("405", "MethodNotAllowed"), version), Code::kOriginBadReply);
  EXPECT_EQ(refusal(error("403", "AccessDenied"), key), Code::kForbidden);
  EXPECT_EQ(refusal("HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n", head), Code::kForbidden);
  for (const char* code :
       {"SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "RequestTimeTooSkewed"})
    EXPECT_EQ(refusal(error("403", code), key), Code::kOriginDenied) << code;
  EXPECT_EQ(
      refusal("HTTP/1.1 403 X\r\nContent-Length: 0\r\nx-minio-error-code: InvalidAccessKeyId\r\n\r\n", head),
      Code::kOriginDenied);
  EXPECT_EQ(refusal(error("400", "ExpiredToken"), key), Code::kOriginDenied);
  EXPECT_EQ(refusal(error("400", "InvalidArgument"), version), Code::kBadRequest);
  EXPECT_EQ(refusal(error("400", "InvalidArgument"), key), Code::kOriginBadReply);
  EXPECT_EQ(refusal(error("400", "KeyTooLongError"), key), Code::kBadRequest);
  EXPECT_EQ(refusal(error("301", "PermanentRedirect"), key), Code::kOriginDenied);
  EXPECT_EQ(refusal(error("412", "PreconditionFailed"), key), Code::kPreconditionFailed);
  EXPECT_EQ(refusal(error("500", "InternalError"), key), Code::kOriginBadReply);
  EXPECT_EQ(refusal(error("503", "SlowDown"), key), Code::kOverloaded);
  EXPECT_EQ(refusal("HTTP/1.1 204 No Content\r\n\r\n", key), Code::kOriginBadReply);
}

TEST_F(S3OriginTest, KeepsTheConnectionAcrossRefusals) {
  serve([](const std::string&) { return error("404", "NoSuchKey"); });
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(get({.path = "/k"}));
  EXPECT_EQ(server->connections(), 1);
}

TEST_F(S3OriginTest, ForwardsConditionsAndPasses304And416) {
  serve([](const std::string& head) {
    if (head.find("If-None-Match") != std::string::npos)
      return std::string("HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n");
    return object_store(head, "0123456789", "\"e\"");
  });
  auto reply =
      get({.path = "/k", .if_none_match = "\"e\"", .if_modified_since = "Sun, 06 Nov 1994 08:49:37 GMT"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status(), 304);
  EXPECT_THAT(heads[0], HasSubstr("\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  *reply = Reply();  // the server takes one connection after the other
  reply = get({.path = "/k", .range = "bytes=50-"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status(), 416);
  EXPECT_EQ(reply->head().value(http::FieldId::kContentRange), "bytes */10");
  EXPECT_EQ(reply->length(), 0u);
  EXPECT_EQ(body(*reply), "");
  EXPECT_EQ(server->connections(), 1);
}

TEST_F(S3OriginTest, A416LearnsTheSizeFromTheErrorsText) {
  serve([](const std::string&) {
    const std::string xml = "<Error><Code>InvalidRange</Code><ActualObjectSize>10</ActualObjectSize></Error>";
    return "HTTP/1.1 416 X\r\nContent-Length: " + std::to_string(xml.size()) + "\r\n\r\n" + xml;
  });
  auto reply = get({.path = "/k", .range = "bytes=50-"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->head().value(http::FieldId::kContentRange), "bytes */10");
}

TEST_F(S3OriginTest, IfRangeHoldsForTheSameObjectOnly) {
  serve([](const std::string& head) { return object_store(head, "0123456789", "\"new\""); });
  struct Case {
    std::string_view if_range;
    std::uint16_t status;
  };
  for (const auto& [if_range, status] :
       std::initializer_list<Case>{{"\"new\"", 206},
                                   {"\"old\"", 200},
                                   {"W/\"new\"", 200},
                                   {"Sun, 06 Nov 1994 08:49:37 GMT", 206},
                                   {"Sun, 06 Nov 1994 08:49:38 GMT", 200},  // later, but not the one we have
                                   {"nonsense", 200}}) {
    auto reply = get({.path = "/k", .range = "bytes=2-4", .if_range = if_range});
    ASSERT_TRUE(reply) << if_range;
    EXPECT_EQ(reply->status(), status) << if_range;
    EXPECT_EQ(body(*reply), status == 206 ? "234" : "0123456789") << if_range;
  }
}

TEST_F(S3OriginTest, AClientsOwnIfMatchStaysInForceBesideIfRange) {
  serve([](const std::string& head) { return object_store(head, "0123456789", "\"new\""); });
  auto reply = get({.path = "/k", .range = "bytes=2-4", .if_range = "\"new\"", .if_match = "\"old\""});
  EXPECT_EQ(reply.error().code, Code::kPreconditionFailed);
  reply = get({.path = "/k", .range = "bytes=2-4", .if_range = "\"old\"", .if_match = "\"new\""});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status(), 200);
}

TEST_F(S3OriginTest, SeveralRangesBecomeOneMultipartReply) {
  serve([](const std::string& head) { return object_store(head, "0123456789", "\"e\""); });
  auto reply = get({.path = "/k", .range = "bytes=0-1, 5-6,-1"});
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->status(), 206);
  EXPECT_EQ(reply->head().value(http::FieldId::kEtag), "\"e\"");
  EXPECT_FALSE(reply->head().fields.has(http::FieldId::kContentRange));
  const std::string type(reply->head().value(http::FieldId::kContentType));
  ASSERT_THAT(type, StartsWith("multipart/byteranges; boundary="));
  const std::string boundary = type.substr(type.find('=') + 1);
  for (const std::size_t piece : {std::size_t{4096}, std::size_t{3}}) {
    if (piece == 3) reply = get({.path = "/k", .range = "bytes=0-1, 5-6,-1"});
    const auto text = body(*reply, piece);
    ASSERT_TRUE(text);
    EXPECT_EQ(text->size(), reply->length());
    EXPECT_EQ(reply->head().value(http::FieldId::kContentLength), std::to_string(text->size()));
    EXPECT_THAT(*text, HasSubstr("Content-Range: bytes 0-1/10\r\n\r\n01\r\n--"));
    EXPECT_THAT(*text, HasSubstr("Content-Range: bytes 5-6/10\r\n\r\n56\r\n--"));
    EXPECT_THAT(*text, HasSubstr("Content-Range: bytes 9-9/10\r\n\r\n9\r\n--"));
    EXPECT_THAT(*text, HasSubstr("Content-Type: text/x\r\n"));
    if (piece == 4096) EXPECT_THAT(*text, HasSubstr("--" + boundary + "--"));
  }
  EXPECT_THAT(heads[0], StartsWith("HEAD "));
  EXPECT_THAT(heads[1], HasSubstr("\r\nRange: bytes=0-1\r\nIf-Match: \"e\"\r\n"));
}

TEST_F(S3OriginTest, RangesThatMergeOrMissAreAnsweredPlainly) {
  serve([](const std::string& head) { return object_store(head, "0123456789", "\"e\""); });
  auto reply = get({.path = "/k", .range = "bytes=0-1,2-3"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->head().value(http::FieldId::kContentRange), "bytes 0-3/10");
  EXPECT_EQ(body(*reply), "0123");
  *reply = Reply();
  reply = get({.path = "/k", .range = "bytes=50-60,70-"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status(), 416);
  EXPECT_EQ(reply->head().value(http::FieldId::kContentRange), "bytes */10");
  *reply = Reply();
  reply = get({.path = "/k", .range = "bytes=a,b"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status(), 200);
}

TEST_F(S3OriginTest, AnObjectThatChangesBetweenTwoRangesEndsTheBody) {
  int parts = 0;
  serve([&](const std::string& head) {
    if (head.starts_with("GET")) ++parts;
    return object_store(head, "0123456789", parts > 1 ? "\"new\"" : "\"old\"");
  });
  auto reply = get({.path = "/k", .range = "bytes=0-1,5-6"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(body(*reply).error(), Code::kOriginBadReply);
}

TEST_F(S3OriginTest, HeadIgnoresRanges) {
  serve([](const std::string& head) { return object_store(head, "0123456789", "\"e\""); });
  auto reply =
      get({.method = http::Method::kHead, .method_text = "HEAD", .path = "/k", .range = "bytes=0-1,4-5"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status(), 200);
  EXPECT_EQ(heads.size(), 1u);
  EXPECT_THAT(heads[0], Not(HasSubstr("Range:")));
}

TEST_F(S3OriginTest, EffectiveQueryIsWhatIsSent) {
  auto s3 = make({.name = "s3", .concurrency = {}, .kind = options_for(1)});
  std::string out;
  EXPECT_FALSE(s3->effective_query("acl&list-type=2", true, out));
  EXPECT_EQ(out, "");
  EXPECT_TRUE(s3->effective_query("versionId=a%2Fb&policy&partNumber=3", true, out));
  EXPECT_EQ(out, "partNumber=3");
  auto options = options_for(1);
  options.versions = true;
  s3 = make({.name = "s3", .concurrency = {}, .kind = options});
  out.clear();
  EXPECT_TRUE(s3->effective_query("versionId=a%2Fb&policy&partNumber=3", true, out));
  EXPECT_EQ(out, "partNumber=3&versionId=a%2Fb");
}

// What the server says becomes a reply of this status with this field.
TEST_F(S3OriginTest, KeepsWhatARefusalIsWithoutUse) {
  const auto replied = [&](const std::string& reply, std::string_view name) -> std::string {
    origin.reset();
    server.reset();
    serve([reply](const std::string&) { return reply; });
    const auto got = get({.path = "/k"});
    if (!got) return std::string(got.error().text);
    const http::Field* const field = got->head().fields.find(name);
    return std::to_string(got->status()) + " " + (field ? std::string(field->value) : "none");
  };
  EXPECT_EQ(
      replied("HTTP/1.1 405 X\r\nContent-Length: 0\r\nx-amz-delete-marker: true\r\nAllow: DELETE\r\n\r\n",
              "x-amz-delete-marker"),
      "405 true");
  EXPECT_EQ(replied("HTTP/1.1 405 X\r\nContent-Length: 0\r\nAllow: DELETE\r\n\r\n", "allow"),
            "the object store does not take our method");
  EXPECT_EQ(replied("HTTP/1.1 404 X\r\nContent-Length: 0\r\nx-amz-delete-marker: true\r\n\r\n",
                    "x-amz-delete-marker"),
            "404 true");
  for (const char* status : {"503", "429"})
    EXPECT_EQ(
        replied(std::string("HTTP/1.1 ") + status + " X\r\nContent-Length: 0\r\nRetry-After: 17\r\n\r\n",
                "retry-after"),
        "503 17");
  EXPECT_EQ(replied("HTTP/1.1 301 X\r\nContent-Length: 0\r\nLocation: /there\r\n\r\n", "location"),
            "301 /there");
  EXPECT_EQ(replied("HTTP/1.1 301 X\r\nContent-Length: 2\r\nLocation: http://inner/\r\n\r\nhi", "location"),
            "the object store sends us on, and not to an object");
  EXPECT_EQ(replied("HTTP/1.1 307 X\r\nContent-Length: 0\r\nX: y\r\n\r\n", "location"),
            "the object store sends us on, and not to an object");
  EXPECT_EQ(replied("HTTP/1.1 307 X\r\nContent-Length: 0\r\nx-amz-bucket-region: eu-west-1\r\n"
                    "Location: http://b\r\n\r\n",
                    "location"),
            "the bucket is in another region");
}

TEST_F(S3OriginTest, LearnsByAGetWhoseFaultARefusalOfHeadIs) {
  const Ask head{.method = http::Method::kHead, .method_text = "HEAD", .path = "/k"};
  for (const char* status : {"403", "400"}) {
    origin.reset();
    server.reset();
    heads.clear();
    serve([status](const std::string& asked) {
      return asked.starts_with("HEAD") ? "HTTP/1.1 " + std::string(status) + " X\r\nContent-Length: 0\r\n\r\n"
                                       : error(status, "ExpiredToken");
    });
    EXPECT_EQ(get(head).error().code, Code::kOriginDenied);
    ASSERT_EQ(heads.size(), 2u);
    EXPECT_THAT(heads[1], HasSubstr("\r\nRange: bytes=0-0\r\n"));
  }
}

TEST_F(S3OriginTest, RefusesKeysThatNoObjectCanHave) {
  serve([](const std::string&) { return std::string(); });
  for (const auto method : {http::Method::kGet, http::Method::kHead})
    for (const std::string& path : {"/" + std::string(1025, 'k'), std::string("/a\xff")})
      EXPECT_EQ(get({.method = method, .path = path}).error().code, Code::kBadRequest);
  EXPECT_EQ(server->connections(), 0);
}

std::string in_region(std::string_view region, const std::string& head) {
  const std::string scope = "/" + std::string(region) + "/s3/aws4_request";
  if (head.contains(scope)) return object_store(head, "data", "\"e\"");
  return "HTTP/1.1 400 X\r\nContent-Length: 0\r\nx-amz-bucket-region: " + std::string(region) + "\r\n\r\n";
}

TEST_F(S3OriginTest, FollowsTheBucketToItsRegionAndStaysThere) {
  serve([](const std::string& head) { return in_region("eu-central-1", head); });
  for (int i = 0; i < 2; ++i) {
    auto reply = get({.path = "/k"});
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(body(*reply), "data");
  }
  EXPECT_EQ(heads.size(), 3u) << "one that failed, and two";
}

TEST_F(S3OriginTest, StaysInTheRegionThatTheOperatorSays) {
  serve([](const std::string& head) { return in_region("eu-central-1", head); });
  auto options = options_for(server->port());
  options.region = "us-west-2";
  origin = make({.name = "s3", .concurrency = {}, .kind = options});
  EXPECT_FALSE(get({.path = "/k"}));
  EXPECT_EQ(heads.size(), 1u);
}

TEST_F(S3OriginTest, AProbeProvesAndThenOnlyKnocks) {
  serve([](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"; });
  origin = make({.name = "s3", .concurrency = {}, .kind = options_for(server->port())});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(test.await(origin->probe(nullptr)));
  ASSERT_EQ(heads.size(), 1u);
  EXPECT_THAT(heads[0], StartsWith("HEAD /photos/ HTTP/1.1\r\n"));
  EXPECT_THAT(std::string(origin->finding()), HasSubstr("us-east-1"));
  base::clock_seam::offset += base::Nanos(base::Seconds(20)).count();
  EXPECT_TRUE(test.await(origin->probe(nullptr)));
  base::clock_seam::offset = 0;
  EXPECT_EQ(heads.size(), 2u) << "a proof does not hold for ever";
}

TEST_F(S3OriginTest, AProbeLearnsWhyFromAListingOfThePrefix) {
  serve([](const std::string& head) {
    return head.starts_with("HEAD") ? std::string("HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n")
                                    : error("403", "InvalidAccessKeyId");
  });
  auto options = options_for(server->port());
  options.prefix = "team one/";
  origin = make({.name = "s3", .concurrency = {}, .kind = options});
  EXPECT_EQ(test.await(origin->probe(nullptr)).error().code, Code::kOriginDenied);
  EXPECT_EQ(origin->finding(), "the access key AKID is not known there");
  ASSERT_EQ(heads.size(), 2u);
  EXPECT_THAT(heads[1], StartsWith("GET /photos/?list-type=2&max-keys=1&prefix=team%20one/ HTTP/1.1\r\n"));
}

TEST(S3Place, LeavesTheEndpointOfAllRegionsForTheBucketsOwn) {
  config::S3Origin options;
  options.bucket = "photos";
  options.endpoint = {.tls = true, .host = "s3.amazonaws.com", .port = 443, .path = ""};
  options.style = config::S3Style::kVirtualHost;
  S3Place place(options);
  EXPECT_EQ(place.region(), "us-east-1");
  EXPECT_EQ(place.host(), "photos.s3.amazonaws.com");
  EXPECT_FALSE(place.move("evil.example/"));
  EXPECT_FALSE(place.move(""));
  ASSERT_TRUE(place.move("eu-central-1"));
  EXPECT_EQ(place.host(), "photos.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(place.remote().host, "photos.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(place.remote().server_name, place.remote().host);

  options.endpoint.host = "s3.eu-west-1.amazonaws.com";
  S3Place named(options);
  ASSERT_TRUE(named.move("eu-central-1"));
  EXPECT_EQ(named.host(), "photos.s3.eu-west-1.amazonaws.com") << "what the operator said";
  options.region = "eu-west-1";
  EXPECT_FALSE(S3Place(options).move("eu-central-1"));
}

}  // namespace
}  // namespace origin
