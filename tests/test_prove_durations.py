"""Durations of several units: in campaign files, in their expressions, and in the gateway's file."""
import pytest

from lib.gateway import run as sekisho
from lib.prove import PASS, campaign, prove


def test_a_campaign_lasts_as_long_as_its_parts_together(tmp_path, origin):
    content = campaign(origin.url, phases=[{"name": "p", "duration": "1m500ms", "rate": 40}], windows={"w": {"from": "30s", "to": "1m500ms"}},
                       guardrails=["max < 1m30s", "1h1m > max", "success == 100%", {"check": "requests > 5", "window": "w"}])
    run = prove(tmp_path, content, "--time-scale", "0.01")
    assert run.code == PASS and run.result["phases"][0]["to"] == 0.605, run
    assert origin.count("/") == 25, run


@pytest.mark.parametrize("written", ["30s3m", "1m1m", "1h30", "1h 30m", "1.5m30s", "1h1h1m"])
def test_units_out_of_order_are_refused_with_the_line(tmp_path, written):
    file = tmp_path / "c.yaml"
    file.write_text("targets: { t: 'http://127.0.0.1:1' }\nscenarios: { s: { steps: { get: / } } }\n"
                    f"phases:\n  - {{ name: p, rate: 1, duration: {written} }}\n")
    done = sekisho("prove", "check", file)
    assert done.returncode == 2 and done.stderr.startswith(
        f"sekisho: {file}:4: phases[0].duration: '{written}' is not a duration; write 500ms, 10s, 3m30s"), done


@pytest.mark.parametrize("check", ["max < 30s3m", "max < 1m1m", "max < 1m30", "max < 1m30MB"])
def test_so_are_those_of_an_expression(tmp_path, origin, check):
    run = prove(tmp_path, campaign(origin.url, guardrails=[check]))
    assert run.code == 2 and "is no rest of a time; write 1m30s" in run.err, run


@pytest.mark.parametrize("written, good", [("1m30s", True), ("59m59s999ms", True), ("30s1m", False), ("1h1ms", False)])
def test_the_gateway_takes_them_too(tmp_path, written, good):
    file = tmp_path / "g.yaml"
    file.write_text("listen: 127.0.0.1:0\norigins: { site: { type: dir, path: . } }\n"
                    f"routes: [ {{ path: /, origin: site }} ]\ntimeouts: {{ header: {written} }}\n")
    done = sekisho("check", "-c", file)
    assert (done.returncode == 0) == good, done
    if not good:
        assert f"{file}:4: timeouts.header: '{written}' is " in done.stderr, done
