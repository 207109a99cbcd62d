"""The load of `sekisho prove run`: what is sent, when, over which connections, and how its outcomes are told apart.

Every figure is held against what the target counted itself.
"""
import json
import math
import re
import threading
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from lib.deadline import until
from lib.gateway import instrumented
from lib.gateway import run as sekisho
from lib.origin import CHUNKED, Origin, says
from lib.peers import ACCESS_KEY, SECRET_KEY, free_port
from lib.prove import FAIL, INVALID, PASS, Running, Seen, campaign, load, prove


# ---- counts and outcomes


def test_counts_are_exactly_the_servers(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=200, seconds=1))
    assert run.code == PASS, run
    assert run.counts() == {"ok": 200}
    assert origin.count("/") == 200


def test_requests_of_the_warm_up_are_reported_and_no_part_of_the_figures(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(status=500 if len(origin.requests) <= 50 else 200))
    run = prove(tmp_path, campaign(origin.url, phases=[load("w", 0.5, rate=100, warm_up=True), load("p", 1, rate=100)],
                                   guardrails=["success == 100%", "requests == 100"],
                                   scenarios={"s": {"connections": 1, "steps": [{"get": "/"}]}}))
    assert run.code == PASS, run
    assert run.counts(phase="w") == {"failed": 50} and run.counts(phase="p") == {"ok": 100}
    assert run.summary["metrics"]["http_reqs"]["count"] == 100
    assert origin.count("/") == 150


OUTCOMES = {
    # status, what is expected: outcome, reason
    "ok": (200, None, "ok", None),
    "created": (201, None, "ok", None),
    "a redirect is not followed": (302, None, "failed", "status"),
    "a redirect that was expected": (302, 302, "ok", None),
    "an error": (500, None, "failed", "status"),
    "an error that was expected": (500, "5xx", "ok", None),
    "a denial that was not expected": (401, None, "failed", "unexpected_denial"),
    "forbidden that was not expected": (403, None, "failed", "unexpected_denial"),
    "a denial that was expected": (401, 401, "denied", None),
    "forbidden that was expected": (403, [401, 403], "denied", None),
    "the wrong denial": (403, 401, "failed", "not_denied"),
    "let in where a denial was expected": (200, 401, "failed", "not_denied"),
    "an error where a denial was expected": (500, 403, "failed", "not_denied"),
    "limited": (429, None, "limited", "status"),
    "limited as expected": (429, {"outcome": "limited"}, "limited", None),
    "not limited": (200, {"outcome": "limited"}, "failed", "status"),
    "a denial by another status": (404, {"status": 404, "outcome": "denied"}, "denied", None),
    "denied by outcome": (401, {"outcome": "denied"}, "denied", None),
}


def test_outcomes_and_reasons_are_told_apart(tmp_path, origin):
    scenarios = {}
    for number, (name, (status, expect, _, _)) in enumerate(OUTCOMES.items()):
        origin.on(f"/{number}", lambda ask, status=status: ask.reply(b"x", status))
        step = {"get": f"/{number}"} | ({} if expect is None else {"expect": expect})
        scenarios[f"s{number}"] = {"steps": [step]}
    run = prove(tmp_path, campaign(origin.url, rate=300, seconds=1, scenarios=scenarios, guardrails=["requests == 300"]))
    assert run.code == PASS, run
    for number, (name, (status, _, outcome, reason)) in enumerate(OUTCOMES.items()):
        scenario = f"s{number}"
        times = origin.count(f"/{number}")
        assert times > 0, f"{name} never came"
        assert run.counts(scenario=scenario) == {outcome: times}, name
        assert run.reasons(scenario=scenario) == ({reason: times} if reason else {}), name
        assert run.statuses(scenario=scenario) == {status: times}, name


def test_an_unexpected_denial_is_no_success_however_fast(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(status=403))
    run = prove(tmp_path, campaign(origin.url, rate=50, guardrails=["success > 0%"]))
    assert run.code == FAIL, run
    assert run.counts() == {"failed": 50}


def test_a_limit_that_was_expected_is_a_success_and_another_is_none(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(status=429))
    expected = campaign(origin.url, rate=50, guardrails=["success == 100%", "limited == 100%"],
                        scenarios={"s": {"steps": [{"get": "/", "expect": 429}]}})
    run = prove(tmp_path, expected)
    assert run.code == PASS, run
    assert run.summary["metrics"]["http_req_failed"]["passes"] == 0
    run = prove(tmp_path, campaign(origin.url, rate=50, guardrails=["success > 0%"]))
    assert run.code == FAIL, run


@pytest.mark.parametrize("reply, reason", [
    (lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") or ask.close(), "reset"),
    (lambda ask: ask.close(), "reset"),
    (lambda ask: ask.reset(), "reset"),
    (lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n") or ask.close(), "reset"),
    (lambda ask: ask.send(b"SSH-2.0-OpenSSH_9.2\r\n"), "bad_reply"),
    (lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "bad_reply"),
    (lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), "bad_reply"),
    (lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc"), "bad_reply"),
], ids=["cut-length", "closed", "reset", "cut-chunked", "no-http", "two-lengths", "bad-chunk", "too-much"])
def test_a_reply_that_is_none_is_a_failure(tmp_path, origin, reply, reason):
    origin.forgiving = True
    origin.on("/", reply)
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.5, guardrails=["failed == 100%"]))
    assert run.code == PASS, run
    assert run.counts() == {"failed": 10} and run.reasons() == {reason: 10}
    assert origin.count("/") == 10  # on a connection of its own each: not sent again


def test_a_target_that_nobody_listens_at_is_refused(tmp_path):
    run = prove(tmp_path, campaign(f"http://127.0.0.1:{free_port()}", rate=20, seconds=0.5))
    assert run.code == FAIL, run
    assert run.counts() == {"failed": 10} and run.reasons() == {"refused": 10}


def test_a_slow_reply_times_out_and_what_is_under_way_at_the_end_is_recorded(tmp_path, origin):
    gate = threading.Event()
    origin.on("/slow", lambda ask: ask.stall())
    origin.on("/late", lambda ask: ask.stall())
    run = prove(tmp_path, campaign(
        origin.url, rate=40, seconds=0.5, grace="500ms", guardrails=["timed_out > 50%"],
        scenarios={"a": {"steps": [{"get": "/slow", "timeout": "100ms"}]}, "b": {"steps": [{"get": "/late"}]}}))
    gate.set()
    assert run.code == PASS, run
    assert run.counts() == {"timed_out": 20}
    assert run.reasons(scenario="a") == {"reply_timeout": origin.count("/slow")}
    assert run.reasons(scenario="b") == {"in_flight": origin.count("/late")}
    assert run.latency("response", scenario="a").min >= 0.099
    assert run.latency("response", scenario="a").max < 0.4


def test_a_step_that_goes_wrong_skips_those_behind_it(tmp_path, origin):
    origin.on("/b", lambda ask: ask.reply(status=503))
    run = prove(tmp_path, campaign(origin.url, [{"get": "/a"}, {"get": "/b"}, {"get": "/c"}], rate=40, seconds=0.5,
                                   guardrails=["skipped > 33%", "requests == 60"]))
    assert run.code == PASS, run
    assert [run.counts(step=n) for n in range(3)] == [{"ok": 20}, {"failed": 20}, {"skipped": 20}]
    assert run.reasons(step=2) == {"earlier_step": 20}
    assert [origin.count(path) for path in ("/a", "/b", "/c")] == [20, 20, 0]


@pytest.mark.parametrize("load_of", [{"rate": 20}, {"users": 3}], ids=["open", "closed"])
def test_what_a_user_had_still_to_do_when_the_run_ended_is_told(tmp_path, origin, load_of):
    """A checkout that never came is no success of the run, however well the steps before it went."""
    run = prove(tmp_path, campaign(origin.url, [{"get": "/a", "think": "20s"}, {"get": "/b"}, {"get": "/c"}], **load_of, seconds=0.5,
                                   grace="100ms"))
    assert run.code == FAIL, run
    journeys = origin.count("/a")
    assert run.counts() == {"ok": journeys, "skipped": 2 * journeys} and run.reasons() == {"in_flight": 2 * journeys}
    assert journeys == (10 if "rate" in load_of else 3) and not origin.count("/b")


def test_arrivals_beyond_the_backlog_are_skipped_and_are_no_success(tmp_path, origin):
    origin.on("/", lambda ask: ask.stall())
    run = prove(tmp_path, campaign(origin.url, rate=200, seconds=0.5, backlog=10, grace="100ms",
                                   scenarios={"s": {"connections": 2, "steps": [{"get": "/"}]}}))
    assert run.code == FAIL, run
    assert run.counts() == {"timed_out": 12, "skipped": 88}
    assert run.reasons() == {"in_flight": 12, "backlog": 88}
    assert origin.count("/") == 2


def test_latency_is_told_by_outcome(tmp_path, origin):
    origin.on("/denied", lambda ask: ask.reply(status=401))
    origin.on("/ok", lambda ask: time.sleep(0.06) or ask.reply(b"x"))
    run = prove(tmp_path, campaign(
        origin.url, rate=60, scenarios={"a": {"steps": [{"get": "/ok"}]},
                                        "b": {"steps": [{"get": "/denied", "expect": 401}]}},
        guardrails=["p50(ok) > 30ms", "p50(denied) < 50ms", "min(ok) >= 30ms", "denied == 100%", "success == 100%"]))
    assert run.code == PASS, run
    assert run.latency("response", "ok").min >= 0.0595
    assert run.latency("response", "denied").percentile(50) < 0.05


# ---- response and service time


def test_a_stall_shows_in_response_time_and_not_in_the_median_of_service_time(tmp_path, origin):
    """One connection, a request each 10 ms, and one reply that takes half a second: those that waited behind it did
    not take long to serve, but their users waited all the same."""
    seen = Seen()
    seen.reply = lambda ask: (time.sleep(0.5) if len(seen) == 30 else None) or ask.reply(b"x")
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, rate=100, seconds=2,
                                   scenarios={"s": {"connections": 1, "steps": [{"get": "/"}]}}))
    assert run.code == PASS, run
    response, service = run.latency("response"), run.latency("service")
    assert response.total == service.total == 200 == len(seen)
    assert 0.45 < service.max < 1.2 and service.percentile(95) < 0.1
    assert response.max >= service.max * 0.99
    # Some 50 arrivals wait, the last of them hardly at all.
    assert response.percentile(90) > 0.2 and response.percentile(50) < 0.2
    slow = sum(number for value, number in response.counts.items() if value > 0.1e9)
    assert 35 <= slow <= 90, slow


def test_think_time_is_no_part_of_any_latency(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, [{"get": "/a", "think": "200ms"}, {"get": "/b"}], rate=20, seconds=0.5))
    assert run.code == PASS, run
    assert run.latency("response").max < 0.15
    firsts = [ask for ask in origin.requests if ask.path == "/a"]
    assert len(firsts) == 10 == origin.count("/b")


def test_first_byte_and_whole_reply_are_timed_apart(tmp_path, origin):
    origin.on("/", says(200, {"Content-Length": "2"}, b"a", lambda ask: time.sleep(0.1), b"b"))
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.5,
                                   guardrails=["first_byte.p50 < 80ms", "p50 > 60ms", "service.p50 > 60ms"]))
    assert run.code == PASS, run


# ---- arrivals


def test_even_arrivals_are_spaced_evenly(tmp_path, origin):
    seen = Seen()
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=2))
    assert run.code == PASS, run
    assert len(seen) == 100
    gaps = sorted(seen.gaps())
    assert 0.017 < gaps[50] < 0.023, gaps[50]
    assert 1.9 < max(seen.at) - min(seen.at) < 2.2
    assert sum(1 for gap in gaps if abs(gap - 0.02) > 0.01) < 25, gaps


def test_a_ramp_sends_what_lies_under_its_line(tmp_path, origin):
    seen = Seen()
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, rate="0..100", seconds=2))
    assert run.code == PASS, run
    assert len(seen) == 100
    begun = min(seen.at)
    first_half = sum(1 for at in seen.at if at - begun < 0.9)  # the first arrival is at 0
    assert 15 <= first_half <= 35, first_half  # a quarter of the triangle


def test_a_ramp_that_is_shorter_than_its_phase_holds_its_top(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, phases=[load("p", 1.5, rate="0..100", ramp="500ms")]))
    assert run.code == PASS, run
    assert origin.count("/") == 125


def test_a_falling_ramp(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate="100..0", seconds=1))
    assert run.code == PASS, run
    assert 49 <= origin.count("/") <= 51
    assert origin.count("/") == run.count("ok")


def test_poisson_arrivals_vary_as_they_should(tmp_path, origin):
    seen = Seen()
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, phases=[load("p", 2, rate=150, arrivals="poisson")],
                                   guardrails=["success == 100%"]))
    assert run.code == PASS, run
    assert run.count("ok") == len(seen)
    assert abs(len(seen) - 300) < 5 * math.sqrt(300), len(seen)
    gaps = seen.gaps()
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert 0.75 < deviation / mean < 1.35, deviation / mean  # 1 for exponential gaps, 0 for even ones
    assert 0.5 < sum(1 for gap in gaps if gap < mean) / len(gaps) < 0.75  # 0.63


def test_several_generators_share_the_load(tmp_path, origin):
    seen = Seen()
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, rate=90, seconds=1, generators=3, data={"n": {"range": "1..90", "choose": "sequence"}},
                                   scenarios={"s": {"steps": [{"get": "/", "headers": {"N": "{{n}}"}}]}}))
    assert run.code == PASS, run
    assert run.count("ok") == 90 == len(seen)
    assert sorted(int(ask.get("N")) for ask in seen.asks) == list(range(1, 91))
    assert all(len(segment["busy"]) == 3 for segment in run.result["segments"])


def test_phases_follow_each_other_at_their_own_rates(tmp_path, origin):
    run = prove(tmp_path, campaign(
        origin.url, scenarios={"a": {"steps": [{"get": "/a"}]}, "b": {"steps": [{"get": "/b"}]}},
        phases=[load("one", 0.5, rate=40), load("two", 0.5, rate=100, only="b"), load("three", 0.5, users=2, only=["a"])]))
    assert run.code == PASS, run
    assert sum(run.counts(phase="one").values()) == 20
    assert run.counts(phase="two", scenario="b") == {"ok": 50} and not run.counts(phase="two", scenario="a")
    assert not run.counts(phase="three", scenario="b")
    assert run.count("ok", scenario="a") == origin.count("/a")
    assert run.count("ok", scenario="b") == origin.count("/b")


def test_weights_share_the_journeys(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=400, seconds=1.5,
                                   scenarios={"a": {"weight": 3, "steps": [{"get": "/a"}]},
                                              "b": {"weight": 1, "steps": [{"get": "/b"}]}}))
    assert run.code == PASS, run
    assert origin.count("/a") + origin.count("/b") == 600
    assert 400 < origin.count("/a") < 500  # 450 expected, a deviation of 10.6


# ---- closed model


def test_users_wait_for_their_replies(tmp_path, origin):
    seen = Seen(lambda ask: time.sleep(0.05) or ask.reply(b"x"))
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, users=4, seconds=1))
    assert run.code == PASS, run
    assert seen.most == 4
    assert 50 <= len(seen) <= 84, len(seen)
    assert run.count("ok") == len(seen)
    assert len(origin.connections) == 4


def test_users_think_between_journeys(tmp_path, origin):
    seen = Seen()
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "think": "100ms"}], users=3, seconds=1))
    assert run.code == PASS, run
    assert 24 <= len(seen) <= 33, len(seen)


def test_thinking_is_spread_over_its_range(tmp_path, origin):
    seen = Seen()
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "think": "20ms..100ms"}], users=1, seconds=2))
    assert run.code == PASS, run
    gaps = seen.gaps()
    assert min(gaps) >= 0.019
    assert sum(1 for gap in gaps if gap < 0.06) > len(gaps) / 5 and sum(1 for gap in gaps if gap > 0.06) > len(gaps) / 5


def test_users_ramp_up(tmp_path, origin):
    seen = Seen(lambda ask: time.sleep(0.02) or ask.reply(b"x"))
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, users="1..8", seconds=2))
    assert run.code == PASS, run
    begun = min(seen.at)
    early = sum(1 for at in seen.at if at - begun < 0.5)
    late = sum(1 for at in seen.at if at - begun > 1.5)
    assert late > 2 * early, (early, late)
    assert 6 <= seen.most <= 8


def test_a_user_who_fails_does_not_spin(tmp_path):
    run = prove(tmp_path, campaign(f"http://127.0.0.1:{free_port()}", users=2, seconds=0.5, guardrails=["failed == 100%"]))
    assert run.code in (PASS, INVALID), run
    assert run.reasons() == {"refused": run.count("failed")}


# ---- connections


def test_connections_are_kept(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=100, seconds=1,
                                   scenarios={"s": {"connections": 1, "steps": [{"get": "/a"}, {"get": "/b"}]}}))
    assert run.code == PASS, run
    assert origin.count("/a") == origin.count("/b") == 100
    assert len(origin.connections) == 1


def test_reconnect_begins_each_journey_anew(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=0.5, scenarios={
        "s": {"reconnect": True, "steps": [{"get": "/a"}, {"get": "/b"}]}}))
    assert run.code == PASS, run
    assert origin.count("/b") == 25 and len(origin.connections) == 25


def test_a_pool_has_as_many_connections_as_it_says(tmp_path, origin):
    seen = Seen(lambda ask: time.sleep(0.1) or ask.reply(b"x"))
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=1, grace="3s", validity={"rate": "10%"},
                                   scenarios={"s": {"connections": 3, "steps": [{"get": "/"}]}}))
    assert run.code == PASS, run
    assert seen.most == 3 and len(origin.connections) == 3
    assert run.count("ok") == 50 == len(seen)
    assert run.latency("response").max > 0.4 and run.latency("service").percentile(90) < 0.3


def test_a_connection_that_the_target_closes_is_made_anew_and_costs_nobody_a_request(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(b"x", fields={"Connection": "close"}) or ask.connection.close())
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=0.5))
    assert run.code == PASS, run
    assert run.counts() == {"ok": 25} and origin.count("/") == 25


def test_connections_that_the_target_closes_while_they_rest_cost_nobody_a_request(tmp_path, origin):
    seen = Seen()
    origin.on("/", seen)
    running = Running(tmp_path, campaign(origin.url, rate=20, seconds=1.5, scenarios={"s": {"connections": 2, "steps": [{"get": "/"}]}}))
    until(lambda: len(seen) >= 10, 10, "ten requests")
    time.sleep(0.02)  # between two requests
    origin.drop_connections()
    run = running.wait()
    assert run.code == PASS, run
    assert run.counts() == {"ok": 30} and len(seen) == 30


def test_a_request_that_was_read_and_dropped_is_a_failure(tmp_path, origin):
    """On a connection that was used before, too: only what was not read may be sent again."""
    seen = Seen()
    seen.reply = lambda ask: ask.close() if len(seen) % 10 == 0 else ask.reply(b"x")
    origin.on("/", seen)
    run = prove(tmp_path, campaign(origin.url, rate=60, seconds=1, guardrails=["failed > 9%", "retries == 0"],
                                   scenarios={"s": {"connections": 1, "steps": [{"get": "/"}]}}))
    assert run.code == PASS, run
    assert run.counts() == {"ok": 54, "failed": 6} and len(seen) == 60 and run.reasons() == {"reset": 6}


def test_interim_replies_without_end_run_into_the_timeout(tmp_path, origin):
    def babble(ask):
        while True:
            ask.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)

    origin.on("/", babble)
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "timeout": "200ms"}], rate=10, seconds=0.4,
                                   guardrails=["timed_out == 100%"], grace="1s"))
    assert run.code == PASS, run
    assert run.counts() == {"timed_out": 4}


def test_a_head_without_end_is_a_bad_reply(tmp_path, origin):
    def babble(ask):
        ask.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            ask.send(b"X-More: " + b"x" * 8000 + b"\r\n")

    origin.on("/", babble)
    run = prove(tmp_path, campaign(origin.url, rate=10, seconds=0.4, guardrails=["reason(bad_reply) == 4"]))
    assert run.code == PASS, run


def test_a_body_that_trickles_is_cut_at_the_timeout(tmp_path, origin):
    def trickle(ask):
        ask.head(200, {"Content-Length": "1000"})
        for _ in range(1000):
            ask.send(b"x")
            time.sleep(0.02)

    origin.on("/", trickle)
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "timeout": "300ms"}], rate=10, seconds=0.4, guardrails=["timed_out == 100%"]))
    assert run.code == PASS, run
    assert 0.29 < run.latency("response").min and run.latency("response").max < 0.8


def test_a_refused_upload_is_told_by_its_answer(tmp_path, origin):
    """Who answers 413 and closes before the body has come was heard, if his answer came through at all."""
    origin.on("/", lambda ask: ask.reply(b"too large", 413, {"Connection": "close"}) or time.sleep(0.2) or ask.close(), lazy=True)
    run = prove(tmp_path, campaign(origin.url, [{"put": "/", "body_size": "4MiB", "expect": 413}], rate=10, seconds=0.5,
                                   guardrails=["success > 50%"]))
    assert run.code == PASS, run
    assert run.statuses().get(413, 0) >= 3


def test_two_targets_in_one_journey(tmp_path, origin, another_origin):
    other = another_origin()
    run = prove(tmp_path, campaign(None, targets={"a": origin.url, "b": other.url}, rate=20, seconds=0.5,
                                   scenarios={"s": {"steps": [{"get": "/x"}, {"get": "/y", "target": "b"}]}}))
    assert run.code == PASS, run
    assert origin.count("/x") == 10 == other.count("/y")
    assert not origin.count("/y")


def test_a_target_may_have_a_path(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url + "/base", rate=20, seconds=0.5))
    assert run.code == PASS, run
    assert origin.count("/base/") == 10


# ---- what is sent


def test_requests_are_what_the_steps_say(tmp_path, origin):
    (tmp_path / "body.bin").write_bytes(bytes(range(256)))
    steps = [
        {"head": "/head"}, {"post": "/post", "body": "a={{user}}"}, {"put": "/put", "body_file": "body.bin"},
        {"patch": "/patch", "body_size": "100KiB"}, {"delete": "/delete", "expect": 204},
        {"path": "/options", "method": "OPTIONS"}, {"get": "/get?a=1&b=2", "headers": {"X-One": "1", "Host": "example.test"}},
        {"post": "/empty"},
    ]
    origin.on("/delete", lambda ask: ask.reply(status=204))
    run = prove(tmp_path, campaign(origin.url, steps, rate=10, seconds=0.3))
    assert run.code == PASS, run
    assert run.counts() == {"ok": 24}
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"):
        path = "/" + method.lower()
        assert [ask.method for ask in origin.seen(path)] == [method] * 3
    assert origin.seen("/put")[0].body == bytes(range(256))
    assert len(origin.seen("/patch")[0].body) == 100 << 10
    assert re.fullmatch(rb"a=\d+", origin.seen("/post")[0].body)
    get = origin.seen("/get")[0]
    assert get.query == "a=1&b=2" and get.get("X-One") == "1" and get.get("Host") == "example.test"
    assert origin.seen("/empty")[0].get("Content-Length") == "0"
    assert origin.seen("/head")[0].get("Host") == f"127.0.0.1:{origin.port}"
    assert "Content-Length" not in get


def test_templates(tmp_path, origin):
    steps = [{"post": "/{{n}}", "headers": {"X-User": "{{user}}", "X-Iteration": "{{iteration}}", "X-Uuid": "{{uuid}}",
                                            "X-Random": "{{random}}", "X-Now": "{{now}}", "X-Plain": "{{{{n}}"},
              "body": "n={{n}};"}]
    run = prove(tmp_path, campaign(origin.url, steps, users=2, seconds=0.3, data={"n": "1..5"}))
    assert run.code == PASS, run
    asks = origin.requests
    assert {ask.get("X-User") for ask in asks} == {"0", "1"}
    for user in ("0", "1"):
        mine = [int(ask.get("X-Iteration")) for ask in asks if ask.get("X-User") == user]
        assert mine == list(range(mine[0], mine[0] + len(mine))) and mine[0] in (0, 1)
    for ask in asks:
        assert ask.path[1:] in "12345" and ask.body.decode() == f"n={ask.path[1:]};"
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", ask.get("X-Uuid"))
        assert abs(int(ask.get("X-Now")) - time.time()) < 60
        assert ask.get("X-Plain") == "{{n}}"
    assert len({ask.get("X-Uuid") for ask in asks}) == len(asks) == len({ask.get("X-Random") for ask in asks})


def test_captures_serve_later_steps(tmp_path, origin):
    counter = iter(range(1_000_000))
    made = []

    def create(ask):
        number = next(counter)
        made.append(number)
        document = {"items": [{"id": number, "name": f"n {number}", "a/b": {"~": f"odd{number}"}, "on": True}]}
        ask.reply(json.dumps(document).encode(), 201, {"Location": f"/loc/{number}", "Content-Type": "application/json"})

    origin.on("/create", create)
    origin.on("/page", lambda ask: ask.reply(f"<input name=csrf value='t{next(counter)}'>".encode()))
    steps = [
        {"post": "/create", "expect": 201, "capture": [
            {"json": "/items/0/id", "as": "id"}, {"json": "/items/0/a~1b/~0", "as": "odd"},
            {"json": "/items/0/on", "as": "flag"}, {"header": "location", "as": "where"}]},
        {"get": "/page", "capture": [{"regex": "name=csrf value='([^']+)'", "as": "csrf"}]},
        {"get": "/item/{{id}}", "headers": {"X-Csrf": "{{csrf}}", "X-Odd": "{{odd}}", "X-Where": "{{where}}", "X-Flag": "{{flag}}"},
         "expect": {"body": "/item/{{id}}"}},
    ]
    run = prove(tmp_path, campaign(origin.url, steps, rate=40, seconds=0.5))
    assert run.code == PASS, run
    last = [ask for ask in origin.requests if ask.path.startswith("/item/")]
    assert len(last) == 20
    for ask in last:
        number = ask.path.rpartition("/")[2]
        assert int(number) in made
        assert ask.get("X-Odd") == f"odd{number}" and ask.get("X-Where") == f"/loc/{number}" and ask.get("X-Flag") == "true"
        assert ask.get("X-Csrf").startswith("t")
    assert len({ask.path for ask in last}) == 20


@pytest.mark.parametrize("capture", [{"json": "/nope"}, {"header": "x-nope"}, {"regex": "nope=(.*)"}],
                         ids=["json", "header", "regex"])
def test_a_capture_that_finds_nothing_is_a_failure(tmp_path, origin, capture):
    run = prove(tmp_path, campaign(origin.url, [{"get": "/a", "capture": [capture | {"as": "x"}]}, {"get": "/{{x}}"}],
                                   rate=20, seconds=0.3, guardrails=["reason(capture) == 6"]))
    assert run.code == PASS, run
    assert run.counts() == {"failed": 6, "skipped": 6} and run.reasons() == {"capture": 6, "earlier_step": 6}


EXPECTATIONS = {
    "status-range": ({"status": "200..204"}, None),
    "status-list": ({"status": [201, "2xx"]}, None),
    "status": ({"status": 201}, "status"),
    "header": ({"headers": {"X-Kind": "good"}}, None),
    "header-case": ({"headers": {"x-kind": "good"}}, None),
    "header-differs": ({"headers": {"X-Kind": "bad"}}, "header"),
    "header-there": ({"headers": {"X-Kind": "*"}}, None),
    "header-missing": ({"headers": {"X-Nope": "*"}}, "header"),
    "header-absent": ({"headers": {"X-Nope": "!"}}, None),
    "header-not-absent": ({"headers": {"X-Kind": "!"}}, "header"),
    "body": ({"body": "world"}, None),
    "body-differs": ({"body": "World"}, "body"),
    "length": ({"length": 11}, None),
    "length-differs": ({"length": 12}, "length"),
    "digest": ({"sha256": "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"}, None),
    "digest-differs": ({"sha256": "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde8"}, "digest"),
}


def test_each_expectation_can_fail(tmp_path, origin):
    origin.otherwise(lambda ask: ask.reply(b"hello world", fields={"X-Kind": "good"}))
    scenarios = {name: {"steps": [{"get": f"/{name}", "expect": expect}]} for name, (expect, _) in EXPECTATIONS.items()}
    run = prove(tmp_path, campaign(origin.url, rate=300, scenarios=scenarios, guardrails=["requests == 300"]))
    assert run.code == PASS, run
    for name, (_, reason) in EXPECTATIONS.items():
        times = origin.count(f"/{name}")
        assert times and run.counts(scenario=name) == {"failed" if reason else "ok": times}, name
        assert run.reasons(scenario=name) == ({reason: times} if reason else {}), name


# ---- replies of all kinds


REPLIES = {
    "chunked": says(200, CHUNKED, b"hello ", b"world"),
    "until-close": lambda ask: ask.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world") or ask.close(),
    "http-1.0": lambda ask: ask.send(b"HTTP/1.0 200 OK\r\n\r\nhello world") or ask.close(),
    "interim": lambda ask: ask.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n") or
               ask.reply(b"hello world"),
    "trailers": lambda ask: ask.head(200, CHUNKED) or ask.chunk(b"hello world") or ask.send(b"0\r\nX-Sum: 1\r\n\r\n"),
    "in-pieces": lambda ask: [ask.send(bytes([byte])) for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"],
    "chunk-extensions": lambda ask: ask.head(200, CHUNKED) or ask.send(b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("kind", REPLIES)
def test_replies_of_every_framing_are_read(tmp_path, origin, kind):
    origin.on("/", REPLIES[kind])
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "expect": {"length": 11, "body": "hello world"}}],
                                   rate=50, seconds=0.4))
    assert run.code == PASS, run
    assert run.counts() == {"ok": 20} and origin.count("/") == 20
    assert run.bytes() == 220


@pytest.mark.parametrize("step, head", [
    ({"head": "/"}, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
    ({"head": "/"}, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ({"get": "/", "expect": 204}, b"HTTP/1.1 204 No Content\r\n\r\n"),
    ({"get": "/", "expect": 304}, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
], ids=["head", "head-chunked", "204", "304"])
def test_replies_without_a_body_leave_the_connection_usable(tmp_path, origin, step, head):
    origin.on("/", lambda ask: ask.send(head))
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=0.4, scenarios={"s": {"connections": 1, "steps": [step]}}))
    assert run.code == PASS, run
    assert origin.count("/") == 20 and len(origin.connections) == 1 and run.bytes() == 0


def test_a_huge_body_takes_no_memory(tmp_path, origin):
    size = 600 << 20
    block = bytes(1 << 20)

    def huge(ask):
        ask.head(200, {"Content-Length": str(size)})
        for _ in range(size >> 20):
            ask.send(block)

    origin.on("/", huge)
    started = Running(tmp_path, campaign(origin.url, [{"get": "/", "timeout": "60s", "expect": {"length": size}}],
                                         rate=2, seconds=0.5, grace="60s"), prefix=["/usr/bin/time", "-f", "peak %M"])
    run = started.wait(90)
    assert run.code == PASS, run
    assert run.bytes() == size
    if not instrumented():
        assert int(re.search(r"peak (\d+)", run.err)[1]) < 64 << 10, run.err


def test_a_huge_upload_takes_no_memory(tmp_path, origin):
    size, got = 200 << 20, []

    def swallow(ask):
        got.append(sum(len(piece) for piece in ask.pieces()))
        ask.reply(b"ok")

    origin.on("/", swallow, lazy=True)
    started = Running(tmp_path, campaign(origin.url, [{"put": "/", "body_size": size, "timeout": "60s"}], rate=2,
                                         seconds=0.5, grace="60s"), prefix=["/usr/bin/time", "-f", "peak %M"])
    run = started.wait(90)
    assert run.code == PASS, run
    assert got == [size]
    if not instrumented():
        assert int(re.search(r"peak (\d+)", run.err)[1]) < 64 << 10, run.err


def test_bandwidth_holds_a_reader_back(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(bytes(400_000)))
    run = prove(tmp_path, campaign(origin.url, rate=2, seconds=0.5, grace="10s", scenarios={
        "s": {"bandwidth": "400KB", "steps": [{"get": "/", "expect": {"length": 400_000}}]}}))
    assert run.code == PASS, run
    assert 0.8 < run.latency("response").min < 1.6, run


# ---- data


def keys_of(origin) -> list:
    return [ask.path[1:] for ask in origin.requests]


def test_a_range_is_chosen_from_evenly(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, [{"get": "/{{k}}"}], rate=500, seconds=1, data={"k": "1..10"}))
    assert run.code == PASS, run
    keys = keys_of(origin)
    counts = [keys.count(str(k)) for k in range(1, 11)]
    assert sum(counts) == 500 == len(keys)
    chi = sum((n - 50) ** 2 / 50 for n in counts)
    assert chi < 33.7, counts  # 9 degrees of freedom: one in 10,000


def test_zipf_chooses_the_first_most(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, [{"get": "/{{k}}"}], rate=500, seconds=1,
                                   data={"k": {"range": "1..100", "choose": "zipf", "exponent": 1.2}}))
    assert run.code == PASS, run
    keys = [int(key) for key in keys_of(origin)]
    assert len(keys) == 500 and min(keys) == 1 and max(keys) <= 100
    weights = [k ** -1.2 for k in range(1, 101)]
    expected = [500 * weight / sum(weights) for weight in weights]
    for rank in range(5):
        found = keys.count(rank + 1)
        assert abs(found - expected[rank]) < 5 * math.sqrt(expected[rank]), (rank + 1, found, expected[rank])
    tail = sum(1 for key in keys if key > 50)
    assert abs(tail - sum(expected[50:])) < 5 * math.sqrt(sum(expected[50:])), tail


def test_a_sequence_goes_round(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=25, seconds=1, scenarios={"s": {"connections": 1, "steps": [{"get": "/{{k}}"}]}},
                                   data={"k": {"values": ["a", "b", "c"], "choose": "sequence"}}))
    assert run.code == PASS, run
    assert keys_of(origin) == (["a", "b", "c"] * 9)[:25]


def test_csv_rows_stay_whole_through_a_journey(tmp_path, origin):
    (tmp_path / "users.csv").write_text('name,"pass word"\r\nann,"a, ""b"""\r\nbob,\r\ncarl,c3\r\n'.replace("pass word", "pw"))
    run = prove(tmp_path, campaign(origin.url, [
        {"get": "/{{users.name}}", "headers": {"X-Pw": "{{users.pw}}"}}, {"get": "/again/{{users.name}}", "headers": {"X-Pw": "{{users.pw}}"}}],
        users=2, seconds=0.4, data={"users": {"file": "users.csv"}}))
    assert run.code == PASS, run
    wanted = {"ann": 'a, "b"', "bob": "", "carl": "c3"}
    assert {ask.path.rpartition("/")[2] for ask in origin.requests} == set(wanted)
    for ask in origin.requests:
        assert ask.get("X-Pw") == wanted[ask.path.rpartition("/")[2]]


def test_json_data(tmp_path, origin):
    (tmp_path / "list.json").write_text('["x", "y"]')
    (tmp_path / "rows.json").write_text('[{"a": 1, "b": "one"}, {"b": "two", "a": 2}]')
    run = prove(tmp_path, campaign(origin.url, [{"get": "/{{list}}/{{rows.a}}/{{rows.b}}"}], rate=50, seconds=0.5,
                                   data={"list": {"file": "list.json"}, "rows": {"file": "rows.json"}}))
    assert run.code == PASS, run
    assert {ask.path for ask in origin.requests} == {f"/{a}/{b}" for a in "xy" for b in ("1/one", "2/two")}


def test_the_same_seed_makes_the_same_choices(tmp_path, origin):
    content = campaign(origin.url, rate=100, seconds=0.5, data={"k": "1..1000000"}, scenarios={
        "a": {"connections": 1, "weight": 2, "steps": [{"get": "/a/{{k}}/{{uuid}}"}]},
        "b": {"connections": 1, "steps": [{"get": "/b/{{k}}/{{random}}"}]}})
    seen = []
    for number, seed in enumerate((7, 7, 8)):
        before = len(origin.requests)
        run = prove(tmp_path / str(number), content | {"seed": seed})
        assert run.code == PASS, run
        seen.append(sorted(ask.path for ask in origin.requests[before:]))
        assert len(seen[-1]) == 50
    assert seen[0] == seen[1] != seen[2]


# ---- tokens


def pem(key) -> str:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


SECRET = "a secret of the harness's own tests, and long enough for HS512 as well, I should think"
KEYS = {
    "HS256": lambda: SECRET, "HS384": lambda: SECRET, "HS512": lambda: SECRET,
    "RS256": lambda: rsa.generate_private_key(65537, 2048), "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()), "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def test_tokens_verify_by_another_implementation(tmp_path, origin):
    keys = {name: make() for name, make in KEYS.items()}
    tokens, headers = {}, {}
    for name, key in keys.items():
        tokens[name] = {"algorithm": name, "key": {"value": key if isinstance(key, str) else pem(key)}, "kid": f"k-{name}",
                        "claims": {"iss": "https://id.test", "aud": ["a", "b"], "sub": "user-{{index}}", "n": 3, "admin": True,
                                   "realm": {"roles": ["x"]}}, "count": 3, "ttl": "10m"}
        headers[f"X-{name}"] = f"{{{{{name}}}}}"
    tokens["none"] = {"algorithm": "none", "claims": {"sub": "nobody"}}
    tokens["old"] = {"key": {"value": SECRET}, "expired": True, "ttl": "1h"}
    tokens["forged"] = {"key": {"value": SECRET}, "claims": {"sub": "x"}, "tamper": "signature"}
    tokens["changed"] = {"key": {"value": SECRET}, "claims": {"sub": "x"}, "tamper": "payload"}
    for name in ("none", "old", "forged", "changed"):
        headers[f"X-{name}"] = f"{{{{{name}}}}}"
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "headers": headers}], rate=40, seconds=0.5, tokens=tokens))
    assert run.code == PASS, run
    subjects = set()
    for ask in origin.requests:
        for name, key in keys.items():
            public = key if isinstance(key, str) else key.public_key()
            claims = jwt.decode(ask.get(f"X-{name}"), public, algorithms=[name], audience="a", issuer="https://id.test")
            assert jwt.get_unverified_header(ask.get(f"X-{name}"))["kid"] == f"k-{name}"
            assert claims["n"] == 3 and claims["admin"] is True and claims["realm"] == {"roles": ["x"]} and claims["aud"] == ["a", "b"]
            assert abs(claims["exp"] - time.time() - 600) < 60 and abs(claims["iat"] - time.time()) < 60
            subjects.add(claims["sub"])
        assert jwt.decode(ask.get("X-none"), options={"verify_signature": False})["sub"] == "nobody"
        assert ask.get("X-none").endswith(".")
        with pytest.raises(jwt.ExpiredSignatureError):
            jwt.decode(ask.get("X-old"), SECRET, algorithms=["HS256"])
        for name in ("forged", "changed"):
            with pytest.raises(jwt.InvalidSignatureError):
                jwt.decode(ask.get(f"X-{name}"), SECRET, algorithms=["HS256"])
    assert subjects == {"user-0", "user-1", "user-2"}


def test_a_key_from_a_file_and_from_the_environment(tmp_path, origin):
    (tmp_path / "key").write_text(SECRET + "\n")
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "headers": {"A": "{{a}}", "B": "{{b}}"}}], rate=10, seconds=0.3,
                                   tokens={"a": {"key": "key"}, "b": {"key": {"env": "THE_KEY"}}}), env={"THE_KEY": SECRET})
    assert run.code == PASS, run
    for name in "AB":
        jwt.decode(origin.last.get(name), SECRET, algorithms=["HS256"])
    for report in run.reports:
        assert SECRET not in run.text(report)


# ---- s3


def s3_campaign(peer, bucket) -> dict:
    target = {"url": peer.endpoint, "access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY, "region": "us-east-1"}
    key = "odd%20key%2B{{uuid}}/a%C3%A4"
    return campaign(None, targets={"t": target}, users=2, seconds=0.6, scenarios={"s": {"steps": [
        {"type": "s3", "put": f"/{bucket}/{key}", "body": "hello {{iteration}}", "headers": {"x-amz-meta-a": "b c"}},
        {"type": "s3", "get": f"/{bucket}/{key}", "expect": {"body": "hello {{iteration}}", "headers": {"x-amz-meta-a": "b c"}}},
        {"type": "s3", "head": f"/{bucket}/{key}"},
        {"type": "s3", "put": f"/{bucket}/big", "body_size": "1MiB"},
        {"type": "s3", "get": f"/{bucket}?list-type=2&prefix=odd&delimiter=%2F&max-keys=2", "expect": {"body": "ListBucketResult"}},
        {"type": "s3", "delete": f"/{bucket}/{key}"}]}})


@pytest.mark.parametrize("name", ["minio", "versitygw"])
def test_signed_requests_are_accepted(tmp_path, request, name):
    peer = request.getfixturevalue(name)
    bucket = "prove-" + name
    client = peer.boto()
    if bucket not in [entry["Name"] for entry in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=bucket)
    run = prove(tmp_path, s3_campaign(peer, bucket))
    assert run.code == PASS, run
    assert run.count("ok") > 12
    assert client.head_object(Bucket=bucket, Key="big")["ContentLength"] == 1 << 20


def test_a_wrong_secret_is_an_unexpected_denial(tmp_path, minio):
    content = s3_campaign(minio, "no-such-bucket")
    content["targets"]["t"]["secret_access_key"] = "another"
    content["scenarios"]["s"]["steps"] = [{"type": "s3", "get": "/no-such-bucket/a"}]
    run = prove(tmp_path, content)
    assert run.code == FAIL, run
    assert run.reasons() == {"unexpected_denial": run.count("failed")}


# ---- TLS


def secure(origin: Origin) -> str:
    return f"https://localhost:{origin.port}"


def test_tls_with_a_certificate_that_verifies(tmp_path, tls_origin, certificate):
    run = prove(tmp_path, campaign({"url": secure(tls_origin), "tls": {"ca_file": str(certificate.ca)}}, rate=40, seconds=0.5,
                                   scenarios={"s": {"connections": 2, "steps": [{"get": "/"}]}}))
    assert run.code == PASS, run
    assert run.counts() == {"ok": 20} and tls_origin.count("/") == 20
    assert len(tls_origin.connections) == 2  # kept


def test_tls_with_a_certificate_that_does_not_verify_fails_and_sends_nothing(tmp_path, tls_origin):
    run = prove(tmp_path, campaign(secure(tls_origin), rate=20, seconds=0.5))
    assert run.code == FAIL, run
    assert run.reasons() == {"tls": 10} and run.counts() == {"failed": 10}
    assert not tls_origin.requests


def test_tls_with_a_certificate_of_another_name_fails(tmp_path, tls_origin, certificate):
    run = prove(tmp_path, campaign({"url": secure(tls_origin), "tls": {"ca_file": str(certificate.ca), "server_name": "other.test"}},
                                   rate=20, seconds=0.5))
    assert run.code == FAIL, run
    assert run.reasons() == {"tls": 10} and not tls_origin.requests


def test_tls_that_is_not_verified_by_explicit_word(tmp_path, tls_origin):
    run = prove(tmp_path, campaign({"url": secure(tls_origin), "tls": {"verify": False}}, rate=20, seconds=0.5))
    assert run.code == PASS, run


def test_tls_towards_a_server_that_speaks_none(tmp_path, origin):
    origin.forgiving = True
    run = prove(tmp_path, campaign(f"https://127.0.0.1:{origin.port}", [{"get": "/", "timeout": "1s"}], rate=10, seconds=0.3))
    assert run.code == FAIL, run  # though the arrivals could not be sent in their time: the target kept them from it
    assert set(run.reasons()) <= {"tls", "connect_timeout"}, run.reasons()


# ---- real servers


def test_ipv6(tmp_path, folder, gateway):
    (folder / "a").write_bytes(b"a")
    server = gateway({"listen": "[::1]:0", "origins": {"o": {"type": "dir", "path": str(folder)}}, "routes": {"path": "/", "origin": "o"}})
    run = prove(tmp_path, campaign(f"http://[::1]:{server.address[1]}", [{"get": "/a"}], rate=20, seconds=0.4))
    assert run.code == PASS, run
    assert server.total("sekisho_requests_total") == 8


def test_a_name_is_resolved(tmp_path, origin):
    run = prove(tmp_path, campaign(f"http://localhost:{origin.port}", rate=20, seconds=0.4))
    assert run.code == PASS, run
    assert origin.last.get("Host") == f"localhost:{origin.port}"


def test_selftest_shows_the_stall_and_sends_in_time(tmp_path):
    done = sekisho("prove", "selftest", "--json", tmp_path / "figures.json", timeout=60)
    assert done.returncode in (PASS, INVALID), done  # INVALID: the machine was too busy to say
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["held"] == (done.returncode == PASS), (done, figures)


def test_nginx_counts_the_same(tmp_path, nginx):
    (nginx.directory / "html" / "a.txt").write_text("a" * 1000)
    run = prove(tmp_path, campaign(f"http://127.0.0.1:{nginx.port}", [
        {"get": "/a.txt", "expect": {"length": 1000}}, {"head": "/a.txt"}, {"get": "/none", "expect": 204},
        {"put": "/upload/u{{user}}", "body_size": "64KiB"}], users=4, seconds=0.5))
    assert run.code == PASS, run


def test_the_gateway_counts_the_same(tmp_path, gateway, folder):
    (folder / "a").write_bytes(b"a" * 1024)
    server = gateway({"origins": {"o": {"type": "dir", "path": str(folder)}}, "routes": {"path": "/", "origin": "o"}})
    host, port = server.address
    run = prove(tmp_path, campaign({"url": f"http://{host}:{port}", "pid": server.pid,
                                    "metrics": f"http://{server.admin[0]}:{server.admin[1]}/metrics"},
                                   [{"get": "/a"}], rate=300, seconds=1,
                                   guardrails=["success == 100%", "delta(sekisho_requests_total) == requests"]))
    assert run.code == PASS, run
    assert server.total("sekisho_requests_total") == 300
