"""A request that went wrong can be seen: what was sent, what came back and what was expected, without its secrets."""
import json
import threading

import pytest

from lib.judged import TARGETS, judge
from lib.origin import Origin
from lib.peers import free_port
from lib.prove import FAIL, PASS, REPORTS, campaign, prove

OPEN = {"rate": 100}
KEY = "a-secret-of-at-least-thirty-two-bytes"

# target, steps, load, guardrails, verdict, a word of the line that shows the first request that went wrong
TABLE = [
    ("500", [{"get": "/"}], OPEN, ["failed == 0%"], FAIL, "status 200–299 was expected, 500 came"),
    ("403", [{"get": "/"}], OPEN, ["failed == 0%"], FAIL, "status 200–299 was expected, 403 came"),
    ("well", [{"get": "/", "expect": 403}], OPEN, ["failed == 0%"], FAIL, "status 403 was expected, 200 came"),
    ("well", [{"get": "/", "expect": {"body": "ko"}}], OPEN, ["failed == 0%"], FAIL, "the body was to contain 'ko'"),
    ("well", [{"get": "/", "expect": {"headers": {"X-A": "b"}}}], OPEN, ["failed == 0%"], FAIL,
     "X-A: b was expected, none came"),
    ("well", [{"get": "/", "expect": {"length": 3}}], OPEN, ["failed == 0%"], FAIL, "3 bytes was expected, 2 came"),
    ("well", [{"get": "/", "capture": [{"json": "/a", "as": "a"}]}], OPEN, ["failed == 0%"], FAIL, "captured: /a"),
    ("hangs", [{"get": "/", "timeout": "100ms"}], OPEN, ["failed == 0%"], FAIL, "no whole reply within 100 ms"),
    ("closes", [{"get": "/"}], OPEN, ["failed == 0%"], FAIL, "the connection ended before the reply did"),
    ("no HTTP", [{"get": "/"}], OPEN, ["failed == 0%"], FAIL, "no reply of HTTP/1.1"),
    ("refuses", [{"get": "/"}], OPEN, ["failed == 0%"], FAIL, "no connection was made"),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}: {row[5]}")
def test_the_report_shows(tmp_path, row):
    run = judge(tmp_path, row)
    first = run.result["samples"][0]
    assert "failed: s, GET /: " in run.out and row[5] in first["why"], first
    assert first["request"].startswith("GET / HTTP/1.1\n"), first
    for name in ("report.html", "report.md"):
        assert "What went wrong" in run.text(name) and "GET / HTTP/1.1" in run.text(name)


def test_nothing_is_shown_of_what_went_well(tmp_path):
    run = judge(tmp_path, ("well", [{"get": "/"}], OPEN, ["failed == 0%"], PASS, ""))
    assert run.result["samples"] == [] and "What went wrong" not in run.text("report.html")


def failing(tmp_path, **more):
    origin = Origin()
    try:
        origin.otherwise(lambda ask: ask.reply(b"x" * 10_000, 500 if ask.target != "/b" else 404))
        return prove(tmp_path, campaign(origin.url, seconds=0.5, guardrails=["failed == 0%"], scenarios={
            "one": {"steps": [{"get": "/a"}]}, "two": {"steps": [{"get": "/b"}]}}, **more))
    finally:
        origin.stop()


@pytest.mark.parametrize("wanted, kept", [(None, 3), (1, 1), (0, 0)])
def test_so_many_of_each_step_and_reason_are_kept(tmp_path, wanted, kept):
    run = failing(tmp_path, samples=wanted, generators=2)
    samples = run.result["samples"]
    assert [sum(s["scenario"] == name for s in samples) for name in ("one", "two")] == [kept, kept]
    for sample in samples:
        assert sample["cut"] and len(sample["reply"]) <= 4096 and sample["took"] > 0 and sample["outcome"] == "failed"


@pytest.mark.parametrize("samples", [-1, 101, "many"])
def test_another_number_is_refused(tmp_path, samples):
    run = prove(tmp_path, campaign("http://127.0.0.1:1", samples=samples))
    assert run.code == 2 and "samples" in run.err, run


def secret_campaign(url):
    return campaign(url, seconds=0.3, tokens={"minted": {"algorithm": "HS256", "key": {"value": KEY}}}, scenarios={"s": {"steps": [
        {"get": "/login", "capture": [{"json": "/access_token", "as": "access_token"}]},
        {"name": "x", "post": "/x?api_key=in-the-query&q=shown", "expect": 201, "body": '{"password": "in-the-body", "n": 1}', "headers": {
            "Authorization": "Bearer {{minted}}", "Cookie": "sid=in-a-cookie", "X-Api-Key": "in-a-field",
            "X-Session": "{{access_token}}", "X-Shown": "visible"}}]}})


def answers(ask):
    if ask.target == "/login":
        return ask.reply(b'{"access_token": "captured-by-a-step"}')
    echo = json.dumps(dict(ask.fields)).encode()
    ask.reply(b"captured-by-a-step in-a-cookie in-a-field " + echo, 200, [("Set-Cookie", "sid=set-by-a-cookie; Path=/")])


SECRETS = ("in-the-query", "in-the-body", "in-a-cookie", "in-a-field", "captured-by-a-step", "set-by-a-cookie", KEY, "eyJ")


def test_secrets_are_masked_wherever_they_stand(tmp_path, origin):
    origin.otherwise(answers)
    run = prove(tmp_path, secret_campaign(origin.url))
    assert run.code == FAIL and "X-Shown: visible" in run.result["samples"][0]["request"], run
    assert "q=shown" in run.result["samples"][0]["request"]
    for name in ("result.json", "report.html", "report.md"):
        assert not [secret for secret in SECRETS if secret in run.text(name)], name


@pytest.fixture
def origin():
    one = Origin()
    yield one
    one.stop()


def test_debug_prints_one_iteration_whole(tmp_path, origin):
    origin.otherwise(lambda ask: ask.reply(b'{"id": 5}' if ask.target == "/a" else b"five"))
    steps = [{"get": "/a", "capture": [{"json": "/id", "as": "id"}]}, {"get": "/b/{{id}}"}]
    run = prove(tmp_path, campaign(origin.url, steps, rate=1000, seconds=60), "--debug")
    assert run.code == PASS, run
    for line in ("> GET /a HTTP/1.1", "< HTTP/1.1 200 Said", '< {"id": 5}', "captured id: 5", "> GET /b/5 HTTP/1.1",
                 "< five", "expected status 200–299"):
        assert line in run.out, run
    assert (origin.count("/a"), origin.count("/b/5")) == (1, 1)
    assert not run.reports


def test_debug_fails_where_a_step_does(tmp_path, origin):
    origin.otherwise(TARGETS["500"])
    run = prove(tmp_path, campaign(origin.url, [{"get": "/a"}, {"get": "/b"}]), "--debug")
    assert run.code == FAIL and "BROKEN" in run.out and "GET /b: not sent" in run.out, run
    assert origin.count("/a") == 1


def test_debug_of_a_target_that_is_not_there(tmp_path):
    run = prove(tmp_path, campaign(f"http://127.0.0.1:{free_port()}"), "--debug")
    assert run.code == FAIL and "no connection was made" in run.out, run


def test_debug_shows_no_secret(tmp_path, origin):
    origin.otherwise(answers)
    run = prove(tmp_path, secret_campaign(origin.url), "--debug")
    assert run.code == FAIL and "X-Shown: visible" in run.out, run
    assert not [secret for secret in SECRETS if secret in run.out], run


def test_a_freeze_is_called_one_and_its_catching_up_no_rate(tmp_path, origin):
    lock, seen, thawed = threading.Lock(), [0], threading.Event()

    def freezes(ask):
        with lock:
            seen[0] += 1
            first = seen[0] == 50
        if first:
            threading.Timer(1, thawed.set).start()
        if seen[0] >= 50:
            thawed.wait(10)
        ask.reply(b"ok")
    origin.otherwise(freezes)
    run = prove(tmp_path, campaign(origin.url, rate=100, seconds=3, interval="100ms", guardrails=["success == 100%"]))
    assert run.code == PASS and "The target froze: from 0:0" in run.out, run
    assert "highest rate" not in run.out


def test_a_secret_in_a_path_is_in_no_name_of_a_step(tmp_path, origin):
    origin.on("/x", lambda ask: ask.reply(b"no", 500))
    run = prove(tmp_path, campaign(origin.url, [{"get": "/x?api_key=sk_live_123456789&q=2"}], rate=20, seconds=0.2))
    assert run.code == FAIL and "GET /x?api_key=…&q=2" in run.text("report.md"), run
    for name in REPORTS:
        assert "sk_live_123456789" not in run.text(name), name
    assert "sk_live_123456789" not in run.out


def test_what_came_behind_a_reply_is_told_for_what_it_is(tmp_path, origin):
    origin.on("/x", lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokEXTRA"))
    run = prove(tmp_path, campaign(origin.url, [{"get": "/x"}], rate=20, seconds=0.2))
    assert "more came than the reply" in run.out, run


def test_an_interim_reply_is_none(tmp_path, origin):
    origin.on("/x", lambda ask: (ask.send(b"HTTP/1.1 103 Early Hints\r\n\r\n"), ask.stall()))
    run = prove(tmp_path, campaign(origin.url, [{"get": "/x", "timeout": "200ms"}], rate=20, seconds=0.2,
                                   guardrails=["status(1xx) == 0", "timed_out == 100%"]))
    assert run.code == PASS, run
