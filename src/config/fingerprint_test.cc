#include "config/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <set>

#include "config/load.h"
#include "config/reader.h"
#include "config/tables.h"

namespace config {
namespace {

Origin origin_of(const std::string& origin) {
  return load_text("listen: 0.0.0.0:1\norigins: { o: " + origin + " }\nroutes: { path: /, origin: o }\n",
                   "t.yaml", [](const std::string&) -> std::optional<std::string> { return std::nullopt; })
      .origins.at("o");
}
Origin s3(const std::string& more) {
  return origin_of("{ type: s3, bucket: b, endpoint: 'http://h:9', " + more + " }");
}
Origin http(const std::string& more) {
  return origin_of("{ type: http, url: 'https://h', " + more + " }");
}
const std::string kKeys = "access_key_id: A, secret_access_key: s";

bool same_answers(const Origin& a, const Origin& b) {
  return answer_id(a) == answer_id(b);
}
bool same_connections(const Origin& a, const Origin& b) {
  return fingerprint(a) == fingerprint(b);
}

// SHA-256 of the rendering, computed by another program. When this fails, caches that outlive the process
// forget all: if the new replies are the same, find out why; if not, give kGeneration its next number.
TEST(AnswerId, IsTheSameInEveryProcess) {
  const AnswerId id = answer_id(s3(kKeys));
  EXPECT_EQ(id.high, 3070946294210905228U);
  EXPECT_EQ(id.low, 5124819597922413124U);
}

TEST(AnswerId, ChangesWithWhateverDecidesTheReply) {
  for (const char* more :
       {"bucket: c, endpoint: 'http://h:9'", "bucket: b, endpoint: 'http://h:8'",
        "bucket: b, endpoint: 'http://h:9', region: r", "bucket: b, endpoint: 'http://h:9', prefix: p/",
        "bucket: b, endpoint: 'http://h:9', style: virtual-host",
        "bucket: b, endpoint: 'http://h:9', tls: { verify: off }"})
    EXPECT_FALSE(same_answers(s3(""), origin_of("{ type: s3, " + std::string(more) + " }"))) << more;
  EXPECT_FALSE(same_answers(http(""), origin_of("{ type: http, url: 'http://h' }")));
  EXPECT_FALSE(same_answers(http(""), origin_of("{ type: http, url: 'https://h/p' }")));
  EXPECT_FALSE(same_answers(http(""), http("preserve_host: on")));
  EXPECT_FALSE(same_answers(origin_of("{ type: dir, path: a }"), origin_of("{ type: dir, path: b }")));
}

TEST(AnswerId, StaysWithTimeoutsPoolsAndConcurrency) {
  const Origin other = http(
      "timeouts: { connect: 9s, first_byte: 9s, idle: 9s }, concurrency: 9, "
      "pool: { idle: 9, idle_timeout: 9s, resolve_every: 9s }");
  EXPECT_TRUE(same_answers(http(""), other));
  EXPECT_FALSE(same_connections(http(""), other));
  EXPECT_TRUE(same_connections(http(""), http("concurrency: 9"))) << "the gate is found again by name";
}

TEST(AnswerId, KnowsCredentialsByTheirNameAndNotByTheSecret) {
  EXPECT_FALSE(same_answers(s3(""), s3(kKeys)));
  EXPECT_FALSE(same_answers(s3(kKeys), s3("access_key_id: B, secret_access_key: s")));
  const Origin rotated = s3("access_key_id: A, secret_access_key: t, session_token: u");
  EXPECT_TRUE(same_answers(s3(kKeys), rotated));
  EXPECT_FALSE(same_connections(s3(kKeys), rotated)) << "but it is signed with the new one";
}

TEST(AnswerId, KnowsNoNames) {
  Origin other = s3(kKeys);
  other.name = "p";
  EXPECT_TRUE(same_answers(s3(kKeys), other));
  EXPECT_FALSE(same_connections(s3(kKeys), other));
}

TEST(AnswerId, IsOfTheWholePath) {
  Origin here = origin_of("{ type: dir, path: a }");
  Origin there = here;
  std::get<DirOrigin>(there.kind).path = (std::filesystem::current_path() / "a").string();
  EXPECT_TRUE(same_answers(here, there));
}

// Every row of a table that decides something, changed alone, tells.
void each_decision(const Section& section, const std::string& path,
                   const std::function<void(const std::string&, const Row&)>& visit) {
  for (const Row& row : section.rows) {
    if (row.kind == Kind::kPlanned) continue;
    EXPECT_TRUE(row.said_within || row.decides != Decides::kUnsaid) << path << row.name;
    if (row.said_within)
      each_decision(*row.sections[0], path + std::string(row.name) + ".", visit);
    else
      visit(path + std::string(row.name), row);
  }
}

TEST(Decides, WhatTheTablesSay) {
  std::set<std::string> answer, transport;
  for (const Section* section : {static_cast<const Section*>(&kDir), static_cast<const Section*>(&kS3),
                                 static_cast<const Section*>(&kHttp), static_cast<const Section*>(&kJwt)}) {
    each_decision(*section, std::string(section->type) + ".", [&](const std::string& key, const Row& row) {
      if (decides(row.decides, Decides::kAnswer)) answer.insert(key);
      if (decides(row.decides, Decides::kTransport)) transport.insert(key);
    });
  }
  using testing::UnorderedElementsAre;
  EXPECT_THAT(answer, UnorderedElementsAre(
                          "dir.path", "dir.follow_links", "s3.versions", "http.url", "http.preserve_host",
                          "http.tls.verify", "http.tls.ca_file", "http.tls.server_name", "s3.bucket",
                          "s3.region", "s3.endpoint", "s3.style", "s3.prefix", "s3.access_key_id",
                          "s3.tls.verify", "s3.tls.ca_file", "s3.tls.server_name", "jwt.issuer",
                          "jwt.audience", "jwt.algorithms", "jwt.keys", "jwt.jwks.url", "jwt.jwks.tls.verify",
                          "jwt.jwks.tls.ca_file", "jwt.jwks.tls.server_name", "jwt.token_types", "jwt.leeway",
                          "jwt.require_exp", "jwt.max_token"));
  EXPECT_TRUE(transport.contains("s3.secret_access_key") && transport.contains("http.pool.idle") &&
              transport.contains("jwt.jwks.timeout") && !transport.contains("jwt.leeway"));
}

TEST(Print, RunsNoTwoTextsTogether) {
  Print a, b;
  a.add(std::string_view("ab")), a.add(std::string_view("c"));
  b.add(std::string_view("a")), b.add(std::string_view("bc"));
  EXPECT_NE(a.bytes(), b.bytes());
  EXPECT_NE(a.hash(), b.hash());
}

}  // namespace
}  // namespace config
