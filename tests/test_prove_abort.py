"""A guardrail that ends the run: as soon as it is broken by what was seen, in order, and as FAIL."""
import json
import time

import pytest

from lib.peers import free_port
from lib.prove import FAIL, PASS, REPORTS, USAGE, campaign, load, prove
from test_prove_faults import World

LONG = 60.0


def hour(origin, *guardrails, **more):
    """Far longer than any test waits: a run that passes its tests has ended early."""
    return campaign(origin.url, guardrails=list(guardrails), **{"rate": 100, "seconds": 600.0} | more)


def ends(check, **more):
    return {"check": check, "abort": True} | more


def aborted(run, check, before=LONG):
    assert run.code == FAIL and run.verdict == "FAIL", run
    assert run.result["ended_at"] < before and not run.result["interrupted"], run.result["ended_at"]
    [by] = run.result["aborted"]
    assert check in (by["name"], by["check"]) and by["state"] == "broken"
    assert run.check(check)["state"] == "broken" and "this ended the run after" in run.check(check)["why"]
    assert any(text.startswith("aborted, since a guardrail is broken") for text in run.happenings)
    assert run.reports == set(REPORTS)
    return run


BROKEN = [
    ("500", ends("success == 100%")), ("500", ends("p95 < 50ms")), ("500", ends("status(5xx) <= 3")), ("500", ends("success(window=w) == 100%")),
    ("500", ends("success >= 99.9%", step="one", phase="p")), ("slow", ends("service.p50(ok) < 5ms", tag="t")),
]


@pytest.mark.parametrize("target, goal", BROKEN, ids=lambda x: str(x))
def test_it_ends_the_run_as_fail(tmp_path, origin, target, goal):
    origin.on("/", {"500": lambda ask: ask.reply(b"x", 500), "slow": lambda ask: time.sleep(0.1) or ask.reply(b"x")}[target])
    content = hour(origin, goal, "requests > 1000000", steps=[{"name": "one", "get": "/", "tags": "t"}],
                   windows={"w": {"from": "0s", "to": "5m"}}, requires=["delta(x_total) > 0 "])
    run = aborted(prove(tmp_path, content, seconds=LONG), goal["check"])
    # what the end alone can tell is not told, and does not excuse what was broken
    assert run.check("requests > 1000000")["state"] == "unknown" and "aborted" in run.check("requests > 1000000")["why"]
    assert run.check("delta(x_total) > 0 ")["state"] == "unknown"
    assert run.out.startswith("FAIL") and "Aborted after" in run.text("report.md") and "Aborted after" in run.text("report.html")


def test_a_closed_load_ends_too(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(b"x", 500))
    run = prove(tmp_path, campaign(origin.url, users=4, seconds=600.0, steps=[{"get": "/", "think": "10ms"}], guardrails=[ends("success == 100%")],
                                   generators=2), seconds=LONG)
    aborted(run, "success == 100%")


def test_a_run_that_is_well_goes_to_its_end(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=2.0, guardrails=[
        ends("success == 100%"), ends("max < 30s"), ends("count(failed) == 0"), ends("p50 < 10s", after="1s"), "requests == 100"]))
    assert run.code == PASS and run.result["aborted"] == [] and origin.count("/") == 100, run


def test_too_few_requests_end_nothing(tmp_path, origin):
    """One of two is no share: it is asked again when there are more."""
    origin.on("/", lambda ask: ask.reply(b"x", 500 if origin.count("/") == 1 else 200))
    run = prove(tmp_path, campaign(origin.url, rate=200, seconds=1.6, guardrails=[ends("success >= 98%")], validity={"tail_samples": 1}))
    assert run.code == PASS and run.result["aborted"] == [], run


def test_after_leaves_it_the_time_to_come_to_itself(tmp_path, origin):
    """Bad until the 60th request, then well: the first part of the run alone would end it."""
    origin.on("/", lambda ask: ask.reply(b"x", 500 if origin.count("/") <= 60 else 200))
    goal = ends("failed <= 50%")
    early = prove(tmp_path / "early", campaign(origin.url, rate=50, seconds=2.6, guardrails=[goal]), seconds=LONG)
    aborted(early, "failed <= 50%")
    origin.requests.clear()
    late = prove(tmp_path / "late", campaign(origin.url, rate=50, seconds=2.6, guardrails=[goal | {"after": "2500ms"}]), seconds=LONG)
    assert late.code == PASS and late.result["aborted"] == [], late


def test_after_counts_from_its_part_of_the_run_and_scales(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(b"x", 500))
    content = campaign(origin.url, guardrails=[ends("success == 100%", phase="q", after="500s")])
    content["phases"] = [load("p", 500, rate=100), load("q", 100_000, rate=100)]
    run = aborted(prove(tmp_path, content, "--time-scale", "0.001", seconds=LONG), "success == 100%")
    assert run.result["ended_at"] >= 1, run.result["ended_at"]


def test_a_warm_up_ends_nothing(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(b"x", 500 if origin.count("/") <= 100 else 200))
    content = campaign(origin.url, guardrails=[ends("success == 100%"), "requests > 1"])
    content["phases"] = [load("w", 1.2, rate=100, warm_up=True), load("p", 0.9, rate=100)]
    run = prove(tmp_path, content)
    assert run.code == PASS and run.result["aborted"] == [], run


def test_the_fault_is_undone_and_the_processes_end(tmp_path):
    world = World(tmp_path)
    content = world.campaign(
        seconds=600.0, rate=50, scenarios={"s": {"steps": [{"get": "/", "timeout": "300ms"}]}}, guardrails=[ends("success == 100%"), "recovery(f) < 1s"],
        faults=[{"name": "f", "at": "500ms", "for": "500s", "pause": "server"}, {"name": "g", "at": "550s", "kill": "server"}])
    run = aborted(prove(tmp_path, content, seconds=LONG), "success == 100%")
    assert any("fault 'f' over" in text for text in run.happenings), run.happenings
    assert not any("'g'" in text for text in run.happenings) and not run.result["deaths"], run
    world.gone()


def test_rates_count_the_time_that_it_went_on(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(b"x", 500))
    run = aborted(prove(tmp_path, hour(origin, ends("success == 100%")), seconds=LONG), "success == 100%")
    assert run.check("the offered rate was reached")["state"] == "held", run
    assert run.summary["metrics"]["http_reqs"]["rate"] > 30, run.summary["metrics"]["http_reqs"]
    stored = json.loads(run.text("result.json"))
    assert stored["timeline"][-1]["to"] / 1e9 == pytest.approx(stored["ended_at"], abs=0.01)


WRONG = [
    (ends("requests > 10"), "guardrails[0].abort: 'requests' can be told only when the run is over"),
    (ends("rate > 10/s"), "guardrails[0].abort: 'rate' can be told only"), (ends("recovery(f) < 1s"), "guardrails[0].abort: 'recovery(f)' can be told"),
    (ends("delta(x) == 0"), "guardrails[0].abort: 'delta(x)' can be told"), (ends("count(ok) > 10"), "guardrails[0].abort: a count can end a run only by"),
    ({"check": "success == 100%", "after": "1s"}, "guardrails[0].after: needs 'abort: true'"),
    ({"check": "success == 100%", "abort": "maybe"}, "guardrails[0].abort: "),
]


@pytest.mark.parametrize("goal, words", WRONG, ids=lambda x: str(x))
def test_what_cannot_end_a_run_is_refused(tmp_path, origin, goal, words):
    run = prove(tmp_path, campaign(origin.url, guardrails=[goal], faults=[{"name": "f", "at": "0s", "command": "true"}]))
    assert run.code == USAGE and words in run.err, run


def test_what_is_required_ends_no_run(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, requires=[ends("success == 100%")]))
    assert run.code == USAGE and "requires[0].abort: needs a guardrail" in run.err, run


def test_a_port_that_nobody_listens_at_ends_it(tmp_path):
    run = prove(tmp_path, campaign(f"http://127.0.0.1:{free_port()}", rate=50, seconds=600.0, guardrails=[ends("p95 < 10s")]), seconds=LONG)
    aborted(run, "p95 < 10s")
