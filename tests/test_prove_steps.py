"""Checks about one step, and about all steps with a tag: each judged by what its own requests did."""
import time

import pytest

from lib.gateway import run as sekisho
from lib.origin import Origin
from lib.prove import FAIL, PASS, USAGE, campaign, prove

HELD, BROKEN, UNKNOWN = "held", "broken", "unknown"
SHOP = {
    "buy": {"weight": 1, "steps": [
        {"name": "login", "post": "/login", "tags": ["write"]},
        {"name": "look", "get": "/look", "tags": ["read", "cheap"]},
        {"name": "pay", "post": "/pay", "tags": "write", "expect": {"status": [200, 503]}}]},
    "browse": {"weight": 1, "steps": [{"name": "look", "get": "/list", "tags": ["read"]}]},
}


def shop(origin, *guardrails, **more):
    """/look takes 100 ms and every other /list is answered 500; all else is well."""
    origin.on("/login", lambda ask: ask.reply(b"x"))
    origin.on("/pay", lambda ask: ask.reply(b"x", 503))
    origin.on("/look", lambda ask: time.sleep(0.1) or ask.reply(b"x"))
    origin.on("/list", lambda ask: ask.reply(b"x", 500 if origin.count("/list") % 2 else 200))
    return campaign(origin.url, scenarios=SHOP, rate=60, seconds=1, guardrails=list(guardrails), **more)


ROWS = [
    ({"check": "success == 100%", "step": "login"}, HELD, "step login"),
    ({"check": "success == 100%", "step": "look", "scenario": "buy"}, HELD, "scenario buy, step look"),
    ({"check": "success == 100%", "step": "look", "scenario": "browse"}, BROKEN, "scenario browse, step look"),
    ({"check": "success == 100%", "step": "look"}, BROKEN, "step look"),
    ({"check": "success == 100%", "tag": "write"}, HELD, "tag write"),
    ({"check": "success == 100%", "tag": "read"}, BROKEN, "tag read"),
    ({"check": "success == 100%", "tag": "read", "scenario": "buy"}, HELD, "scenario buy, tag read"),
    ({"check": "success == 100%", "tag": "cheap"}, HELD, "tag cheap"),
    ({"check": "p50 >= 100ms", "tag": "cheap"}, HELD, "tag cheap"),
    ({"check": "service.p50 < 80ms", "tag": "cheap"}, BROKEN, "tag cheap"),
    ({"check": "min < 100ms", "step": "login"}, HELD, "step login"),
    ({"check": "max(failed) < 60s", "step": "look"}, HELD, "step look"),
    ({"check": "max(failed) < 60s", "step": "login"}, UNKNOWN, "no request"),
    ({"check": "status(503) == requests", "step": "pay"}, HELD, "step pay"),
    ({"check": "status(5xx) == 0", "step": "pay"}, BROKEN, "step pay"),
    ({"check": "rate > 5/s", "step": "pay", "phase": "p"}, HELD, "step pay, phase p"),
    ("service.p50(step=login) < service.p50(tag=cheap)", HELD, "service.p50(step=login)"),
    ("service.p50(step=login, scenario=buy) > service.p50(tag=cheap)", BROKEN, "service.p50"),
    ("requests(step=login) == requests(step=pay)", HELD, "requests(step=login)"),
    ("requests == requests(tag=read) + requests(tag=write)", HELD, "requests(tag=read)"),
    ("count(failed) == count(failed, step=look, scenario=browse)", HELD, "count(failed)"),
    ({"check": "requests(step=login) < requests", "tag": "write"}, HELD, "tag write"),
]


@pytest.fixture(scope="module")
def shopped(tmp_path_factory):
    """One run with all of these goals."""
    origin = Origin()
    yield prove(tmp_path_factory.mktemp("shop"), shop(origin, *[goal for goal, _, _ in ROWS]))
    origin.stop()


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda n: str(ROWS[n][0]))
def test_a_check_is_about_the_requests_of_its_steps(shopped, number):
    goal, state, word = ROWS[number]
    check = shopped.checks("guardrail")[number]
    assert check["check"] == (goal["check"] if isinstance(goal, dict) else goal)
    assert check["state"] == state, check
    assert any(word in line and check["check"] in line for line in shopped.out.splitlines()), shopped


def test_the_scope_stands_in_every_report(tmp_path, origin):
    run = prove(tmp_path, shop(origin, {"check": "success == 100%", "step": "look", "scenario": "browse"}, {"check": "requests > 1", "tag": "read"}))
    for name in ("report.html", "report.md", "junit.xml", "summary.json"):
        assert "scenario browse, step look" in run.text(name), name
        assert "tag read" in run.text(name), name
    assert run.check("requests > 1")["scope"]["tag"] == "read"
    again = sekisho("prove", "report", run.folder / "result.json", cwd=tmp_path)
    assert again.returncode in (PASS, FAIL), again


def test_a_step_has_recovered_by_its_own_latency(tmp_path, origin):
    """/slow never is below the limit, and is no business of the guardrail about the other step."""
    origin.on("/slow", lambda ask: time.sleep(0.15) or ask.reply(b"x"))
    content = campaign(origin.url, [{"name": "slow", "get": "/slow"}, {"name": "quick", "get": "/", "tags": "t"}], rate=40, seconds=2.0,
                       faults=[{"name": "f", "at": "300ms", "for": "100ms", "command": "true", "undo": {"command": "true"}}])
    content["guardrails"] = [{"check": "service.p50 < 100ms", "tag": "t"}, {"check": "service.p50 < 100ms", "step": "quick"}, "recovery(f) < 60s"]
    run = prove(tmp_path, content)
    assert run.code == PASS, run
    content["guardrails"] = [{"check": "service.p50 < 100ms", "step": "slow"}, "recovery(f) < 60s"]
    run = prove(tmp_path / "slow", content)
    assert run.code == FAIL and "there was no recovery" in run.check("recovery(f) < 60s")["why"], run


WRONG = [
    ({"check": "success == 100%", "step": "logn"}, "guardrails[0].step: there is no step 'logn', did you mean 'login'?"),
    ({"check": "success == 100%", "step": "login", "scenario": "browse"}, "guardrails[0].step: there is no step 'login' in scenario 'browse'"),
    ({"check": "success == 100%", "tag": "wirte"}, "guardrails[0].tag: there is no step with the tag 'wirte', did you mean 'write'?"),
    ({"check": "success == 100%", "tag": "cheap", "scenario": "browse"}, "guardrails[0].tag: there is no step with the tag 'cheap' in scenario"),
    ({"check": "success == 100%", "tag": "cheap", "step": "login"}, "guardrails[0].tag: stands beside 'step'; give one of them"),
    ("success(step=logn) == 100%", "guardrails[0]: there is no step 'logn', did you mean 'login'?"),
    ("success(tag=rad) == 100%", "guardrails[0]: there is no step with the tag 'rad', did you mean 'read'?"),
    ("success(tag=read, step=look) == 100%", "guardrails[0]: a step and a tag at a time are one too many"),
    ({"check": "offered > 1/s", "step": "login"}, "guardrails[0].step: 'offered' has no meaning for a step"),
    ({"check": "lag.p99 < 1s", "tag": "read"}, "guardrails[0].tag: 'lag.p99' has no meaning for a tag"),
    ({"check": "rss < 1GB", "step": "login"}, "guardrails[0].step: 'rss' has no meaning for a step"),
    ({"check": "recovery(f) < 1s", "step": "login"}, "guardrails[0].step: 'recovery(f)' has no meaning for a step"),
    ("recovery(f, step=login) < 1s", "guardrails[0]: 'recovery(f, step=login)' has no meaning for a step"),
    ("delta(x, step=login) < 1", "guardrails[0]: 'delta(x, step=login)' has no meaning for a step"),
]


@pytest.mark.parametrize("goal, words", WRONG, ids=lambda x: str(x))
def test_what_names_no_step_or_has_none_is_refused(tmp_path, origin, goal, words):
    run = prove(tmp_path, shop(origin, goal, faults=[{"name": "f", "at": "0s", "command": "true"}]))
    assert run.code == USAGE and words in run.err, run
    assert not origin.requests
