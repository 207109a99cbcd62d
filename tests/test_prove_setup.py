"""Calls of the setup that capture: values for users, later calls, faults and the teardown, and a row for each repetition."""
import json
import threading

import pytest

from lib.gateway import run as sekisho
from lib.prove import FAIL, PASS, USAGE, campaign, prove

LOGIN = {"json": "/token", "as": "login_token"}


class Accounts:
    """POST /accounts makes number 1, 2, …, each with a token; whatever else is asked for is kept."""

    def __init__(self, origin):
        self.origin, self.made, self.lock = origin, 0, threading.Lock()
        origin.on("/accounts", self.make)
        origin.otherwise(lambda ask: ask.reply(b"x"))

    def make(self, ask):
        with self.lock:
            self.made += 1
            number = self.made
        body = json.dumps({"id": number, "token": f"the-token-{number}", "owner": {"name": f"n {number}/&"}}).encode()
        ask.reply(body, 201, [("Location", f"/accounts/{number}"), ("X-Mark", f"mark={number};")])

    def url(self, path: str) -> str:
        return self.origin.url + path


@pytest.fixture
def accounts(origin):
    return Accounts(origin)


def asked(origin, path) -> list:
    return [ask for ask in origin.requests if ask.path.startswith(path)]


def test_one_value_is_for_all(tmp_path, origin, accounts):
    run = prove(tmp_path, campaign(
        origin.url, [{"get": "/of/{{id}}", "headers": {"Authorization": "Bearer {{login_token}}", "X-Mark": "{{mark}}"}}], rate=40, seconds=0.5,
        setup=[{"call": {"url": accounts.url("/accounts"), "method": "POST", "capture": [
            {"json": "/id", "as": "id"}, LOGIN, {"header": "X-Mark", "regex": "mark=(.)", "as": "mark"}, {"header": "location", "as": "where"},
            {"regex": '"name": "(..)', "as": "piece"}]}},
               {"call": {"url": accounts.url("/later/{{id}}?m={{mark}}"), "method": "PUT", "body": "{{piece}}{{where}}"}}],
        teardown=[{"call": {"url": accounts.url("/gone/{{id}}"), "method": "DELETE", "headers": {"Authorization": "{{login_token}}"}}}]))
    assert run.code == PASS, run
    of = asked(origin, "/of/")
    assert len(of) == 20 and {(ask.path, ask.get("Authorization"), ask.get("X-Mark")) for ask in of} == {("/of/1", "Bearer the-token-1", "1")}
    [later], [gone] = asked(origin, "/later/"), asked(origin, "/gone/")
    assert (later.target, later.body) == ("/later/1?m=1", b"n /accounts/1") and (gone.path, gone.get("Authorization")) == ("/gone/1", "the-token-1")


def repeated(accounts, n, *steps, choose=None, **more):
    call = {"url": accounts.url("/accounts"), "method": "POST", "repeat": n, "capture": [{"json": "/id", "as": "id"}, LOGIN]}
    return campaign(accounts.origin.url, list(steps) or [{"get": "/of/{{id}}/{{login_token}}"}],
                    setup=[{"call": call | ({"choose": choose} if choose else {})}], **({"rate": 100, "seconds": 1.0} | more))


def test_a_repeated_call_makes_rows_whose_values_stay_together(tmp_path, origin, accounts):
    run = prove(tmp_path, repeated(accounts, 5, {"get": "/of/{{id}}/{{login_token}}"}, {"get": "/again/{{id}}"}, rate=50))
    assert run.code == PASS and accounts.made == 5, run
    assert {ask.path for ask in asked(origin, "/of/")} == {f"/of/{n}/the-token-{n}" for n in range(1, 6)}
    of = sorted(ask.path.split("/")[2] for ask in asked(origin, "/of/"))
    assert of == sorted(ask.path.split("/")[2] for ask in asked(origin, "/again/"))  # one row for the whole journey


@pytest.mark.parametrize("choose", ["sequence", "zipf", "uniform"])
def test_users_choose_among_them_as_in_a_data_set(tmp_path, origin, accounts, choose):
    run = prove(tmp_path, repeated(accounts, 10, choose=choose))
    counts = [len(asked(origin, f"/of/{n}/")) for n in range(1, 11)]
    assert run.code == PASS and sum(counts) == 100, run
    assert (counts == [10] * 10) == (choose == "sequence"), counts
    assert (counts[0] > 25) == (choose == "zipf"), counts  # a third of all, by Zipf's law


def test_later_calls_take_the_rows_in_turn(tmp_path, origin, accounts):
    content = repeated(accounts, 3, teardown=[{"call": {"url": accounts.url("/gone/{{id}}"), "method": "DELETE", "repeat": 4}}])
    content["setup"].append({"call": {"url": accounts.url("/fill/{{id}}/{{index}}"), "repeat": 3}})
    run = prove(tmp_path, content)
    assert run.code == PASS, run
    assert [ask.path for ask in asked(origin, "/fill/")] == ["/fill/1/0", "/fill/2/1", "/fill/3/2"]
    assert [ask.path for ask in asked(origin, "/gone/")] == ["/gone/1", "/gone/2", "/gone/3", "/gone/1"]


def test_a_fault_has_them_and_debug_too(tmp_path, origin, accounts):
    content = repeated(accounts, 2, faults=[{"name": "f", "at": "100ms", "for": "100ms", "call": {"url": accounts.url("/broken/{{id}}")},
                                             "undo": {"call": {"url": accounts.url("/mended/{{login_token}}")}}}])
    run = prove(tmp_path, content)
    assert run.code == PASS and asked(origin, "/broken/1") and asked(origin, "/mended/the-token-1"), run
    run = sekisho("prove", "run", "--debug", tmp_path / "campaign.yaml", "--out", tmp_path / "debugged")
    assert run.returncode == 0 and "GET /of/" in run.stdout, run
    assert "the-token-3" not in run.stdout and "the-token-4" not in run.stdout, run.stdout  # its name says that it is secret


def test_no_value_makes_a_line_or_a_request(tmp_path, origin, accounts):
    def answer(ask):
        ask.reply(json.dumps({"id": "1\r\nX-Evil: 1", "q": "a b/?&#é"}).encode())

    origin.on("/evil", answer)
    setup = [{"call": {"url": accounts.url("/evil"), "capture": [{"json": "/id", "as": "id"}, {"json": "/q", "as": "q"}]}},
             {"call": {"url": accounts.url("/in/{{q}}?q={{q}}")}}]
    run = prove(tmp_path / "a", campaign(origin.url, [{"get": "/of/{{q}}"}], rate=20, seconds=0.3, setup=setup))
    assert run.code == PASS, run
    assert asked(origin, "/in/")[0].target == "/in/a%20b/%3F&%23%C3%A9?q=a%20b/?%26%23%C3%A9"
    setup[1]["call"]["headers"] = {"A": "{{id}}"}
    run = prove(tmp_path / "b", campaign(origin.url, rate=20, seconds=0.3, setup=setup))
    assert run.code == USAGE and "setup[1]: a value of the field A would end the line that it stands in" in run.err, run
    run = prove(tmp_path / "c", campaign(origin.url, [{"get": "/", "headers": {"A": "{{id}}"}}], rate=20, seconds=0.3, setup=setup[:1]))
    assert run.code == FAIL and set(run.reasons()) == {"bad_value"}, run
    assert not [ask for ask in origin.requests if "X-Evil" in ask]


MISSING = {"json": ({"json": "/nope", "as": "x"}, b'{"id":1}'), "no JSON": ({"json": "/id", "as": "x"}, b"id"),
           "header": ({"header": "X-Nope", "as": "x"}, b"{}"), "regex": ({"regex": "n(.)pe", "as": "x"}, b"no pe"),
           "of a header": ({"header": "Content-Length", "regex": "(x)", "as": "x"}, b"y")}


@pytest.mark.parametrize("kind", MISSING)
def test_a_capture_that_finds_nothing_ends_the_run_as_a_failed_setup_does(tmp_path, origin, kind):
    capture, body = MISSING[kind]
    origin.on("/a", lambda ask: ask.reply(body))
    run = prove(tmp_path, campaign(origin.url, setup=[{"call": {"url": origin.url + "/a?secret=1", "capture": {"header": "Content-Length", "as": "n"}}},
                                                      {"call": {"url": origin.url + "/a?secret=1", "capture": [capture]}}]))
    assert run.code == USAGE and len(run.err.splitlines()) == 1 and not run.reports, run
    assert f"setup[1]: GET {origin.url}/a was answered without 'x', which is to be captured" in run.err, run
    assert not origin.count("/")


def test_a_secret_in_a_later_url_is_in_no_error(tmp_path, origin, accounts):
    origin.on("/of/the-token-1", lambda ask: ask.close())
    run = prove(tmp_path, campaign(origin.url, setup=[
        {"call": {"url": accounts.url("/accounts"), "method": "POST", "capture": LOGIN}}, {"call": accounts.url("/of/{{login_token}}")}]))
    assert run.code == USAGE and "setup[1]" in run.err and "the-token-1" not in run.err, run


def test_secrets_among_them_are_masked_in_samples(tmp_path, origin, accounts):
    origin.on("/bad", lambda ask: ask.reply(b"you sent " + ask.get("X-A", "").encode(), 500))
    run = prove(tmp_path, repeated(accounts, 3, {"get": "/bad", "headers": {"X-A": "<{{login_token}}>"}}, rate=20))
    assert run.code == FAIL and "you sent" in run.text("result.json"), run
    for name in run.reports:
        assert "the-token-1" not in run.text(name) and "the-token-2" not in run.text(name), name


CALL = {"url": "http://127.0.0.1:1/", "capture": {"json": "/id", "as": "id"}}
WRONG = {
    "in prepare": ({"prepare": [{"call": CALL}]}, "prepare[0].call.capture: is for calls of the setup"),
    "in teardown": ({"teardown": [{"call": CALL}]}, "teardown[0].call.capture: is for calls of the setup"),
    "in a fault": ({"faults": [{"name": "f", "at": "0s", "call": CALL}]}, "faults[0].call.capture: is for calls of the setup"),
    "in an undo": ({"faults": [{"name": "f", "at": "0s", "for": "1ms", "command": "true", "undo": {"call": CALL}}]},
                   "faults[0].undo.call.capture: is for calls of the setup"),
    "twice": ({"setup": [{"call": CALL}, {"call": CALL}]}, "is also the name of a capture of the setup, in line"),
    "a token's": ({"setup": [{"call": CALL}], "tokens": {"id": {"key": {"value": "x"}}}}, "is also the name of a"),
    "a data set's": ({"setup": [{"call": CALL}], "data": {"id": {"range": "1..3"}}}, "is also the name of a"),
    "a step's": ({"setup": [{"call": CALL}], "steps": [{"get": "/", "capture": {"json": "/a", "as": "id"}}]}, "'id' is also the name of a capture of the setup"),
    "built in": ({"setup": [{"call": CALL | {"capture": {"json": "/a", "as": "uuid"}}}]}, "is a name that templates have already"),
    "before it": ({"setup": [{"call": "http://127.0.0.1:1/{{id}}"}, {"call": CALL}]}, "setup[0].call: '{{id}}' is captured only later, in line"),
    "by itself": ({"setup": [{"call": CALL | {"body": "{{id}}"}}]}, "setup[0].call.body: '{{id}}' is captured only later"),
    "in prepare's text": ({"setup": [{"call": CALL}], "prepare": [{"call": "http://127.0.0.1:1/{{id}}"}]}, "prepare[0].call: '{{id}}' has no value"),
    "no such name": ({"setup": [{"call": CALL}], "teardown": [{"call": "http://127.0.0.1:1/{{idd}}"}]}, "did you mean 'id'?"),
    "in a step": ({"setup": [{"call": CALL}], "steps": [{"get": "/{{idd}}"}]}, "did you mean 'id'?"),
    "a choice of one": ({"setup": [{"call": CALL | {"choose": "zipf"}}]}, "setup[0].call.choose: needs 'repeat'"),
    "a choice of none": ({"setup": [{"call": {"url": "http://127.0.0.1:1/", "choose": "zipf", "repeat": 3}}]}, "setup[0].call.choose: needs 'capture'"),
    "no pointer": ({"setup": [{"call": CALL | {"capture": {"json": "id", "as": "id"}}}]}, "capture[0].json: is not a JSON pointer"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_is_refused_with_its_line(tmp_path, kind):
    more, words = WRONG[kind]
    run = prove(tmp_path, campaign("http://127.0.0.1:1", **more))
    assert run.code == USAGE and words in run.err and "campaign.yaml:" in run.err, run
