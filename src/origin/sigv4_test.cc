#include "origin/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace origin {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

// ---- AWS's test suite: header signing, in all of its cases

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Case {
  std::string method, path, query, host, body;
  std::vector<std::pair<std::string, std::string>> fields;
};

Case parse_case(const std::string& text) {
  Case c;
  const std::size_t blank = text.find("\n\n");
  if (blank != text.npos) c.body = text.substr(blank + 2);
  std::istringstream lines(text.substr(0, blank));
  std::string line;
  std::getline(lines,
               line);  // the target may hold spaces: the method ends at the first, the target at the last
  c.method = line.substr(0, line.find(' '));
  const std::size_t begin = c.method.size() + 1;
  const std::string target = line.substr(begin, line.rfind(' ') - begin);
  c.path = target.substr(0, target.find('?'));
  if (target.find('?') != target.npos) c.query = target.substr(target.find('?') + 1);
  while (std::getline(lines, line)) {
    if (line.starts_with(' ')) {
      c.fields.back().second += line;  // a folded value
      continue;
    }
    const std::string name = line.substr(0, line.find(':')), value = line.substr(line.find(':') + 1);
    if (name == "Host")
      c.host = value;
    else
      c.fields.emplace_back(name, value);
  }
  return c;
}

// The context is JSON with one member a line; this reads what stands between the quotes of one.
std::string text_member(const std::string& json, const std::string& name) {
  const std::size_t at = json.find("\"" + name + "\":");
  if (at == json.npos) return "";
  const std::size_t begin = json.find('"', json.find(':', at)) + 1;
  return json.substr(begin, json.find('"', begin) - begin);
}
bool true_member(const std::string& json, const std::string& name) {
  return json.find("\"" + name + "\": true") != json.npos;
}

std::string sha256_hex(const std::string& text) {
  unsigned char hash[32];
  EVP_Digest(text.data(), text.size(), hash, nullptr, EVP_sha256(), nullptr);
  std::string hex;
  for (const unsigned char byte : hash) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", byte);
    hex += two;
  }
  return hex;
}

constexpr base::Wall kVectorTime{base::Seconds(1'440'938'160)};  // 2015-08-30T12:36:00Z

class AwsVector : public testing::TestWithParam<fs::path> {};

TEST_P(AwsVector, IsSignedAsPublished) {
  const std::string context = read(GetParam() / "context.json");
  ASSERT_EQ(text_member(context, "timestamp"), "2015-08-30T12:36:00Z");
  const Case c = parse_case(read(GetParam() / "request.txt"));
  const std::string payload = sha256_hex(c.body);

  // `omit_session_token` is about a token that is added after signing: it takes no part in it.
  const std::string token = true_member(context, "omit_session_token") ? "" : text_member(context, "token");
  Signer signer(
      {.access_key_id = text_member(context, "access_key_id"),
       .secret_access_key = base::Secret(text_member(context, "secret_access_key")),
       .session_token = base::Secret(token),
       .region = text_member(context, "region"),
       .service = text_member(context, "service"),
       .style = true_member(context, "normalize") ? SigningStyle::kGeneral : SigningStyle::kGeneralRawPath});
  std::vector<SignedField> fields;
  fields.reserve(c.fields.size() + 1);
  for (const auto& [name, value] : c.fields) fields.push_back({name, value});
  if (true_member(context, "sign_body")) fields.push_back({"x-amz-content-sha256", payload});

  for (int round = 0; round < 2; ++round) {  // the second with the cached signing key
    const Signature signature = signer.sign({.method = c.method,
                                             .host = c.host,
                                             .path = c.path,
                                             .query = c.query,
                                             .payload_hash = payload,
                                             .fields = fields,
                                             .now = kVectorTime});
    EXPECT_EQ(signer.canonical_request(), read(GetParam() / "header-canonical-request.txt"));
    EXPECT_EQ(signer.string_to_sign(), read(GetParam() / "header-string-to-sign.txt"));
    EXPECT_THAT(std::string(signature.authorization),
                testing::EndsWith("Signature=" + read(GetParam() / "header-signature.txt")));
    EXPECT_THAT(read(GetParam() / "header-signed-request.txt"),
                HasSubstr(std::string(signature.authorization)));
    EXPECT_EQ(signature.amz_date, "20150830T123600Z");
  }
}

std::vector<fs::path> cases() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(SEKISHO_SOURCE_DIR "/tests/vectors/aws-sigv4/v4"))
    found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

INSTANTIATE_TEST_SUITE_P(SigV4, AwsVector, testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = info.param.filename();
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(AwsVectors, AreThere) {
  EXPECT_EQ(cases().size(), 38U);
}

// ---- S3, after the examples of AWS's "Signature Calculations for the Authorization Header"

Signer s3_signer(std::string token = "") {
  return Signer({.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                 .secret_access_key = base::Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                 .session_token = base::Secret(std::move(token)),
                 .region = "us-east-1"});
}
constexpr base::Wall kS3Time{base::Seconds(1'369'353'600)};  // 2013-05-24T00:00:00Z

TEST(Signer, SignsS3GetAsDocumented) {
  Signer signer = s3_signer();
  const SignedField range{"Range", "bytes=0-9"};
  const Signature s = signer.sign({.method = "GET",
                                   .host = "examplebucket.s3.amazonaws.com",
                                   .path = "/test.txt",
                                   .query = "",
                                   .fields = {&range, 1},
                                   .now = kS3Time});
  EXPECT_EQ(s.authorization,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(s.content_sha256, kEmptyPayload);
  EXPECT_EQ(s.security_token, "");
}

TEST(Signer, SignsS3QueryAsDocumented) {
  Signer signer = s3_signer();
  EXPECT_THAT(std::string(signer
                              .sign({.method = "GET",
                                     .host = "examplebucket.s3.amazonaws.com",
                                     .path = "/",
                                     .query = "lifecycle",
                                     .now = kS3Time})
                              .authorization),
              HasSubstr("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  EXPECT_THAT(std::string(signer
                              .sign({.method = "GET",
                                     .host = "examplebucket.s3.amazonaws.com",
                                     .path = "/",
                                     .query = "prefix=J&max-keys=2",
                                     .now = kS3Time})
                              .authorization),
              HasSubstr("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(Signer, LeavesS3PathsAsTheyAre) {
  Signer signer = s3_signer();
  signer.sign({.method = "GET", .host = "h", .path = "/b/a%20b//c/..x", .query = "", .now = kS3Time});
  EXPECT_THAT(std::string(signer.canonical_request()), StartsWith("GET\n/b/a%20b//c/..x\n\nhost:h\n"));
}

TEST(Signer, SignsSessionTokenAndUnsignedPayload) {
  Signer signer = s3_signer("the token");
  const Signature s = signer.sign({.method = "PUT",
                                   .host = "h",
                                   .path = "/b/k",
                                   .query = "",
                                   .payload_hash = kUnsignedPayload,
                                   .now = kS3Time});
  EXPECT_EQ(s.content_sha256, "UNSIGNED-PAYLOAD");
  EXPECT_EQ(s.security_token, "the token");
  EXPECT_THAT(std::string(s.authorization),
              HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
}

TEST(Signer, SortsAndEncodesQueryAnew) {
  Signer signer = s3_signer();
  signer.sign({.method = "GET",
               .host = "h",
               .path = "/",
               .query = "versionId=a%2fb+c&partNumber=1&&a=2&a=1&bad=%zz&~",
               .now = kS3Time});
  EXPECT_THAT(std::string(signer.canonical_request()),
              StartsWith("GET\n/\na=1&a=2&bad=%25zz&partNumber=1&versionId=a%2Fb%2Bc&~=\nhost:h\n"));
}

TEST(Signer, DerivesAnotherKeyForAnotherDay) {
  Signer once = s3_signer();
  const auto at = [](Signer& signer, base::Wall now) {
    return std::string(
        signer.sign({.method = "GET", .host = "h", .path = "/", .query = "", .now = now}).authorization);
  };
  const base::Wall last = kS3Time + base::Seconds(86'399), next = kS3Time + base::Seconds(86'400);
  for (const base::Wall now : {kS3Time, last, next, last, kS3Time}) {
    Signer fresh = s3_signer();
    EXPECT_EQ(at(once, now), at(fresh, now));
  }
  EXPECT_THAT(at(once, next), HasSubstr("/20130525/"));
}

TEST(Signer, SignsForAnotherRegionFromTheNextRequestOn) {
  const SignRequest request{.method = "GET", .host = "h", .path = "/", .query = "", .now = kS3Time};
  Signer moved = s3_signer();
  const std::string before(moved.sign(request).authorization);
  moved.set_region("eu-central-1");
  Signer there({.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                .secret_access_key = base::Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                .session_token = {},
                .region = "eu-central-1"});
  EXPECT_EQ(moved.sign(request).authorization, there.sign(request).authorization);
  moved.set_region("us-east-1");
  EXPECT_EQ(moved.sign(request).authorization, before);
}

TEST(EncodeS3Path, EncodesAllButUnreservedAndSlashes) {
  std::string out;
  encode_s3_path("/a b/\xc3\xa9+=&$@!*'(),:;~-._/c%", out);
  EXPECT_EQ(out, "/a%20b/%C3%A9%2B%3D%26%24%40%21%2A%27%28%29%2C%3A%3B~-._/c%25");
}

}  // namespace
}  // namespace origin
