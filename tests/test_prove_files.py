"""The files of a report: each in its format, and all of them of one mind."""
import json
import re
import shutil
import xml.etree.ElementTree as ElementTree

import pytest

from lib.gateway import run as sekisho
from lib.prove import (FAIL, INVALID, OUTCOMES, PASS, REPORTS, Histogram, campaign, hlog, load, prove)


@pytest.fixture(scope="module")
def done(tmp_path_factory, module_origin):
    """A run with several outcomes, phases and a broken guardrail."""
    import time
    module_origin.on("/slow", lambda ask: time.sleep(0.03) or ask.reply(b"s" * 50))
    module_origin.on("/no", lambda ask: ask.reply(b"", 403))
    module_origin.on("/bad", lambda ask: ask.reply(b"", 500))
    module_origin.on("/late", lambda ask: ask.stall())
    folder = tmp_path_factory.mktemp("files")
    run = prove(folder, campaign(
        module_origin.url, interval="200ms", grace="300ms", text="What it shows <b>&</b> \"why\".",
        phases=[load("warm", 0.3, rate=50, warm_up=True), load("steady", 1.5, rate=120)],
        scenarios={"good": {"weight": 6, "steps": [{"get": "/ok", "name": "a \"b\" <c>"}, {"get": "/slow"}]},
                   "denied": {"steps": [{"get": "/no", "expect": 403}]}, "wrong": {"steps": [{"get": "/bad"}, {"get": "/never"}]},
                   "late": {"weight": 0.5, "steps": [{"get": "/late", "timeout": "100ms"}]}},
        guardrails=[{"check": "success > 99%", "name": "all <is> \"well\" & good"}, "p50 < 10s", {"check": "denied == 100%", "scenario": "denied"}],
        windows={"w": {"from": "500ms", "to": "1s"}}), "--quiet")
    assert run.code == FAIL, run
    return run


def test_all_of_them_are_there_and_nothing_else(done):
    import os
    assert done.reports == set(REPORTS)
    assert sorted(os.listdir(done.folder)) == sorted([*REPORTS, "run"])


def test_quiet_is_quiet(done):
    assert done.err == "" and done.out.startswith("FAIL campaign\n")


def test_reports_are_made_again_from_the_result(done, tmp_path):
    again = sekisho("prove", "report", done.folder / "result.json", "--out", tmp_path / "again")
    assert again.returncode == 0, again
    for name in set(REPORTS) - {"latency.hlog"}:
        assert (tmp_path / "again" / name).read_bytes() == (done.folder / name).read_bytes(), name
    shutil.copy(done.folder / "result.json", tmp_path / "result.json")
    assert sekisho("prove", "report", tmp_path / "result.json").returncode == 0
    assert (tmp_path / "report.html").read_bytes() == (done.folder / "report.html").read_bytes()


def test_junit_is_wellformed_and_tells_the_verdict(done):
    suite = done.junit.find("testsuite")
    cases = suite.findall("testcase")
    assert int(suite.get("tests")) == len(cases)
    assert int(suite.get("failures")) == sum(1 for case in cases if case.find("failure") is not None) == 1
    assert int(suite.get("errors")) == 0
    failed = next(case for case in cases if case.find("failure") is not None)
    assert failed.get("name").startswith('all <is> "well" & good')
    assert "success > 99%" in failed.find("failure").text
    assert float(suite.get("time")) > 1.5


def test_the_k6_summary_has_k6s_shape_and_these_figures(done):
    metrics = done.summary["metrics"]
    response = done.latency("response")
    trend = metrics["http_req_duration"]
    assert {"avg", "min", "med", "max", "p(90)", "p(95)"} <= set(trend)
    for key, percent in (("med", 50), ("p(90)", 90), ("p(95)", 95), ("p(99)", 99)):
        assert trend[key] == pytest.approx(response.percentile(percent) * 1000, rel=0.01), key
    assert trend["max"] == pytest.approx(response.max * 1000, rel=0.01)
    assert metrics["http_reqs"]["count"] == done.sent()
    assert metrics["http_reqs"]["rate"] == pytest.approx(done.sent() / 1.5, rel=0.01)
    failed = metrics["http_req_failed"]
    bad = done.sent() - done.count("ok") - done.count("denied")
    assert failed["passes"] == bad and failed["fails"] == done.sent() - bad  # as in k6: a "pass" is a failed request
    assert failed["value"] == pytest.approx(bad / done.sent())
    assert metrics["iterations"]["count"] == 180
    crossed = trend["thresholds"]
    assert [name for name, bad in crossed.items() if bad] == ["success > 99%"] and len(crossed) == 3
    assert done.summary["sekisho"]["verdict"] == "FAIL"


def test_the_percentile_table_is_in_hdrhistograms_format(done):
    lines = done.text("latency.hgrm").splitlines()
    assert re.fullmatch(r" +Value +Percentile +TotalCount +1/\(1-Percentile\)", lines[0]) and lines[1] == ""
    rows = [tuple(map(float, line.split()[:3])) for line in lines[2:] if line and not line.startswith("#")]
    values, percentiles, totals = zip(*rows)
    assert list(values) == sorted(values) and list(percentiles) == sorted(percentiles) and list(totals) == sorted(totals)
    response = done.latency("response")
    assert percentiles[-1] == 1.0 and totals[-1] == response.total == done.sent()
    assert values[-1] == pytest.approx(response.max * 1000, rel=0.01)
    for value, percentile, _ in rows[:-1]:
        assert value == pytest.approx(response.percentile(percentile * 100) * 1000, rel=0.01, abs=0.002), percentile
    tail = {match[1]: float(match[2]) for match in re.finditer(r"(Mean|StdDeviation|Max|Total count) += +([\d.]+)", lines[-3] + lines[-2])}
    assert tail["Total count"] == response.total and tail["Max"] == values[-1] and 0 < tail["Mean"] < tail["Max"]


def test_the_histogram_log_holds_each_interval(done):
    text = done.text("latency.hlog")
    assert "#[Histogram log format version 1.3]" in text and "#[StartTime: " in text
    lines = hlog(text)
    assert {tag for tag, *_ in lines} == {"response", "service"}
    responses = [line for line in lines if line[0] == "response"]
    assert len(responses) == len(done.result["intervals"])
    end = 0.0
    for _, begin, seconds, highest, histogram in responses:
        assert begin == pytest.approx(end, abs=0.002) and seconds > 0
        end = begin + seconds
        if histogram.total:
            assert highest == pytest.approx(histogram.max * 1000, rel=0.01)
    merged = Histogram()
    for line in responses:
        merged.add(line[4])
    assert merged.counts == done.latency("response", warm_up=True).counts


def test_the_intervals_add_up(done):
    for outcome in OUTCOMES:
        assert sum(row["outcomes"][outcome] for row in done.result["intervals"]) == done.count(outcome, warm_up=True), outcome
    assert sum(row["offered"] for row in done.result["intervals"]) == sum(s["offered"] for s in done.result["segments"]) == 195
    assert sum(row["bytes"] for row in done.result["intervals"]) == done.bytes(warm_up=True)


def test_reasons_outcomes_and_statuses_add_up(done):
    counts = done.counts()
    assert sum(done.reasons().values()) == counts["failed"] + counts["timed_out"] + counts["skipped"]
    assert set(counts) == {"ok", "denied", "failed", "timed_out", "skipped"}
    assert sum(done.statuses().values()) == counts["ok"] + counts["denied"] + counts["failed"]
    assert done.reasons() == {"status": counts["failed"], "reply_timeout": counts["timed_out"], "earlier_step": counts["skipped"]}


def test_markdown_and_terminal_tell_the_same(done):
    markdown = done.text("report.md")
    for text in (markdown, done.out):
        assert "FAIL" in text
        for outcome in ("ok", "denied", "failed"):
            assert re.search(rf"\b{done.count(outcome)}\b", text), (outcome, text)
    assert f"{done.sent()} requests" in markdown and f"{done.sent()} requests" in done.out
    assert "<b>" not in markdown and "<c>" not in markdown
    assert done.result["environment"]["command"] in markdown


def test_the_environment_says_what_was_run_where(done):
    environment = done.result["environment"]
    for key in ("started", "version", "commit", "build", "campaign_hash", "command", "machine", "cpu", "kernel"):
        assert environment[key], key
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", environment["started"])
    assert environment["cpus"] > 0 and environment["memory"] > 1 << 28 and environment["seed"] == 1
    assert environment["command"].endswith("--quiet") and "campaign.yaml" in environment["command"]


def test_a_secret_on_the_command_line_is_in_no_report(tmp_path, origin):
    secret = "a-secret-that-was-typed-for-everyone-to-see"
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "headers": {"A": "{{k}}"}}], rate=20, seconds=0.3,
                                   tokens={"k": {"key": {"value": "${KEY}"}}}), settings={"KEY": secret})
    assert run.code == PASS, run
    for name in run.reports:
        assert secret not in run.text(name), name


def test_an_invalid_run_looks_so_everywhere(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3, requires=["requests > 100"]))
    assert run.code == INVALID, run
    suite = run.junit.find("testsuite")
    assert int(suite.get("errors")) >= 1 and suite.get("failures") == "0"
    assert run.summary["sekisho"]["verdict"] == "INVALID"
    for name in ("report.md", "report.html"):
        assert "INVALID" in run.text(name) and "PASS" not in run.text(name), name


def test_the_schema_takes_the_campaigns_of_this_suite():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(sekisho("schema", "prove").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = campaign("http://127.0.0.1:1", seconds=1)
    assert not list(validator.iter_errors(good))
    assert list(validator.iter_errors(good | {"phasess": []}))
