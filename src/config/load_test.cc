#include "config/load.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "config/address.h"

namespace config {
namespace {

using namespace std::chrono_literals;

Env env_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

Config load(const std::string& text, std::map<std::string, std::string> env = {}) {
  return load_text(text, "etc/t.yaml", env_of(std::move(env)));
}

constexpr const char* kLeast = R"(
listen: 0.0.0.0:8080
origins: { site: { type: dir, path: ./public } }
routes: [ { path: /, origin: site } ]
)";

// The least configuration with one more origin, "o".
Config with_origin(const std::string& origin, std::map<std::string, std::string> env = {}) {
  return load("listen: 0.0.0.0:1\norigins: { o: " + origin + " }\nroutes: { path: /, origin: o }\n",
              std::move(env));
}
S3Origin s3(const std::string& keys, std::map<std::string, std::string> env = {}) {
  return std::get<S3Origin>(
      with_origin("{ type: s3, bucket: b" + keys + " }", std::move(env)).origins.at("o").kind);
}
JwtIdentity jwt(const std::string& keys, std::map<std::string, std::string> env = {}) {
  return load(std::string(kLeast) + "identities: { i: { type: jwt, " + keys + " } }\n", std::move(env))
      .identities.at("i");
}

class Folder {  // a temporary one
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("config_test." + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

TEST(Load, FillsTheModelFromTheDesignsSketch) {
  const Config c = load(R"(
listen: [0.0.0.0:8080, { address: "[::1]:8081" }]
admin: { listen: 127.0.0.1:9901 }
trusted_proxies: 10.0.0.0/8
origins:
  site:   { type: dir, path: ./public }
  photos: { type: s3, bucket: photos, region: eu-central-1, endpoint: "http://127.0.0.1:9000",
            access_key_id: "${PHOTOS_KEY}", secret_access_key: "${PHOTOS_SECRET}" }
  search: { type: http, url: "https://api.example.com", timeouts: { connect: 1s, first_byte: 5s } }
identities:
  staff:
    type: jwt
    issuer: https://id.example.com
    audience: sekisho
    algorithms: [HS256]
    keys: [ { inline: "${SECRET}", kid: "2026-11" } ]
    from: [ bearer, { header: X-Token, prefix: "Token " }, { query: token } ]
cache:
  memory: { size: 1GiB, max_object: 16MiB }
log: { level: debug, access: off }
routes:
  - { path: /,        origin: site,   cache: { ttl: 10m } }
  - { path: /photos/, origin: photos, identity: staff, cache: off }
  - { path: /search,  origin: search, identity: staff, forward_authorization: true }
)",
                        {{"PHOTOS_KEY", "id"}, {"PHOTOS_SECRET", "s:{e}"}, {"SECRET", "not: [yaml"}});

  ASSERT_EQ(c.listen.size(), 2U);
  EXPECT_EQ(c.listen[1].address.host, "::1");
  EXPECT_EQ(c.listen[1].address.port, 8081);
  EXPECT_EQ(c.admin.listen->port, 9901);
  EXPECT_EQ(c.trusted_proxies.size(), 1U);
  EXPECT_EQ(std::get<DirOrigin>(c.origins.at("site").kind).path, "etc/public");

  const auto& photos = std::get<S3Origin>(c.origins.at("photos").kind);
  EXPECT_EQ(photos.bucket, "photos");
  EXPECT_EQ(photos.endpoint.authority(), "127.0.0.1:9000");
  EXPECT_EQ(photos.style, S3Style::kPath);
  EXPECT_EQ(photos.access_key_id, "id");
  EXPECT_EQ(photos.secret_access_key.reveal(), "s:{e}");

  const auto& search = std::get<HttpOrigin>(c.origins.at("search").kind);
  EXPECT_TRUE(search.url.tls);
  EXPECT_EQ(search.timeouts.connect, 1s);
  EXPECT_EQ(search.timeouts.first_byte, 5s);
  EXPECT_EQ(search.timeouts.idle, 30s);

  const JwtIdentity& staff = c.identities.at("staff");
  EXPECT_EQ(staff.issuer, "https://id.example.com");
  EXPECT_EQ(staff.audience, std::vector<std::string>{"sekisho"});
  ASSERT_EQ(staff.keys.size(), 1U);
  EXPECT_EQ(staff.keys[0].kid, "2026-11");
  EXPECT_EQ(staff.keys[0].algorithm, Algorithm::kHS256);
  EXPECT_EQ(staff.keys[0].material.reveal(), "not: [yaml");
  ASSERT_EQ(staff.from.size(), 3U);
  EXPECT_EQ(staff.from[0].kind, TokenSource::Kind::kBearer);
  EXPECT_EQ(staff.from[1].kind, TokenSource::Kind::kHeader);
  EXPECT_EQ(staff.from[1].name, "X-Token");
  EXPECT_EQ(staff.from[1].prefix, "Token ");
  EXPECT_EQ(staff.from[2].kind, TokenSource::Kind::kQuery);
  EXPECT_EQ(staff.from[2].name, "token");

  EXPECT_EQ(c.cache.memory.size, 1U << 30);
  EXPECT_EQ(c.memory.max, c.cache.memory.size + c.cache.fill_budget);
  EXPECT_EQ(c.log.level, LogLevel::kDebug);
  EXPECT_FALSE(c.log.access.enabled);
  ASSERT_EQ(c.routes.size(), 3U);
  EXPECT_EQ(c.routes[0].cache.ttl, 10min);
  EXPECT_EQ(c.routes[0].line, 22);
  EXPECT_TRUE(c.routes[0].identity.empty());
  EXPECT_FALSE(c.routes[1].cache.enabled);
  EXPECT_EQ(c.routes[1].identity, std::vector<std::string>{"staff"});
  EXPECT_TRUE(c.routes[2].forward_authorization);
}

TEST(Load, TakesOneItemWhereAListMayStand) {
  const JwtIdentity i = jwt("algorithms: ES256, keys: { inline: x }, audience: a, from: { query: t }");
  EXPECT_EQ(i.algorithms, std::vector{Algorithm::kES256});
  EXPECT_EQ(i.keys.size(), 1U);
  EXPECT_EQ(i.from.size(), 1U);
}

TEST(Load, LooksForABearerTokenWhereNothingElseIsSaid) {
  const JwtIdentity i = jwt("algorithms: ES256, keys: { inline: x }");
  ASSERT_EQ(i.from.size(), 1U);
  EXPECT_EQ(i.from[0].kind, TokenSource::Kind::kBearer);
}

TEST(Load, CopiesAliases) {
  const Config c = load(R"(
listen: 0.0.0.0:8080
origins:
  a: { type: http, url: "http://a", timeouts: &t { connect: 7s } }
  b: { type: http, url: "http://b", timeouts: *t }
routes: [ { path: /, origin: a } ]
)");
  EXPECT_EQ(std::get<HttpOrigin>(c.origins.at("b").kind).timeouts.connect, 7s);
}

TEST(Load, PutsLogFilesBesideTheConfiguration) {
  const Config c = load(std::string(kLeast) + "log: { access: { output: access.log } }\n");
  EXPECT_EQ(c.log.access.output, "etc/access.log");
  EXPECT_EQ(c.log.output, "stderr");
}

TEST(S3Origin, DefaultsToAwsByItsRegion) {
  const S3Origin aws = s3(", region: eu-central-1");
  EXPECT_EQ(UrlText::show(aws.endpoint), "https://s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(aws.style, S3Style::kVirtualHost);
  EXPECT_EQ(s3("").endpoint.host, "s3.amazonaws.com");
  EXPECT_EQ(s3("").region, "") << "is found";
  EXPECT_EQ(s3(", region: cn-north-1").endpoint.host, "s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(s3(", prefix: tenant1").prefix, "tenant1/") << "not what stands before tenant10";
  EXPECT_EQ(s3(", prefix: a/b/").prefix, "a/b/");
  EXPECT_EQ(s3("").prefix, "");
  EXPECT_EQ(s3(", style: path").style, S3Style::kPath);
  EXPECT_EQ(s3(", endpoint: 'http://minio:9000'").style, S3Style::kPath);
  EXPECT_EQ(s3(", endpoint: 'http://minio:9000', style: virtual-host").style, S3Style::kVirtualHost);
}

TEST(S3Origin, ReadsTheRegionFromAnEndpointOfAws) {
  const auto region = [](const std::string& host) { return s3(", endpoint: 'https://" + host + "'").region; };
  EXPECT_EQ(region("s3.eu-central-1.amazonaws.com"), "eu-central-1");
  EXPECT_EQ(region("s3.dualstack.ap-southeast-2.amazonaws.com"), "ap-southeast-2");
  EXPECT_EQ(region("s3-fips.us-gov-west-1.amazonaws.com"), "us-gov-west-1");
  EXPECT_EQ(region("s3-eu-west-1.amazonaws.com"), "eu-west-1");
  EXPECT_EQ(region("s3.cn-north-1.amazonaws.com.cn"), "cn-north-1");
  EXPECT_EQ(region("bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com"), "us-east-1");
  for (const char* none : {"s3.amazonaws.com", "s3-external-1.amazonaws.com", "s3.eu-central-1.example.com",
                           "s3-website.amazonaws.com"})
    EXPECT_EQ(region(none), "") << none;
  EXPECT_EQ(s3(", region: us-west-2, endpoint: 'https://s3.eu-central-1.amazonaws.com'").region, "us-west-2");
}

TEST(S3Origin, TakesCredentialsFromTheEnvironment) {
  const S3Origin origin = s3(
      ", credentials: env",
      {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "sec/ret"}, {"AWS_SESSION_TOKEN", "tok=="}});
  EXPECT_EQ(origin.access_key_id, "AKID");
  EXPECT_EQ(origin.secret_access_key.reveal(), "sec/ret");
  EXPECT_EQ(origin.session_token.reveal(), "tok==");
}

TEST(S3Origin, TakesCredentialsFromAProfileOfAFile) {
  const Folder folder;
  const std::string path =
      folder.write("credentials",
                   "# a comment\n[default]\naws_access_key_id=A\naws_secret_access_key=a\n\n"
                   "[ other ]\r\naws_access_key_id = B\r\naws_secret_access_key = b=/b\r\n"
                   "region = x\naws_session_token = t\n[half]\naws_access_key_id = C\n");
  EXPECT_EQ(s3(", credentials: { file: " + path + " }").access_key_id, "A");
  const S3Origin other = s3(", credentials: { file: " + path + ", profile: other }");
  EXPECT_EQ(other.access_key_id, "B");
  EXPECT_EQ(other.secret_access_key.reveal(), "b=/b");
  EXPECT_EQ(other.session_token.reveal(), "t");
  const auto error_of = [&](const std::string& profile) -> std::string {
    try {
      s3(", credentials: { file: " + path + ", profile: " + profile + " }");
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(error_of("none"), "etc/t.yaml:2: origins.o.credentials.file: the file has no profile 'none'");
  EXPECT_EQ(error_of("half"),
            "etc/t.yaml:2: origins.o.credentials.file: profile 'half' gives no aws_secret_access_key");
}

TEST(S3Origin, TakesAnEmptySessionTokenForNone) {
  const S3Origin origin = s3(", access_key_id: A, secret_access_key: b, session_token: '${T:-}'");
  EXPECT_TRUE(origin.session_token.empty());
}

TEST(Keys, AreReadFromFilesBesideTheConfigurationWithoutTheirLastNewline) {
  const Folder folder;
  const std::string config =
      folder.write("t.yaml", std::string(kLeast) +
                                 "identities: { i: { type: jwt, algorithms: HS256, keys: [ { file: a }, "
                                 "{ file: b }, { file: c } ] } }\n");
  folder.write("a", "secret\n");
  folder.write("b", "secret\r\n");
  folder.write("c", "secret\n\n");
  const Config c = load_file(config, env_of({}));
  const auto& keys = c.identities.at("i").keys;
  EXPECT_EQ(keys[0].material.reveal(), "secret");
  EXPECT_EQ(keys[0].source, "file a");
  EXPECT_EQ(keys[1].material.reveal(), "secret");
  EXPECT_EQ(keys[2].material.reveal(), "secret\n");
}

TEST(Keys, ComeFromTheEnvironmentAndInLine) {
  const JwtIdentity i =
      jwt("algorithms: HS256, keys: [ { env: K }, { inline: '${K}!' } ]", {{"K", "from the environment"}});
  EXPECT_EQ(i.keys[0].material.reveal(), "from the environment");
  EXPECT_EQ(i.keys[0].source, "env K");
  EXPECT_EQ(i.keys[1].material.reveal(), "from the environment!");
  EXPECT_EQ(i.keys[1].source, "inline");
}

TEST(Keys, AreDecoded) {
  const auto decoded = [](const std::string& encoding, const std::string& text) {
    return std::string(jwt("algorithms: HS256, keys: { inline: '" + text + "', encoding: " + encoding + " }")
                           .keys[0]
                           .material.reveal());
  };
  EXPECT_EQ(decoded("text", "abcd"), "abcd");
  EXPECT_EQ(decoded("base64", "/+8="), "\xff\xef");
  EXPECT_EQ(decoded("base64", "/+8"), "\xff\xef");
  EXPECT_EQ(decoded("base64url", "_-8"), "\xff\xef");
  EXPECT_EQ(decoded("hex", "fFeF"), "\xff\xef");
  for (const auto& [encoding, text] : std::vector<std::pair<std::string, std::string>>{{"base64", "_-8="},
                                                                                       {"base64url", "/+8"},
                                                                                       {"base64", "a"},
                                                                                       {"base64", "/+8=="},
                                                                                       {"base64", "/+9"},
                                                                                       {"base64", "===="},
                                                                                       {"base64", "a b="},
                                                                                       {"hex", "f"},
                                                                                       {"hex", "fg"}})
    EXPECT_THROW(decoded(encoding, text), ConfigError) << encoding << " " << text;
}

TEST(LoadFile, SaysWhyItCannotRead) {
  const auto error_of = [](const std::string& path) -> std::string {
    try {
      load_file(path, env_of({}));
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(error_of("/nowhere/x.yaml"), "/nowhere/x.yaml: cannot be read: No such file or directory");
  EXPECT_EQ(error_of("/"), "/: is a folder, not a file");
  const Folder folder;
  const std::string large = folder.write("large.yaml", std::string((4 << 20) + 1, '#'));
  EXPECT_EQ(error_of(large), large + ": is larger than 4MiB");
  const std::string binary = folder.write("binary.yaml", std::string("a: \0b", 5));
  EXPECT_EQ(error_of(binary), binary + ": holds a NUL byte; is it a YAML file?");
}

}  // namespace
}  // namespace config
