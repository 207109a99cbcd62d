"""A first campaign from a recording (HAR 1.2) or a description (OpenAPI 3.0, 3.1): it loads, runs, and has no secret in it."""
import json
import subprocess

import jwt
import pytest
import yaml

from lib.gateway import BINARY
from lib.origin import Origin
from lib.prove import FAIL, PASS, USAGE, prove

SECRETS = ("hunter2hunter2", "hunter3hunter3", "hunter4", "chocolate", "hunter5")


@pytest.fixture
def origin():
    made = Origin()
    yield made
    made.stop()


def imported(tmp_path, document, *arguments, name="source.json", code=0):
    """What came, and the error. A dict is written as JSON, or as YAML where the name says so."""
    if isinstance(document, dict):
        document = yaml.safe_dump(document) if name.endswith("yaml") else json.dumps(document)
    (tmp_path / name).write_text(document)
    done = subprocess.run([str(BINARY), "prove", "import", str(tmp_path / name), *map(str, arguments)], timeout=120,
                          capture_output=True, text=True)
    assert done.returncode == code, done
    return done.stdout, done.stderr


PATIENT = "validity: { send_lag: 500ms, tail_samples: 1 }\n"  # two cores are shared with whatever else runs


def entry(at: str, method: str, url: str, status: int, took: float = 1, headers=(), **request) -> dict:
    return {"startedDateTime": f"2026-11-28T10:00:{at}Z", "time": took, "response": {"status": status},
            "request": {"method": method, "url": url, "headers": [{"name": k, "value": v} for k, v in headers], **request}}


def recording(url: str) -> dict:
    token = jwt.encode({"sub": "ann"}, "a secret of the tests, 48 bytes long, never real", "HS256")
    return {"log": {"version": "1.2", "creator": {}, "entries": [
        entry("00.200", "POST", url.replace("http://", "http://ann:hunter5@") + "/orders?api_key=hunter2hunter2#x", 201, 100,
              [("Authorization", "Bearer hunter3hunter3"), ("Cookie", "sid=chocolate"), ("X-Copy", token),
               ("Content-Type", "application/json"), ("Host", "elsewhere"), ("Connection", "close"), ("X-Kept", "{{a}} ${b}")],
              postData={"mimeType": "application/json", "text": json.dumps({"n": 1, "password": "hunter4"})}),
        entry("00.000", "GET", url + "/start?q=a b", 200, 50),
        entry("01.000", "PUT", url + "/form", 204, headers=[("content-type", "application/x-www-form-urlencoded")],
              postData={"mimeType": "", "params": [{"name": "a", "value": "b&c"}, {"name": "token", "value": "hunter2hunter2"}]}),
        entry("01.100", "GET", "wss://h/live", 101),
        entry("01.200", "GET", url + "/blocked", 0)]}}


def answers(origin) -> None:
    origin.on("/start", lambda ask: ask.reply(b"hello"))
    origin.on("/orders", lambda ask: ask.reply(b"{}", 201))
    origin.on("/form", lambda ask: ask.reply(b"", 204))


def test_a_recording_becomes_a_campaign_that_runs(tmp_path, origin):
    answers(origin)
    text, _ = imported(tmp_path, recording(origin.url))
    run = prove(tmp_path, text + PATIENT, "--time-scale", "0.1", settings={"TOKEN": "given", "PASSWORD": "pass"})
    assert run.code == PASS, run
    first, second, third = (origin.seen(path)[0] for path in ("/start", "/orders", "/form"))
    assert (first.method, first.target) == ("GET", "/start?q=a%20b")
    assert (second.method, second.target) == ("POST", "/orders?api_key=to-be-given")
    assert second.get("Authorization") == "Bearer given" and second.get("X-Kept") == "{{a}} ${b}"
    assert "Cookie" not in second and second.get("Host") == origin.url.removeprefix("http://")
    assert json.loads(second.body) == {"n": 1, "password": "pass"}
    assert third.body == b"a=b%26c&token=to-be-given"
    assert origin.count("/start") > 1 and not origin.count("/blocked")


def test_its_pauses_are_thought(tmp_path, origin):
    text, _ = imported(tmp_path, recording(origin.url))
    steps = yaml.safe_load(text)["scenarios"]["recorded"]["steps"]
    assert [step.get("think") for step in steps] == ["150ms", "700ms", None]
    assert [step["expect"] for step in steps] == [200, 201, 204]


def test_it_holds_a_target_to_what_was_recorded(tmp_path, origin):
    answers(origin)
    origin.on("/orders", lambda ask: ask.reply(b"{}", 200))
    text, _ = imported(tmp_path, recording(origin.url))
    assert prove(tmp_path, text + PATIENT, "--time-scale", "0.1").code == FAIL


def test_no_secret_of_a_recording_is_in_it(tmp_path, origin):
    text, _ = imported(tmp_path, recording(origin.url))
    assert not [secret for secret in (*SECRETS, "eyJ") if secret in text], text
    for left_out in ("the cookies of 1 requests", "GET wss://h/live: no URL", f"GET {origin.url}/blocked: it had no reply"):
        assert f"# - {left_out}" in text, text


def test_each_origin_is_a_target(tmp_path):
    text, _ = imported(tmp_path, {"log": {"entries": [entry("00", "GET", "https://a.test/1", 200),
                                                     entry("01", "OPTIONS", "http://b.test:81/2", 204),
                                                     entry("02", "GET", "https://a.test:443/3", 200)]}})
    made = yaml.safe_load(text)
    assert made["targets"] == {"a-test": "${TARGET:-https://a.test}", "b-test": "${TARGET_2:-http://b.test:81}"}
    assert [step["target"] for step in made["scenarios"]["recorded"]["steps"]] == ["a-test", "b-test", "a-test"]


def description(url: str) -> dict:
    pet = {"type": "object", "required": ["name", "price"], "properties": {
        "id": {"type": "integer", "readOnly": True}, "name": {"type": "string", "example": "Rex"},
        "price": {"type": "number", "example": 19.90}, "mother": {"$ref": "#/components/schemas/Pet"}}}
    return {
        "openapi": "3.0.3", "info": {"title": "Pets", "version": "1"}, "servers": [{"url": url + "/v1"}],
        "security": [{"bearer": []}],
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}, "schemas": {"Pet": pet},
                       "parameters": {"limit": {"name": "limit", "in": "query", "example": 3, "schema": {"type": "integer"}}}},
        "paths": {
            "/pets": {"get": {"tags": ["pets"], "parameters": [{"$ref": "#/components/parameters/limit"}],
                              "responses": {"200": {"description": "ok"}}},
                      "post": {"tags": ["pets"], "responses": {"201": {"description": "made"}},
                               "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}}},
            "/pets/{id}": {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"},
                                           "example": "a/b"}],
                           "delete": {"tags": ["admin tools"], "responses": {"204": {"description": "gone"}}}},
            "/health": {"get": {"security": [], "responses": {"200": {"description": "ok"}}}}}}


@pytest.mark.parametrize("name", ("pets.json", "pets.yaml"))
def test_a_description_becomes_a_scenario_for_each_tag(tmp_path, origin, name):
    origin.on("/v1/pets", lambda ask: ask.reply(b"{}", 201 if ask.method == "POST" else 200))
    origin.on("/v1/pets/a%2Fb", lambda ask: ask.reply(b"", 204))
    origin.on("/v1/health", lambda ask: ask.reply(b"ok"))
    text, _ = imported(tmp_path, description(origin.url), name=name)
    made = yaml.safe_load(text)
    assert set(made["scenarios"]) == {"pets", "admin-tools", "untagged"}
    assert "# Its" not in text and "made up" not in text
    run = prove(tmp_path, text + PATIENT, "--time-scale", "0.05", settings={"TOKEN": "t"})
    assert run.code == PASS, run
    post = [ask for ask in origin.requests if ask.method == "POST"][0]
    assert post.body == (b'{"name":"Rex","price":19.9}') and post.get("Content-Type") == "application/json"
    assert post.get("Authorization") == "Bearer t"
    assert {ask.target for ask in origin.requests} == {"/v1/pets?limit=3", "/v1/pets", "/v1/pets/a%2Fb", "/v1/health"}
    assert all("Authorization" not in ask for ask in origin.seen("/v1/health"))


def test_it_is_written_to_a_file_that_was_not_there(tmp_path, origin):
    out = tmp_path / "made.yaml"
    assert imported(tmp_path, recording(origin.url), "--out", out) == ("", "")
    checked = subprocess.run([str(BINARY), "prove", "check", str(out)], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0 and "1 scenarios, 2 phases, 1 guardrails" in checked.stdout
    _, error = imported(tmp_path, recording(origin.url), "--out", out, code=USAGE)
    assert error == f"sekisho: {out}: is there already\n"


BAD = (
    ("", "source.json: is empty"),
    ('{"log": 1', "source.json: is not JSON"),
    ('{"log": {"entries": 1}}', "source.json: log.entries is no list"),
    ("- a\n- b\n", "source.json: is neither HAR (a member 'log') nor OpenAPI (a member 'openapi')"),
    ("swagger: '2.0'\n", "source.json: is Swagger 2.0; OpenAPI 3.0 and 3.1 can be read"),
)


@pytest.mark.parametrize("text, error", BAD, ids=range(len(BAD)))
def test_what_cannot_be_read_is_one_line(tmp_path, text, error):
    assert imported(tmp_path, text, code=USAGE) == ("", f"sekisho: {error}\n")


def test_more_than_can_be_read_is_refused(tmp_path):
    _, error = imported(tmp_path, " " * ((64 << 20) + 1), code=USAGE)
    assert error == "sekisho: source.json: is larger than 64MiB\n"
    missing = subprocess.run([str(BINARY), "prove", "import", str(tmp_path / "none")], capture_output=True, text=True, timeout=60)
    assert missing.returncode == USAGE and missing.stderr == f"sekisho: {tmp_path / 'none'}: cannot be read: No such file or directory\n"
