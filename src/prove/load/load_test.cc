#include "prove/load/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace prove {
namespace {

using base::Seconds;
using testing::ElementsAre;
using testing::Pair;

LoadOptions options() {
  LoadOptions out;
  out.binary = "/usr/bin/sekisho";
  out.run_dir = "/tmp/run";
  out.env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SECRET") return "hunter2";
    return std::nullopt;
  };
  return out;
}

Campaign loaded(const std::string& text, const LoadOptions& with = options()) {
  return load_campaign_text(text, "/campaigns/t.yaml", with);
}

// A campaign with the least that one needs, and `more` beside it.
Campaign around(const std::string& more, const LoadOptions& with = options()) {
  return loaded(
      "targets: { gateway: 'http://127.0.0.1:8080/base' }\n"
      "scenarios: { read: { steps: [ { get: /a } ] } }\n"
      "phases: [ { name: load, duration: 10s, rate: 100 } ]\n" +
          more,
      with);
}

TEST(Campaign, HasDefaultsForAllButTheLeast) {
  const Campaign c = around("");
  EXPECT_EQ(c.name, "t");
  EXPECT_EQ(c.folder, "/campaigns");
  EXPECT_EQ(c.seed, 1u);
  EXPECT_EQ(c.interval, Seconds(1));
  ASSERT_EQ(c.targets.size(), 1u);
  EXPECT_EQ(c.targets[0].name, "gateway");
  EXPECT_EQ(c.targets[0].url.path, "/base");
  EXPECT_TRUE(c.targets[0].metrics.empty());
  ASSERT_EQ(c.scenarios.size(), 1u);
  EXPECT_EQ(c.scenarios[0].connections, 64u);
  const Step& step = c.scenarios[0].steps.at(0);
  EXPECT_EQ(step.name, "GET /a");
  EXPECT_EQ(step.target, "gateway");
  EXPECT_EQ(step.path.text(), "/a");
  EXPECT_THAT(step.expect.status, ElementsAre(Pair(200, 299)));
  ASSERT_EQ(c.phases.size(), 1u);
  EXPECT_EQ(c.phases[0].rate, (std::pair(100.0, 100.0)));
  EXPECT_FALSE(c.phases[0].users || c.phases[0].ramp);
  EXPECT_EQ(c.validity.rate, 99);
}

TEST(Campaign, ReadsStepsAsTheyAreWritten) {
  const Campaign c = loaded(R"(
targets:
  a: http://127.0.0.1:1
  b: { url: "http://127.0.0.1:2", access_key_id: K, secret_access_key: S }
data: { ids: 1..1000 }
scenarios:
  order:
    weight: 2.5
    connections: 8
    reconnect: on
    bandwidth: 1MiB
    steps:
      - post: /orders
        name: create
        headers: { X-Id: "{{ids}}" }
        body: '{"id": {{ids}}}'
        capture: { json: /id, as: order }
        expect: 201
        think: 100ms..1s
      - { get: "/orders/{{order}}", expect: [200, 304] }
      - { get: "/orders/{{order}}" }
      - { path: /x, method: PROPFIND, target: b, type: s3, body_size: 1KiB, think: 1s }
      - get: /y
        expect: { outcome: denied, headers: { ETag: "*" }, length: 3, body: "{{order}}" }
      - { get: /z, expect: { outcome: limited } }
      - { get: /z, expect: { status: 2xx, sha256: AABBCCDDEEFF00112233445566778899AABBCCDDEEFF00112233445566778899 } }
phases: [ { name: load, duration: 10s, users: 10..500, ramp: 5s } ]
)");
  const Scenario& order = c.scenarios.at(0);
  EXPECT_EQ(order.weight, 2.5);
  EXPECT_EQ(order.connections, 8u);
  EXPECT_TRUE(order.reconnect);
  EXPECT_EQ(order.bandwidth, 1u << 20);
  ASSERT_EQ(order.steps.size(), 7u);
  const Step& create = order.steps[0];
  EXPECT_EQ(create.name, "create");
  EXPECT_EQ(create.method, "POST");
  EXPECT_EQ(create.headers.at(0).first, "X-Id");
  EXPECT_EQ(create.body.text(), "{\"id\": {{ids}}}");
  EXPECT_EQ(create.captures.at(0).from, "/id");
  EXPECT_EQ(create.captures.at(0).as, "order");
  EXPECT_THAT(create.expect.status, ElementsAre(Pair(201, 201)));
  EXPECT_EQ(create.think_min, base::Millis(100));
  EXPECT_EQ(create.think_max, Seconds(1));
  EXPECT_THAT(order.steps[1].expect.status, ElementsAre(Pair(200, 200), Pair(304, 304)));
  EXPECT_EQ(order.steps[2].name, "GET /orders/{{order}} (2)");
  EXPECT_EQ(order.steps[3].method, "PROPFIND");
  EXPECT_EQ(order.steps[3].target, "b");
  EXPECT_EQ(order.steps[3].type, StepType::kS3);
  EXPECT_EQ(order.steps[3].body_size, 1024u);
  EXPECT_EQ(order.steps[3].think_max, Seconds(1));
  EXPECT_THAT(order.steps[4].expect.status, ElementsAre(Pair(401, 401), Pair(403, 403)));
  EXPECT_EQ(order.steps[4].expect.outcome, Outcome::kDenied);
  EXPECT_EQ(order.steps[4].expect.headers.at(0).value.text(), "*");
  EXPECT_EQ(order.steps[4].expect.length, 3u);
  EXPECT_THAT(order.steps[5].expect.status, ElementsAre(Pair(429, 429)));
  EXPECT_EQ(order.steps[6].expect.sha256.substr(0, 4), "aabb");
  EXPECT_EQ(c.phases[0].users, (std::pair<std::uint64_t, std::uint64_t>(10, 500)));
  EXPECT_EQ(c.phases[0].ramp, Seconds(5));
}

TEST(Campaign, ReadsWhatAReplyMustBe) {
  const Campaign c = loaded(R"(
targets: { t: "http://127.0.0.1:1" }
phases: [ { name: load, duration: 10s, rate: 100 } ]
scenarios:
  s:
    steps:
      - get: /a
        expect:
          body: [a, b]
          headers: { ETag: { matches: '^"x{2}"$', not_contains: [c, d] }, X: "!" }
          json: { /n: 19.90, /t: "7", /e: absent, /l: { length: { ">": 1 }, "==": [1, {x: null}] } }
      - get: /a
        expect: { body: { not_contains: "{{{{", matches: "{{x}}" } }
      - post: /a
        multipart: [ { name: a, value: "{{uuid}}" }, { name: b, value: c, filename: d.txt, type: text/plain } ]
)");
  const Expect& expect = c.scenarios.at(0).steps.at(0).expect;
  ASSERT_EQ(expect.body.size(), 2u);
  EXPECT_EQ(expect.body[1].test, TextTest::kContains);
  ASSERT_EQ(expect.headers.size(), 4u);
  EXPECT_EQ(expect.headers[0].test, TextTest::kMatches);
  EXPECT_EQ(expect.headers[0].value.text(), "^\"x{2}\"$");
  EXPECT_EQ(expect.headers[2].value.text(), "d");
  EXPECT_EQ(expect.headers[3].test, TextTest::kIs);
  ASSERT_EQ(expect.json.size(), 5u);
  EXPECT_EQ(expect.json[0].wanted.kind, JsonWanted::Kind::kNumber);
  EXPECT_EQ(expect.json[0].wanted.text.text(), "19.90");
  EXPECT_EQ(expect.json[1].wanted.kind, JsonWanted::Kind::kText);
  EXPECT_EQ(expect.json[2].test, JsonCheck::Test::kAbsent);
  EXPECT_TRUE(expect.json[3].length);
  EXPECT_EQ(expect.json[3].test, JsonCheck::Test::kMore);
  EXPECT_EQ(expect.json[4].wanted.items.at(1).names.at(0), "x");
  EXPECT_EQ(expect.json[4].wanted.items.at(1).items.at(0).kind, JsonWanted::Kind::kWord);
  const Expect& second = c.scenarios[0].steps.at(1).expect;
  EXPECT_EQ(second.body.at(0).value.render({}), "{{");
  EXPECT_EQ(second.body.at(1).value.render({}), "{{x}}");
  const Step& form = c.scenarios[0].steps.at(2);
  ASSERT_EQ(form.multipart.size(), 2u);
  EXPECT_FALSE(form.multipart[0].filename.has_value());
  EXPECT_EQ(form.multipart[1].filename.value_or(Template()).text(), "d.txt");
}

TEST(Campaign, ReadsWhatIsDoneToTheWorld) {
  const Campaign c = around(R"(
processes:
  gateway:
    command: ["${SEKISHO}", serve, -c, "${CAMPAIGN_DIR}/g.yaml"]
    env: { A: 1 }
    folder: sub
    stdin: "listen: x\n"
    ready: http://127.0.0.1:9/ready?x=1
    stop: 2s
  origin: { command: sleep, ready: { tcp: "127.0.0.1:9", timeout: 1s } }
tokens: { admin: { key: { value: abc } } }
setup:
  - call: { url: "http://127.0.0.1:9/{{index}}", method: PUT, headers: { Authorization: "Bearer {{admin}}" }, repeat: 3, status: 201 }
  - { command: [touch, "${RUN_DIR}/x"], timeout: 1s }
teardown: { call: "http://127.0.0.1:9/stop" }
faults:
  - { name: frozen, at: 2s, for: 1s, pause: gateway }
  - { name: told, at: 4s, for: 1s, signal: SIGHUP, process: origin, undo: { command: "true" } }
  - { name: again, at: 6s, restart: origin }
windows: { late: { from: 5s, to: 10s } }
)");
  ASSERT_EQ(c.processes.size(), 2u);
  EXPECT_THAT(c.processes[0].command, ElementsAre("/usr/bin/sekisho", "serve", "-c", "/campaigns/g.yaml"));
  EXPECT_THAT(c.processes[0].env, ElementsAre(Pair("A", "1")));
  EXPECT_EQ(c.processes[0].folder, "/campaigns/sub");
  EXPECT_EQ(c.processes[0].stdin_text, "listen: x\n");
  EXPECT_EQ(c.processes[0].ready.url.text(), "http://127.0.0.1:9/ready?x=1");
  EXPECT_EQ(c.processes[1].folder, "/campaigns");
  EXPECT_EQ(c.processes[1].ready.tcp, "127.0.0.1:9");
  ASSERT_EQ(c.setup.size(), 2u);
  EXPECT_EQ(c.setup[0].call.method, "PUT");
  EXPECT_EQ(c.setup[0].call.url.path, "/{{index}}");
  EXPECT_EQ(c.setup[0].call.repeat, 3u);
  EXPECT_EQ(c.setup[0].call.status_to, 201u);
  EXPECT_EQ(c.setup[1].kind, Deed::Kind::kCommand);
  EXPECT_THAT(c.setup[1].command, ElementsAre("touch", "/tmp/run/x"));
  EXPECT_EQ(c.teardown.at(0).call.url.path, "/stop");
  ASSERT_EQ(c.faults.size(), 3u);
  EXPECT_EQ(c.faults[0].deed.kind, Deed::Kind::kPause);
  EXPECT_EQ(c.faults[0].deed.process, "gateway");
  EXPECT_EQ(c.faults[0].duration, Seconds(1));
  EXPECT_EQ(c.faults[1].deed.kind, Deed::Kind::kSignal);
  EXPECT_EQ(c.faults[1].deed.signal, SIGHUP);
  EXPECT_EQ(c.faults[1].deed.process, "origin");
  EXPECT_THAT(c.faults[1].undo->command, ElementsAre("true"));
  EXPECT_EQ(c.faults[2].deed.kind, Deed::Kind::kRestart);
  EXPECT_EQ(c.windows.at(0).name, "late");
}

TEST(Campaign, ReadsTheVerdict) {
  const Campaign c = around(R"(
faults: [ { name: frozen, at: 2s, call: "http://127.0.0.1:9/" } ]
define: { hits: "delta(hits_total) / requests" }
guardrails:
  - p95 < 50ms
  - { check: p99 < 1s, name: tail, scenario: read, phase: load, window: before frozen }
requires: hits > 0.4
validity: { rate: 95.5%, send_lag: 20ms, recovered: 5s, shares: confident }
)");
  EXPECT_THAT(c.define, ElementsAre(Pair("hits", "delta(hits_total) / requests")));
  ASSERT_EQ(c.guardrails.size(), 2u);
  EXPECT_EQ(c.guardrails[0].text, "p95 < 50ms");
  EXPECT_EQ(c.guardrails[0].name, "p95 < 50ms");
  EXPECT_EQ(c.guardrails[0].line, 8);
  EXPECT_EQ(c.guardrails[1].name, "tail");
  EXPECT_EQ(c.guardrails[1].window, "before frozen");
  EXPECT_EQ(c.require.at(0).text, "hits > 0.4");
  EXPECT_EQ(c.validity.rate, 95.5);
  EXPECT_EQ(c.validity.send_lag, base::Millis(20));
  EXPECT_EQ(c.validity.recovered, base::Millis(5'000));
  EXPECT_EQ(c.validity.shares, Shares::kConfident);
}

TEST(Campaign, TakesClaimsOfAnyKind) {
  const Campaign c = around(R"(
tokens:
  valid:
    algorithm: HS512
    key: { value: "${SECRET}" }
    claims: { sub: "user-{{index}}", admin: true, aud: [a, 2, "3"], realm: { roles: [x] }, n: 5, s: '42', t: plain }
    count: 100
  none: { algorithm: none, expired: true, tamper: payload }
)");
  ASSERT_EQ(c.tokens.size(), 2u);
  EXPECT_EQ(c.tokens[0].algorithm, TokenAlgorithm::kHS512);
  EXPECT_EQ(c.tokens[0].key.reveal(), "hunter2");
  EXPECT_THAT(c.tokens[0].claims,
              ElementsAre(Pair("sub", R"("user-{{index}}")"), Pair("admin", "true"),
                          Pair("aud", R"(["a",2,"3"])"), Pair("realm", R"({"roles":["x"]})"), Pair("n", "5"),
                          Pair("s", R"("42")"), Pair("t", "plain")));
  EXPECT_EQ(c.tokens[1].tamper, Tamper::kPayload);
}

TEST(Campaign, FillsVariablesInTheirOrder) {
  LoadOptions with = options();
  with.set = {{"RATE", "7"}, {"SECRET", "set"}};
  const Campaign c = loaded(R"(
name: "${SECRET} ${OTHER:-default}"
targets: { gateway: "http://127.0.0.1:${PORT_GATEWAY}", again: "http://127.0.0.1:${PORT_GATEWAY}", other: "http://127.0.0.1:${PORT_OTHER}" }
scenarios: { read: { steps: { get: /a } } }
phases: { name: load, duration: 10s, rate: "${RATE}" }
)",
                            with);
  EXPECT_EQ(c.name, "set default");
  EXPECT_EQ(c.phases[0].rate->first, 7);
  ASSERT_EQ(c.ports.size(), 2u);
  EXPECT_EQ(c.targets[0].url.port, c.ports.at("PORT_GATEWAY"));
  EXPECT_EQ(c.targets[1].url.port, c.ports.at("PORT_GATEWAY"));
  EXPECT_EQ(c.targets[2].url.port, c.ports.at("PORT_OTHER"));
  EXPECT_NE(c.ports.at("PORT_GATEWAY"), c.ports.at("PORT_OTHER"));
}

TEST(Campaign, TakesAPortThatIsSetForOneOfItsOwn) {
  LoadOptions with = options();
  with.set = {{"PORT_A", "8080"}};
  const Campaign c = around("text: 'at ${PORT_A}'", with);
  EXPECT_EQ(c.text, "at 8080");
  EXPECT_THAT(c.ports, ElementsAre(Pair("PORT_A", 8080)));
}

TEST(Campaign, IsKnownByItsTextAndWhatIsSet) {
  LoadOptions with = options();
  const std::string text = "text: '${A:-1}'";
  const std::uint64_t plain = around(text, with).hash;
  EXPECT_EQ(around(text, with).hash, plain);
  EXPECT_NE(around("text: '${A:-2}'", with).hash, plain);
  with.set = {{"A", "1"}};
  EXPECT_NE(around(text, with).hash, plain);
  with.set.clear();
  with.env = [](const std::string& name) { return std::optional<std::string>(name == "A" ? "3" : "other"); };
  EXPECT_NE(around(text, with).hash,
            plain);  // the same load is not what the same file makes of another environment
}

TEST(Campaign, ScalesWhatLiesOnTheTimeline) {
  LoadOptions with = options();
  with.time_scale = 0.1;
  const Campaign c = loaded(R"(
targets: { gateway: "http://127.0.0.1:1" }
scenarios: { read: { steps: { get: /a, think: 1s } } }
phases:
  - { name: up, duration: 60s, rate: 0..10, ramp: 30s }
  - { name: on, duration: 2m, rate: 10 }
faults: [ { name: f, at: 70s, for: 10s, call: "http://127.0.0.1:1/" } ]
windows: { w: { from: 10s, to: 3m } }
)",
                            with);
  EXPECT_EQ(c.time_scale, 0.1);
  EXPECT_EQ(c.phases[0].duration, Seconds(6));
  EXPECT_EQ(c.phases[0].ramp, Seconds(3));
  EXPECT_EQ(c.phases[1].duration, Seconds(12));
  EXPECT_EQ(c.faults[0].at, Seconds(7));
  EXPECT_EQ(c.faults[0].duration, Seconds(1));
  EXPECT_EQ(c.windows[0].from, Seconds(1));
  EXPECT_EQ(c.windows[0].to, Seconds(18));
  EXPECT_EQ(c.scenarios[0].steps[0].think_min, Seconds(1));
  EXPECT_EQ(c.grace, Seconds(5));
}

class CampaignFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("campaign-" + std::to_string(::getpid()) +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::filesystem::path folder_;
};

TEST_F(CampaignFiles, AreReadFromTheirFolder) {
  write("users.csv", "name,password\nann,a\nbob,\"b,c\"\n");
  write("keys.json", R"(["a", 2])");
  write("body.bin", std::string("\0\1\2", 3));
  write("key.txt", "secret\n");
  write("c.yaml", R"(
targets: { gateway: "http://127.0.0.1:1" }
data:
  users: { file: users.csv, choose: sequence }
  keys: { file: keys.json, choose: zipf, exponent: 0.9 }
  names: { values: [x, y] }
  ids: 5..9
tokens: { t: { key: key.txt } }
scenarios: { s: { steps: { put: "/{{keys}}/{{names}}/{{ids}}/{{users.name}}", body_file: body.bin, headers: { Authorization: "Bearer {{t}}" } } } }
phases: { name: load, duration: 10s, rate: 1 }
)");
  const Campaign c = load_campaign((folder_ / "c.yaml").string(), options());
  ASSERT_EQ(c.data.size(), 4u);
  EXPECT_THAT(c.data[0].columns, ElementsAre("name", "password"));
  EXPECT_THAT(c.data[0].rows, ElementsAre(ElementsAre("ann", "a"), ElementsAre("bob", "b,c")));
  EXPECT_EQ(c.data[0].choose, Choice::kSequence);
  EXPECT_THAT(c.data[1].rows, ElementsAre(ElementsAre("a"), ElementsAre("2")));
  EXPECT_EQ(c.data[1].exponent, 0.9);
  EXPECT_THAT(c.data[2].rows, ElementsAre(ElementsAre("x"), ElementsAre("y")));
  EXPECT_TRUE(c.data[3].range);
  EXPECT_EQ(c.data[3].to, 9u);
  EXPECT_EQ(c.tokens[0].key.reveal(), "secret");
  EXPECT_EQ(c.scenarios[0].steps[0].body_file, (folder_ / "body.bin").string());
  EXPECT_EQ(c.folder, folder_.string());
}

}  // namespace
}  // namespace prove
