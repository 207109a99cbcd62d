// The texts of errors: what the author of a campaign reads, so they are pinned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "prove/load/load.h"
#include "prove/load/tables.h"

namespace prove {
namespace {

using Cases = std::vector<std::pair<std::string, std::string>>;  // text, error

const std::string kTargets = "targets: { g: 'http://127.0.0.1:1', o: 'http://127.0.0.1:2' }\n";
const std::string kScenarios = "scenarios: { s: { steps: [ { get: /a } ] } }\n";
const std::string kPhases = "phases: [ { name: p, duration: 10s, rate: 1 } ]\n";

// The error's text without "t.yaml", or "" when there was none.
std::string error_of(const std::string& text, LoadOptions options = {}) {
  options.env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SECRET") return "hunter2";
    return std::nullopt;
  };
  try {
    load_campaign_text(text, "t.yaml", options);
  } catch (const config::ConfigError& e) {
    const std::string what = e.what();
    EXPECT_EQ(what.find('\n'), what.npos) << what;
    EXPECT_FALSE(what.contains("hunter2")) << what;
    return what.substr(std::string("t.yaml").size());
  }
  return "";
}

// Three good lines, then `text` from line 4 on.
std::string after(const std::string& text) {
  return error_of(kTargets + kScenarios + kPhases + text);
}
// A scenario's steps, from line 6 on.
std::string steps(const std::string& text) {
  return error_of(kTargets + kPhases + "scenarios:\n  s:\n    steps:\n" + text);
}
// Phases, from line 4 on.
std::string phases(const std::string& text) {
  return error_of(kTargets + kScenarios + "phases:\n" + text);
}

TEST(CampaignErrors, TellWhatIsWrongWithTheCourseOfSteps) {
  const Cases cases = {
      {"{ get: /, if: a == b }",
       ":6: scenarios.s.steps[0].if: names no value, so that it is always the same"},
      {"{ get: /, if: '{{now}} ==' }",
       ":6: scenarios.s.steps[0].if: has nothing on one side (write '' for an empty value)"},
      {"{ get: /, repeat: 0 }", ":6: scenarios.s.steps[0].repeat: '0' is out of bounds: 1 to 1000000"},
      {"{ get: /, repeat: { until: '{{now}}' } }", ":6: scenarios.s.steps[0].repeat.times: is missing"},
      {"{ repeat: 2, steps: [ { get: / } ], get: / }",
       ":6: scenarios.s.steps[0].get: stands beside 'steps': a group has 'if' and 'repeat' and nothing else"},
      {"{ steps: [ { get: / } ] }",
       ":6: scenarios.s.steps[0].steps: needs 'if' or 'repeat': what are they a group for?"},
      {"{ steps: [ { get: / } ], repeat: { times: 2, until: '{{now}}' } }",
       ":6: scenarios.s.steps[0].repeat.until: is for one step; a group is repeated so many times"},
      {"steps: [ { get: / } ]\n        if: '{{now}}'",
       ":7: scenarios.s.steps[0].if: is asked before the steps and has to stand in front of them"},
      {"{ get: /, follow: 21 }", ":6: scenarios.s.steps[0].follow: '21' is out of bounds: 0 to 20"},
      {"{ type: s3, get: /b/k, follow: 1 }",
       ":6: scenarios.s.steps[0].follow: needs 'type: http': a signature is for one address"},
      {"{ get: /, decompress: true, headers: { accept-encoding: br } }",
       ":6: scenarios.s.steps[0].headers.accept-encoding: is the harness's own to send, with 'decompress: "
       "true'"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(steps("      - " + text + "\n"), error) << text;
}

TEST(CampaignErrors, TellWhatIsWrongAroundTheLoad) {
  const Cases cases = {
      {"scenario: {}", ":4: scenario: unknown key, did you mean 'scenarios'?"},
      {"seed: x", ":4: seed: 'x' is not a whole number"},
      {"seed: 1\nseed: 2", ":5: seed: is given twice, first in line 4"},
      {"grace: 2h", ":4: grace: '2h' is out of bounds: 0s to 1h"},
      {"samples: 101", ":4: samples: '101' is out of bounds: 0 to 100"},
      {"samples: many", ":4: samples: 'many' is not a whole number"},
      {"generators: 999", ":4: generators: '999' is out of bounds: 0 to 256"},
      {"name: ''", ":4: name: is empty"},
      {"grace: ${GRACE}",
       ":4: grace: the environment variable GRACE is not set, and ${GRACE} gives no default"},
      {"text: ${GRACE-x}", ":4: text: has a '${' that does not name a variable (write $${ for a plain one)"},
      {"processes: { a: { command: [] } }", ":4: processes.a.command: is an empty list"},
      {"processes: { a: { command: '' } }", ":4: processes.a.command: names no program"},
      {"processes: { a: {} }", ":4: processes.a.command: is missing"},
      {"processes: { 'a b': { command: x } }",
       ":4: processes.a b: is not a name: letters, digits, '-', '_' and '.', 64 at most"},
      {"processes: { a: { command: x, env: { 1A: x } } }",
       ":4: processes.a.env.1A: is not the name of an environment variable"},
      {"processes: { a: { command: x, ready: { timeout: 1s } } }",
       ":4: processes.a.ready: needs one of: url, tcp"},
      {"processes: { a: { command: x, ready: { url: 'http://a', tcp: '1.2.3.4:5' } } }",
       ":4: processes.a.ready.tcp: stands beside 'url'; give one of them"},
      {"processes: { a: { command: x, ready: { tcp: 'h:1' } } }",
       ":4: processes.a.ready.tcp: 'h:1' is not an address and port such as 0.0.0.0:8080 or [::1]:8080"},
      {"processes: { a: { command: x, ready: { tcp: '1.2.3.4:5', status: 200 } } }",
       ":4: processes.a.ready.status: needs 'url'"},
      {"processes: { a: { command: x, ready: 'ftp://a' } }",
       ":4: processes.a.ready: must be a URL that begins with http:// or https://"},
      {"tokens: { t: {} }", ":4: tokens.t.key: is missing"},
      {"tokens: { t: { algorithm: ES256, key: { value: hunter2 } } }",
       ":4: tokens.t.key: is not a private key in PEM"},
      {"tokens: { t: { algorithm: HS999, key: { value: x } } }",
       ":4: tokens.t.algorithm: 'HS999' is none of: HS256, HS384, HS512, RS256, PS256, ES256, ES384, EdDSA, "
       "none"},
      {"tokens: { t: { key: nope.pem } }",
       ":4: tokens.t.key: the file 'nope.pem' cannot be read: No such file or directory"},
      {"tokens: { t: { key: { env: NOPE } } }",
       ":4: tokens.t.key.env: the variable NOPE is not set, or empty"},
      {"tokens: { t: { key: { env: SECRET, file: x } } }",
       ":4: tokens.t.key.env: stands beside 'file'; give one of them"},
      {"tokens: { t: { key: { value: x }, proof: p } }", ":4: tokens.t.proof: there is no proof 'p'"},
      {"proofs: { p: HS256 }",
       ":4: proofs.p: 'HS256' is none of: ES256, ES384, EdDSA, RS256, PS256, did you mean 'ES256'?"},
      {"proofs: { p: { key: { value: hunter2 } } }", ":4: proofs.p.key: is not a private key in PEM"},
      {"proofs: { p: { keys: 0 } }", ":4: proofs.p.keys: '0' is out of bounds: 1 to 10000"},
      {"proofs: { p: { algorithm: RS256, keys: 17 } }",
       ":4: proofs.p.keys: takes too long to make with RSA: 16 at the most"},
      {"proofs: { a.b: ES256 }", ":4: proofs.a.b: holds a '.', which only columns of data sets have"},
      {"tokens: { t: { algorithm: none, key: { value: x } } }",
       ":4: tokens.t.key: stands beside 'algorithm: none', which signs nothing"},
      {"tokens: { t: { algorithm: none, tamper: signature } }",
       ":4: tokens.t.tamper: has no signature to change: the algorithm is none"},
      {"tokens: { t: { key: { value: x }, claims: { sub: '{{user}}' } } }",
       ":4: tokens.t.claims.sub: '{{user}}' has no value: claims may use {{index}}"},
      {"tokens: { t: { key: { value: x }, claims: { sub: '{{user' } } }",
       ":4: tokens.t.claims.sub: has a '{{' without its '}}' (write '{{{{' for a plain '{{')"},
      {"tokens: { user: { key: { value: x } } }",
       ":4: tokens.user: is a name that templates have already: {{user}}"},
      {"tokens: { a.b: { key: { value: x } } }",
       ":4: tokens.a.b: holds a '.', which only columns of data sets have"},
      {"tokens: { t: { key: { value: x }, count: 0 } }",
       ":4: tokens.t.count: '0' is out of bounds: 1 to 1000000"},
      {"tokens: { t: { key: { value: x }, claims: { a: } } }",
       ":4: tokens.t.claims.a: has no value; give it one or take the key out"},
      {"data: { d: {} }", ":4: data.d: needs one of: range, values, file"},
      {"data: { d: 5..1 }", ":4: data.d: '5..1' is not a range such as 1..1000, the smaller number first"},
      {"data: { d: { values: [] } }", ":4: data.d.values: is an empty list"},
      {"data: { d: { file: nope.csv } }",
       ":4: data.d.file: the file 'nope.csv' cannot be read: No such file or directory"},
      {"data: { d: { file: nope.txt } }", ":4: data.d.file: must end with .csv or .json"},
      {"data: { d: { range: 1..2, exponent: 1 } }", ":4: data.d.exponent: needs 'choose: zipf'"},
      {"data: { d: { range: 1..2, choose: zipf, exponent: 0 } }",
       ":4: data.d.exponent: must be above 0 and at most 10"},
      {"data: { d: { range: 1..9000000000 } }",
       ":4: data.d.range: '1..9000000000' has more than 1000000000 numbers"},
      {"data: { d: { range: 1..2, choose: random } }",
       ":4: data.d.choose: 'random' is none of: uniform, zipf, sequence"},
      {"data: { t: 1..2 }\ntokens: { t: { key: { value: x } } }",
       ":5: tokens.t: is also the name of a data set, in line 4"},
      {"setup: {}", ":4: setup[0]: needs one of: call, command, pause, terminate, kill, restart, signal"},
      {"setup: [ { call: 'http://a', command: x } ]",
       ":4: setup[0].command: stands beside 'call'; give one of them"},
      {"setup: [ { signal: HUP } ]", ":4: setup[0].signal: needs 'process'"},
      {"setup: [ { pause: x } ]", ":4: setup[0].pause: there is no process 'x'"},
      {"setup: [ { call: 'http://a/{{keys}}' } ]",
       ":4: setup[0].call: '{{keys}}' has no value: calls may use {{index}}, tokens and what an "
       "earlier call of the setup captured"},
      {"setup: [ { signal: NONE, process: x } ]",
       ":4: setup[0].signal: 'NONE' is none of: HUP, INT, QUIT, USR1, USR2, TERM, STOP, CONT"},
      {"setup: [ { command: x, process: x } ]", ":4: setup[0].process: needs 'signal'"},
      {"setup: [ { pause: x, timeout: 1s } ]", ":4: setup[0].timeout: needs 'call' or 'command'"},
      {"setup: [ { command: [''] } ]", ":4: setup[0].command: names no program"},
      {"setup: { call: {} }", ":4: setup[0].call.url: is missing"},
      {"setup: { call: { url: 'http://a', method: get } }",
       ":4: setup[0].call.method: 'get' is not a method such as GET or PUT"},
      {"prepare: { pause: x }", ":4: prepare[0]: needs 'call' or 'command': no process runs yet"},
      {"setup: { call: { url: 'http://a', headers: { A: '{{tok}}' } } }\ntokens: { tok2: { key: { value: x } "
       "} }",
       ":4: setup[0].call.headers.A: '{{tok}}' has no value: calls may use {{index}}, tokens and what an "
       "earlier "
       "call of the setup captured, did you "
       "mean 'tok2'?"},
      {"prepare: { call: { url: 'http://a', capture: { json: /id, as: id } } }",
       ":4: prepare[0].call.capture: is for calls of the setup: only they come before the load"},
      {"setup: { call: { url: 'http://a/{{id}}', capture: { json: /id, as: id } } }",
       ":4: setup[0].call.url: '{{id}}' is captured only later, in line 4"},
      {"setup: { call: { url: 'http://a', choose: zipf, capture: { json: /id, as: id } } }",
       ":4: setup[0].call.choose: needs 'repeat': of one row there is no choice"},
      {"setup: { call: { url: 'http://a', choose: zipf, repeat: 2 } }",
       ":4: setup[0].call.choose: needs 'capture'"},
      {"setup: { call: { url: 'http://a', capture: { json: id, as: id } } }",
       ":4: setup[0].call.capture[0].json: is not a JSON pointer such as /items/0/id"},
      {"setup: [ { call: { url: 'http://a', capture: { json: /id, as: id } } },\n"
       " { call: { url: 'http://a', capture: { json: /id, as: id } } } ]",
       ":5: setup[1].call.capture[0].as: is also the name of a capture of the setup, in line 4"},
      {"faults: { name: f, at: 1s, for: 1s, pause: x }", ":4: faults[0].pause: there is no process 'x'"},
      {"faults: { name: f, at: 11s, command: x }",
       ":4: faults[0].at: lies beyond the end: the campaign ends after 10s"},
      {"faults: { name: f, at: 9s, for: 2s, command: x }",
       ":4: faults[0].for: reaches beyond the end: the campaign ends after 10s"},
      {"faults: { at: 9s, command: x }", ":4: faults[0].name: is missing"},
      {"faults: { name: f, at: 9s, command: x, undo: { command: y } }",
       ":4: faults[0].undo: needs 'for', which says when"},
      {"faults: { name: f, at: 9s, for: 1s, kill: x, undo: { command: y } }",
       ":4: faults[0].undo: has nothing to do: what the fault does undoes itself"},
      {"faults: [ { name: f, at: 9s, command: x }, { name: f, at: 9s, command: x } ]",
       ":4: faults[1].name: 'f' is also the name of the fault in line 4"},
      {"faults: { name: f, at: 9s }",
       ":4: faults[0]: needs one of: call, command, pause, terminate, kill, restart, signal"},
      {"faults: { name: f, at: 1s, restart: x }", ":4: faults[0].restart: there is no process 'x'"},
      {"windows: { w: { from: 5s, to: 5s } }", ":4: windows.w.to: must lie behind 'from'"},
      {"windows: { w: { from: 5s, to: 11s } }",
       ":4: windows.w.to: lies beyond the end: the campaign ends after 10s"},
      {"windows: { w: { from: 5s } }", ":4: windows.w.to: is missing"},
      {"windows: { f: { from: 5s, to: 6s } }\nfaults: { name: f, at: 9s, command: x }",
       ":4: windows.f: is also the name of the fault in line 5"},
      {"define: { 1a: '1' }",
       ":4: define.1a: is not a name for an expression: letters, digits and '_', no digit first"},
      {"guardrails: { check: p95 < 1s, scenario: x }",
       ":4: guardrails[0].scenario: there is no scenario 'x', did you mean 's'?"},
      {"guardrails: { check: p95 < 1s, phase: q }",
       ":4: guardrails[0].phase: there is no phase 'q', did you mean 'p'?"},
      {"guardrails: { check: p95 < 1s, window: before x }",
       ":4: guardrails[0].window: there is no window or fault 'x'"},
      {"guardrails: { check: p95 < 1s, step: GET /b }",
       ":4: guardrails[0].step: there is no step 'GET /b', did you mean 'GET /a'?"},
      {"guardrails: { check: p95 < 1s, tag: x }", ":4: guardrails[0].tag: there is no step with the tag 'x'"},
      {"guardrails: { check: offered > 1/s, step: GET /a }",
       ":4: guardrails[0].step: 'offered' has no meaning for a step"},
      {"guardrails: 'p95(step=x) < 1s'", ":4: guardrails[0]: there is no step 'x'"},
      {"requires: { check: p95 < 1s, step: GET /a, tag: x }",
       ":4: requires[0].tag: stands beside 'step'; give one of them"},
      {"guardrails: { check: requests > 1, abort: true }",
       ":4: guardrails[0].abort: 'requests' can be told only when the run is over"},
      {"guardrails: { check: count(ok) > 1, abort: true }",
       ":4: guardrails[0].abort: a count can end a run only by an upper bound, such as count(failed) < 10"},
      {"guardrails: { check: p95 < 1s, after: 1s }", ":4: guardrails[0].after: needs 'abort: true'"},
      {"requires: { check: p95 < 1s, abort: true }",
       ":4: requires[0].abort: needs a guardrail: what is required is told at the end"},
      {"guardrails: { check: p95 < 1s, scope: x }", ":4: guardrails[0].scope: unknown key"},
      {"guardrails: { name: x }", ":4: guardrails[0].check: is missing"},
      {"guardrails: recovery(f) < 1s", ":4: guardrails[0]: there is no fault 'f'"},
      {"requires: 'delta(x{target=\"z\"}) > 0'",
       ":4: requires[0]: there is no target 'z', did you mean 'g'?"},
      {"validity: { rate: 99 }", ":4: validity.rate: '99' is not a percentage such as 99.5%"},
      {"validity: { rate: 101% }", ":4: validity.rate: '101%' is not a percentage such as 99.5%"},
      {"validity: { busy: x }", ":4: validity.busy: 'x' is not a percentage such as 99.5%"},
      {"validity: { recovered: 50ms }", ":4: validity.recovered: '50ms' is out of bounds: 100ms to 30s"},
      {"validity: { shares: sure }", ":4: validity.shares: 'sure' is none of: observed, confident"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(after(text), error) << text;
}

TEST(CampaignErrors, TellWhatIsWrongInAStep) {
  const Cases cases = {
      {"{}", ":6: scenarios.s.steps[0]: needs one of: get, head, post, put, patch, delete, path"},
      {"{ get: /a, post: /b }", ":6: scenarios.s.steps[0].post: stands beside 'get'; give one of them"},
      {"{ get: a }", ":6: scenarios.s.steps[0].get: 'a' must begin with '/'"},
      {"{ get: '/a b' }",
       ":6: scenarios.s.steps[0].get: '/a b' holds a character that must be percent-encoded"},
      {"{ get: '/{{a' }",
       ":6: scenarios.s.steps[0].get: has a '{{' without its '}}' (write '{{{{' for a plain '{{')"},
      {"{ get: '/{{keys}}' }",
       ":6: scenarios.s.steps[0].get: '{{keys}}' has no value: no data set, token or capture of an earlier "
       "step has this name"},
      {"{ get: '/{{index}}' }",
       ":6: scenarios.s.steps[0].get: '{{index}}' has no value: no data set, token or capture of an earlier "
       "step has this name"},
      {"{ get: /a, method: PUT }", ":6: scenarios.s.steps[0].method: needs 'path'"},
      {"{ path: /a, method: put }",
       ":6: scenarios.s.steps[0].method: 'put' is not a method such as GET or PUT"},
      {"{ get: /a, body: a, body_size: 1 }",
       ":6: scenarios.s.steps[0].body_size: stands beside 'body'; give one of them"},
      {"{ get: /a, body_file: nope.bin }",
       ":6: scenarios.s.steps[0].body_file: the file 'nope.bin' cannot be read: No such file or directory"},
      {"{ get: /a, headers: { Content-Length: 1 } }",
       ":6: scenarios.s.steps[0].headers.Content-Length: is the harness's own to send"},
      {"{ get: /a, headers: { 'A B': 1 } }",
       ":6: scenarios.s.steps[0].headers.A B: is not the name of a header"},
      {"{ get: /a, headers: { A: \"a\\nb\" } }",
       ":6: scenarios.s.steps[0].headers.A: 'a?b' holds a control byte"},
      {"{ get: /a, type: s3 }",
       ":6: scenarios.s.steps[0]: needs a target with access_key_id and secret_access_key; 'g' has none"},
      {"{ get: /a, type: mcp }", ":6: scenarios.s.steps[0].type: 'mcp' is none of: http, s3"},
      {"{ get: /a, target: gg }",
       ":6: scenarios.s.steps[0].target: there is no target 'gg', did you mean 'g'?"},
      {"{ get: /a, timeout: 0s }", ":6: scenarios.s.steps[0].timeout: '0s' is out of bounds: 1ms to 1d"},
      {"{ get: /a, think: 1s..100ms }",
       ":6: scenarios.s.steps[0].think: '1s..100ms' is not a duration such as 500ms, or a range such as "
       "100ms..1s"},
      {"{ get: /a, expect: 20 }",
       ":6: scenarios.s.steps[0].expect[0]: '20' is not a status such as 200, 2xx or 200..299"},
      {"{ get: /a, expect: 2x }",
       ":6: scenarios.s.steps[0].expect[0]: '2x' is not a status such as 200, 2xx or 200..299"},
      {"{ get: /a, expect: [] }", ":6: scenarios.s.steps[0].expect: is an empty list"},
      {"{ get: /a, expect: { outcome: failed } }",
       ":6: scenarios.s.steps[0].expect.outcome: 'failed' is none of: ok, denied, limited"},
      {"{ get: /a, expect: { sha256: abc } }",
       ":6: scenarios.s.steps[0].expect.sha256: 'abc' is not a SHA-256 digest: 64 hexadecimal digits"},
      {"{ get: /a, expect: { body: '{{x}}' } }",
       ":6: scenarios.s.steps[0].expect.body: '{{x}}' has no value: no data set, token or capture of an "
       "earlier step has this name"},
      {"{ get: /a, expect: { statsu: 200 } }",
       ":6: scenarios.s.steps[0].expect.statsu: unknown key, did you mean 'status'?"},
      {"{ get: /a, capture: { as: x } }",
       ":6: scenarios.s.steps[0].capture[0]: needs one of: json, header, regex"},
      {"{ get: /a, capture: { json: id, as: x } }",
       ":6: scenarios.s.steps[0].capture[0].json: is not a JSON pointer such as /items/0/id"},
      {"{ get: /a, capture: { json: /id } }", ":6: scenarios.s.steps[0].capture[0].as: is missing"},
      {"{ get: /a, capture: { regex: '(', as: x } }",
       ":6: scenarios.s.steps[0].capture[0].regex: is not a regular expression"},
      {"{ get: /a, capture: { regex: 'a', as: x } }",
       ":6: scenarios.s.steps[0].capture[0].regex: must have one group, which is what is captured, not 0"},
      {"{ get: /a, capture: { json: /id, as: user } }",
       ":6: scenarios.s.steps[0].capture[0].as: is a name that templates have already: {{user}}"},
      {"{ get: /a, capture: { json: /id, as: a.b } }",
       ":6: scenarios.s.steps[0].capture[0].as: 'a.b' is not a name for a template: letters, digits, '-' and "
       "'_', 64 at most"},
      {"{ get: /a, capture: { json: /id, header: x, as: b } }",
       ":6: scenarios.s.steps[0].capture[0].header: stands beside 'json'; give one of them"},
      {"{ get: /a, capture: { json: /id, header: x, regex: '(a)', as: b } }",
       ":6: scenarios.s.steps[0].capture[0].header: stands beside 'json'; give one of them"},
      {"{ get: /a, capture: { header: x, regex: 'a', as: b } }",
       ":6: scenarios.s.steps[0].capture[0].regex: must have one group, which is what is captured, not 0"},
      {"{ get: '/{{a|row}}' }",
       ":6: scenarios.s.steps[0].get: has a '|row', which is none of: raw, json, url, base64"},
      {"{ get: '/{{random_string(x)}}' }",
       ":6: scenarios.s.steps[0].get: has a 'random_string(x)', which needs a length of 1 to 65536: "
       "random_string(16)"},
      {"{ get: '{{uuid}}' }",
       ":6: scenarios.s.steps[0].get: '{{uuid}}' begins the path, which has to begin with '/': uuid does "
       "not; write /{{uuid}}"},
      {"{ get: '{{{{a' }", ":6: scenarios.s.steps[0].get: '{{{{a' must begin with '/'"},
      {"{ post: /a, multipart: [ { name: a } ] }",
       ":6: scenarios.s.steps[0].multipart[0]: needs one of: value, file"},
      {"{ post: /a, multipart: [ { name: a, file: nope.bin } ] }",
       ":6: scenarios.s.steps[0].multipart[0].file: the file 'nope.bin' cannot be read: No such file or "
       "directory"},
      {"{ post: /a, body: b, multipart: [ { name: a, value: b } ] }",
       ":6: scenarios.s.steps[0].multipart: stands beside 'body'; give one of them"},
      {"{ post: /a, type: s3, multipart: [ { name: a, value: b } ] }",
       ":6: scenarios.s.steps[0].multipart: is for steps of type http: an object store takes bytes"},
      {"{ post: /a, headers: { content-type: b }, multipart: [ { name: a, value: b } ] }",
       ":6: scenarios.s.steps[0].headers.content-type: is the form's own, with 'multipart'"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(steps("      - " + text + "\n"), error) << text;
}

TEST(CampaignErrors, TellWhatIsWrongInExpectations) {
  const Cases cases = {
      {"body: { matches: '(' }", "body.matches: is not a regular expression"},
      {"body: { matches: '' }", "body.matches: is empty"},
      {"body: { not_contains: [ a, '' ] }", "body.not_contains[1]: is empty"},
      {"body: { contain: a }", "body.contain: unknown key, did you mean 'contains'?"},
      {"body: []", "body: is an empty list"},
      {"headers: { A: {} }", "headers.A: names no comparison"},
      {"headers: { A: { matches: '[' } }", "headers.A.matches: is not a regular expression"},
      {"headers: { A: { contains: '{{x}}' } }",
       "headers.A.contains: '{{x}}' has no value: no data set, token or capture of an earlier step has this "
       "name"},
      {"headers: { 'A B': c }", "headers.A B: is not the name of a header"},
      {"json: {}", "json: names no value"},
      {"json: [ a ]", "json: must be a map of keys, not a list"},
      {"json: { a: 1 }", "json.a: is not a JSON pointer such as /items/0/id"},
      {"json: { /a~2: 1 }", "json./a~2: is not a JSON pointer such as /items/0/id"},
      {"json: { /a: {} }", "json./a: names no comparison"},
      {"json: { /a: { '===': 1 } }", "json./a.===: unknown comparison, did you mean '=='?"},
      {"json: { /a: { equals: 1 } }", "json./a.equals: unknown comparison"},
      {"json: { /a: { '<': b } }", "json./a.<: must be a number, or a text with a value, \"{{name}}\""},
      {"json: { /a: { '<': '3' } }", "json./a.<: must be a number, or a text with a value, \"{{name}}\""},
      {"json: { /a: { length: [ 1 ] } }",
       "json./a.length: must be a number, or a text with a value, \"{{name}}\""},
      {"json: { /a: { length: { contains: 1 } } }", "json./a.length.contains: is no comparison of lengths"},
      {"json: { /a: { exists: maybe } }", "json./a.exists: is neither true (on) nor false (off)"},
      {"json: { /a: { matches: '(' } }", "json./a.matches: is not a regular expression"},
      {"json: { /a: { contains: '{{x}}' } }",
       "json./a.contains: '{{x}}' has no value: no data set, token or capture of an earlier step has this "
       "name"},
      {"json: { /a: 1, /a: 2 }", "json./a: is given twice, first in line 6"},
  };
  for (const auto& [text, error] : cases)
    EXPECT_EQ(steps("      - { get: /a, expect: { " + text + " } }\n"),
              ":6: scenarios.s.steps[0].expect." + error)
        << text;
}

TEST(CampaignErrors, TellWhatIsWrongInAPhase) {
  const Cases cases = {
      {"{ name: p, duration: 10s }", ":4: phases[0]: needs one of: rate, users"},
      {"{ name: p, duration: 10s, rate: 1, users: 1 }",
       ":4: phases[0].users: stands beside 'rate'; give one of them"},
      {"{ name: p, duration: 0s, rate: 1 }", ":4: phases[0].duration: '0s' is out of bounds: 1ms to 30d"},
      {"{ name: p, rate: 1 }", ":4: phases[0].duration: is missing"},
      {"{ duration: 1s, rate: 1 }", ":4: phases[0].name: is missing"},
      {"{ name: p, duration: 10s, rate: 1, ramp: 1s }",
       ":4: phases[0].ramp: needs a range, such as 'rate: 0..50'"},
      {"{ name: p, duration: 10s, rate: 0..1, ramp: 11s }", ":4: phases[0].ramp: is longer than the phase"},
      {"{ name: p, duration: 10s, users: 0 }", ":4: phases[0].users: must be at least 1"},
      {"{ name: p, duration: 10s, users: 1, arrivals: poisson }", ":4: phases[0].arrivals: needs 'rate'"},
      {"{ name: p, duration: 10s, rate: fast }",
       ":4: phases[0].rate: 'fast' is not a rate a second such as 100 or 0..50, at most 10000000"},
      {"{ name: p, duration: 10s, users: 1.5 }",
       ":4: phases[0].users: '1.5' is not a number of users such as 10 or 10..500, at most 1000000"},
      {"{ name: p, duration: 10s, rate: 1, only: z }",
       ":4: phases[0].only[0]: there is no scenario 'z', did you mean 's'?"},
      {"{ name: p, duration: 10s, rate: 1, warm_up: true }",
       ":4: phases[0].warm_up: leaves nothing to measure: every phase is a warm-up"},
      {"{ name: p, duration: 10s, rate: 1, arrivals: evn }",
       ":4: phases[0].arrivals: 'evn' is none of: even, poisson, did you mean 'even'?"},
      {"{ name: p, duration: 10, rate: 1 }",
       ":4: phases[0].duration: '10' is not a duration; write 500ms, 10s, 3m30s, 1h or 1d"},
      {"{ name: p, duration: 30s3m, rate: 1 }",
       ":4: phases[0].duration: '30s3m' is not a duration; write 500ms, 10s, 3m30s, 1h or 1d"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(phases("  - " + text + "\n"), error) << text;
}

TEST(CampaignErrors, TellWhatIsWrongBetweenSteps) {
  EXPECT_EQ(steps("      - { get: '/{{id}}' }\n      - { get: /b, capture: { json: /id, as: id } }\n"),
            ":6: scenarios.s.steps[0].get: '{{id}}' is captured only later, in line 7");
  EXPECT_EQ(steps("      - { get: '/{{id}}', capture: { json: /id, as: id } }\n"),
            ":6: scenarios.s.steps[0].get: '{{id}}' is captured only later, in line 6");
  EXPECT_EQ(
      steps("      - { get: /b, capture: { json: /id, as: order } }\n      - { get: '/{{ordre}}' }\n"),
      ":7: scenarios.s.steps[1].get: '{{ordre}}' has no value: no data set, token or capture of an earlier "
      "step has this name, did you mean 'order'?");
  EXPECT_EQ(steps("      - { get: /b, name: x }\n      - { get: /b, name: x }\n"),
            ":7: scenarios.s.steps[1].name: 'x' is also the name of the step in line 6");
  EXPECT_EQ(error_of(kTargets + kPhases +
                     "data: { id: 1..2 }\n"
                     "scenarios: { s: { steps: { get: /b, capture: { json: /id, as: id } } } }"),
            ":4: scenarios.s.steps[0].capture[0].as: 'id' is also the name of a data set, in line 3");
  const auto values = [](const std::string& step) {
    return error_of(kTargets + kPhases +
                    "data: { ids: { values: [ a, b c ] } }\nscenarios: { s: { steps: " + step + " } }");
  };
  EXPECT_EQ(values("{ get: '/{{ids|raw}}' }"),
            ":4: scenarios.s.steps[0].get: '{{ids}}' holds white space or a control, which no path can as it "
            "is, in row 2 of the data set 'ids'");
  EXPECT_EQ(values("{ post: '/{{ids}}', body: '{{ids}}', headers: { X: '{{ids}}' } }"), "");
  EXPECT_EQ(
      values("{ post: '/{{ids}}', body: '{{ids|raw}}' }"),
      ":4: scenarios.s.steps[0].body: has a '|raw', which is for the paths of steps: elsewhere values go out "
      "as they are");
  // What one scenario captures, another does not have.
  EXPECT_EQ(
      error_of(kTargets + kPhases +
               "scenarios:\n  a: { steps: { get: /b, capture: { json: /id, as: id } } }\n"
               "  b: { steps: { get: '/{{id}}' } }"),
      ":5: scenarios.b.steps[0].get: '{{id}}' has no value: no data set, token or capture of an earlier step "
      "has this name");
}

TEST(CampaignErrors, TellWhatIsWrongInAScenario) {
  const auto scenario = [](const std::string& text) {
    return error_of(kTargets + kPhases + "scenarios: { s: { " + text + " } }");
  };
  EXPECT_EQ(scenario("weight: 0, steps: { get: /b }"), ":3: scenarios.s.weight: must be above 0");
  EXPECT_EQ(scenario("weight: -1, steps: { get: /b }"),
            ":3: scenarios.s.weight: '-1' is not a number such as 10 or 0.5");
  EXPECT_EQ(scenario("connections: 0, steps: { get: /b }"),
            ":3: scenarios.s.connections: '0' is out of bounds: 1 to 65536");
  EXPECT_EQ(scenario("resend: 2, steps: { get: /b }"),
            ":3: scenarios.s.resend: '2' is neither true (on) nor false (off)");
  EXPECT_EQ(scenario("steps: []"), ":3: scenarios.s.steps: is an empty list");
  EXPECT_EQ(scenario("weight: 1"), ":3: scenarios.s.steps: is missing");
}

TEST(CampaignErrors, TellWhatIsWrongInATarget) {
  const auto target = [](const std::string& text) {
    return error_of("targets: { g: { " + text + " } }\n" + kScenarios + kPhases);
  };
  EXPECT_EQ(target(""), ":1: targets.g.url: is missing");
  EXPECT_EQ(target("url: 'http://u:hunter2@a'"),
            ":1: targets.g.url: must have no user or password; use a header or the origin's own keys");
  EXPECT_EQ(target("url: 'http://a', pid: 3, process: x"),
            ":1: targets.g.pid: stands beside 'process'; give one of them");
  EXPECT_EQ(target("url: 'http://a', process: x"), ":1: targets.g.process: there is no process 'x'");
  EXPECT_EQ(target("url: 'http://a', metrics_headers: { A: b }"),
            ":1: targets.g.metrics_headers: needs 'metrics'");
  EXPECT_EQ(target("url: 'http://a', access_key_id: b"),
            ":1: targets.g.access_key_id: needs 'secret_access_key'");
  EXPECT_EQ(target("url: 'http://a', secret_access_key: b"),
            ":1: targets.g.secret_access_key: needs 'access_key_id'");
  EXPECT_EQ(target("url: 'http://a', session_token: b"),
            ":1: targets.g.session_token: needs 'access_key_id' and 'secret_access_key'");
  EXPECT_EQ(target("url: 'http://a', tls: { ca_file: nope.pem }"),
            ":1: targets.g.tls.ca_file: there is no file 'nope.pem'");
}

TEST(CampaignErrors, TellWhatIsMissingAltogether) {
  EXPECT_EQ(error_of(""), ":1: targets: is missing");
  EXPECT_EQ(error_of(kTargets + kPhases), ":1: scenarios: is missing");
  EXPECT_EQ(error_of(kTargets + kScenarios), ":1: phases: is missing");
  EXPECT_EQ(error_of("targets: {}\n" + kScenarios + kPhases), ":1: targets: is empty");
  EXPECT_EQ(error_of(kTargets + "scenarios: {}\n" + kPhases), ":2: scenarios: is empty");
  EXPECT_EQ(error_of(kTargets + kScenarios + "phases: []"), ":3: phases: is an empty list");
  EXPECT_EQ(phases("  - { name: p, duration: 1s, rate: 1 }\n  - { name: p, duration: 1s, rate: 1 }\n"),
            ":5: phases[1].name: 'p' is also the name of the phase in line 4");
  EXPECT_EQ(error_of(std::string("a: \0", 4)), ": holds a NUL byte; is it a YAML file?");
  EXPECT_EQ(error_of("a: ["), ":1: is not valid YAML: is this [ never closed?");
}

TEST(CampaignErrors, TellWhatIsWrongWithAnExpression) {
  EXPECT_THAT(after("define: { a: '1 +' }"), testing::StartsWith(":4: define.a: "));
  EXPECT_THAT(after("define: { p95: '1s' }"), testing::StartsWith(":4: define.p95: "));
  EXPECT_THAT(after("guardrails: [ p95 < 1s, 'p95 <' ]"), testing::StartsWith(":4: guardrails[1]: "));
  EXPECT_THAT(after("requires: { name: n, check: '' }"), testing::StartsWith(":4: requires[0].check: "));
}

TEST(CampaignErrors, TellWhatIsWrongWithTheCommandLine) {
  const std::string text = kTargets + kScenarios + "phases: { name: p, duration: 1s, rate: '${RATE:-1}' }";
  LoadOptions options;
  options.set = {{"RTE", "1"}};
  EXPECT_EQ(error_of(text, options), ": --set: the file has no ${RTE}, did you mean 'RATE'?");
  options.set = {{"ZZZ", "1"}};
  EXPECT_EQ(error_of(text, options), ": --set: the file has no ${ZZZ}");
  options.set = {{"RATE", "hunter2"}};
  EXPECT_EQ(error_of(text, options),
            ":3: phases[0].rate: '${RATE:-1}' is not a rate a second such as 100 or 0..50, at most 10000000");
  options.set = {};
  options.time_scale = 0;
  EXPECT_EQ(error_of(text, options), ": --time-scale: must be above 0");
}

TEST(CampaignErrors, TellThatTheFileCannotBeRead) {
  const auto error = [](const std::string& file) -> std::string {
    try {
      load_campaign(file, {});
    } catch (const config::ConfigError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(error("/nowhere/c.yaml"), "/nowhere/c.yaml: cannot be read: No such file or directory");
  EXPECT_EQ(error("/tmp"), "/tmp: is a folder, not a file");
}

// ---- data files

std::string csv_error(std::string_view text) {
  const auto table = parse_csv(text);
  return table ? "" : table.error();
}
std::string json_error(std::string_view text) {
  const auto table = parse_json_table(text);
  return table ? "" : table.error();
}

TEST(CsvErrors, NameTheLine) {
  EXPECT_EQ(csv_error(""), "is empty");
  EXPECT_EQ(csv_error("a,b\n"), "has a header and no rows");
  EXPECT_EQ(csv_error("a,,c\n1,2,3\n"), "has a column without a name in line 1");
  EXPECT_EQ(csv_error("a,a\n1,2\n"), "has two columns 'a'");
  EXPECT_EQ(csv_error("a,b,c\n1,2,3\n1,2\n"), "has 2 of 3 columns in line 3");
  EXPECT_EQ(csv_error("a\n1,2\n"), "has 2 of 1 columns in line 2");
  EXPECT_EQ(csv_error("a\n\"1\n2\n"), "has a quote that is not closed in line 2");
  EXPECT_EQ(csv_error("a\n1\"2\n"), "has a quote inside an unquoted field in line 2");
  EXPECT_EQ(csv_error("a,b\n\"x\ny\",1\n\"1\"2,3\n"), "has text behind a quoted field in line 4");
}

TEST(Csv, ReadsWhatRfc4180Allows) {
  const auto table = parse_csv(
      "\xef\xbb\xbf"
      "a,b\r\n1,\"x, \"\"y\"\"\"\r\n\"two\nlines\",\r\n\r\n3,4");
  ASSERT_TRUE(table) << table.error();
  using testing::ElementsAre;
  EXPECT_THAT(table->columns, ElementsAre("a", "b"));
  EXPECT_THAT(table->rows, ElementsAre(ElementsAre("1", "x, \"y\""), ElementsAre("two\nlines", ""),
                                       ElementsAre("3", "4")));
}

TEST(JsonTableErrors, NameTheItem) {
  EXPECT_EQ(json_error("[1"), "is not JSON");
  EXPECT_EQ(json_error("{}"), "is not a list");
  EXPECT_EQ(json_error("[]"), "is an empty list");
  EXPECT_EQ(json_error("[1, null]"), "has an item that is no text: number 1");
  EXPECT_EQ(json_error(R"([{"a": 1}, {"b": 1}])"), "has an item without 'a': number 1");
  EXPECT_EQ(json_error(R"([{"a": 1}, {"a": 1, "b": 2}])"),
            "has an item without the members of the first: number 1");
  EXPECT_EQ(json_error(R"([{"a": []}])"), "has a 'a' that is no text: number 0");
}

TEST(JsonTable, MakesTextsOfScalars) {
  const auto table = parse_json_table(R"([{"a": "x", "b": 1}, {"b": true, "a": "y"}])");
  ASSERT_TRUE(table) << table.error();
  using testing::ElementsAre;
  EXPECT_THAT(table->columns, ElementsAre("a", "b"));
  EXPECT_THAT(table->rows, ElementsAre(ElementsAre("x", "1"), ElementsAre("y", "true")));
}

}  // namespace
}  // namespace prove
