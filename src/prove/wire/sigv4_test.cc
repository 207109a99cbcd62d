// Against AWS's published signing test suite, and against values computed by OpenSSL with no code of ours
// between.
#include "prove/wire/sigv4.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace prove {
namespace {

namespace fs = std::filesystem;

const base::Wall kTime{base::Seconds(1'440'938'160)};  // 2015-08-30T12:36:00Z

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Vector {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> fields;
};

// Lines that begin with a space go on with the value before them.
Vector parsed(const std::string& text) {
  Vector out;
  std::string_view rest = text;
  const auto line = [&rest] {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return one;
  };
  const std::string_view first = line();
  const std::size_t space = first.find(' ');
  out.method = first.substr(0, space);
  out.target = first.substr(space + 1, first.rfind(' ') - space - 1);
  for (std::string_view one = line(); !one.empty(); one = line()) {
    if (one[0] == ' ') {
      out.fields.back().second += '\n' + std::string(one);
    } else {
      const std::size_t colon = one.find(':');
      out.fields.emplace_back(one.substr(0, colon), one.substr(colon + 1));
    }
  }
  out.body = rest;
  return out;
}

TEST(SigV4, SignsAsAwsDoes) {
  int cases = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(SEKISHO_SOURCE_DIR) / "tests/vectors/aws-sigv4/v4")) {
    const boost::json::value context = boost::json::parse(text_of(entry.path() / "context.json"));
    Vector v = parsed(text_of(entry.path() / "request.txt"));
    // S3 does not normalise paths, as other services do: the cases about that are not ours.
    const std::string path = v.target.substr(0, v.target.find('?'));
    if (context.at("normalize").as_bool() && (path.contains("/.") || path.contains("//"))) continue;
    ++cases;
    const auto& credentials = context.at("credentials").as_object();
    const auto text = [](const boost::json::value& value) { return std::string(value.as_string()); };
    SigV4 signer(text(credentials.at("access_key_id")),
                 base::Secret(text(credentials.at("secret_access_key"))), base::Secret(),
                 text(context.at("region")), text(context.at("service")));
    const std::string payload = payload_hash(v.body);
    v.fields.emplace_back("X-Amz-Date", "20150830T123600Z");
    if (context.at("sign_body").as_bool()) v.fields.emplace_back("x-amz-content-sha256", payload);
    const boost::json::value* omit = context.as_object().if_contains("omit_session_token");
    if (credentials.contains("token") && (omit == nullptr || !omit->as_bool()))
      v.fields.emplace_back("X-Amz-Security-Token", text(credentials.at("token")));
    const std::vector<Field> fields(v.fields.begin(), v.fields.end());
    const std::string signature = text_of(entry.path() / "header-signature.txt");
    const std::string_view value = signer.authorization(v.method, v.target, fields, payload, kTime);
    EXPECT_TRUE(value.ends_with(", Signature=" + signature)) << entry.path().filename() << "\n" << value;
    const std::string request = text_of(entry.path() / "header-signed-request.txt");
    EXPECT_TRUE(request.contains("Authorization:" + std::string(value))) << entry.path().filename();
  }
  EXPECT_EQ(cases, 32);
}

// The signature, worked out from the canonical request that AWS's documents prescribe.
std::string expected(std::string_view secret, const std::string& canonical, const std::string& scope_date) {
  const auto hmac = [](std::string_view key, std::string_view text) {
    std::string out(32, '\0');
    std::size_t size = 0;
    EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
              reinterpret_cast<const unsigned char*>(text.data()), text.size(),
              reinterpret_cast<unsigned char*>(out.data()), out.size(), &size);
    return out;
  };
  const std::string key =
      hmac(hmac(hmac(hmac("AWS4" + std::string(secret), scope_date.substr(0, 8)), "eu-central-1"), "s3"),
           "aws4_request");
  const std::string scope = scope_date.substr(0, 8) + "/eu-central-1/s3/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + scope_date + "\n" + scope + "\n" + payload_hash(canonical);
  std::string hex;
  for (const char c : hmac(key, to_sign)) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
    hex += two;
  }
  return hex;
}

TEST(SigV4, WritesTheFieldsOfAnS3Request) {
  SigV4 signer("AKID", base::Secret("secret"), base::Secret("session"), "eu-central-1");
  std::string out = "Host: h:9000\r\n";
  const Field own[] = {{"X-Amz-Meta-A", "b"}};
  signer.append_fields(out,
                       {.method = "PUT",
                        .target = "/bucket/a+b/c%20d%2Fe?partNumber=1&uploadId=x%3D&acl",
                        .host = "h:9000",
                        .payload = kUnsignedPayload,
                        .fields = own},
                       kTime);
  const std::string canonical =
      "PUT\n/bucket/a%2Bb/c%20d%2Fe\nacl=&partNumber=1&uploadId=x%3D\nhost:h:9000\n"
      "x-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:20150830T123600Z\nx-amz-meta-a:b\n"
      "x-amz-security-token:session\n\n"
      "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token\nUNSIGNED-PAYLOAD";
  EXPECT_EQ(
      out,
      "Host: h:9000\r\nx-amz-date: 20150830T123600Z\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"
      "x-amz-security-token: session\r\nAuthorization: AWS4-HMAC-SHA256 "
      "Credential=AKID/20150830/eu-central-1/s3/aws4_request, "
      "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token, Signature=" +
          expected("secret", canonical, "20150830T123600Z") + "\r\n");
}

TEST(SigV4, TakesAnotherKeyOnAnotherDay) {
  SigV4 signer("AKID", base::Secret("secret"), base::Secret(), "eu-central-1");
  const std::string empty = payload_hash("");
  for (const auto& [now, date] :
       {std::pair(kTime, "20150830T123600Z"), std::pair(kTime + base::Seconds(1), "20150830T123601Z"),
        std::pair(kTime + base::Seconds(86'400), "20150831T123600Z"), std::pair(kTime, "20150830T123600Z")}) {
    std::string out;
    signer.append_fields(out, {.method = "GET", .target = "/b/k", .host = "h", .payload = empty}, now);
    std::string canonical = "GET\n/b/k\n\nhost:h\nx-amz-content-sha256:";
    canonical.append(empty).append("\nx-amz-date:").append(date);
    canonical.append("\n\nhost;x-amz-content-sha256;x-amz-date\n").append(empty);
    EXPECT_TRUE(out.contains("Signature=" + expected("secret", canonical, date))) << date;
  }
}

}  // namespace
}  // namespace prove
