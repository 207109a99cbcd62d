"""Campaigns that are wrong, reports that cannot be written, and what each kind of check makes of a run.

A wrong campaign is one line with file, line and key, and exit 2; nothing is started, and no report is left that could
pass for this run's.
"""
import os
import subprocess
import time

import pytest

from lib.gateway import run as sekisho
from lib.peers import free_port
from lib.prove import FAIL, INVALID, PASS, REPORTS, USAGE, Seen, campaign, load, prove

GOOD = """\
targets: { t: "http://127.0.0.1:@PORT@" }
scenarios:
  s:
    steps:
      - get: /
phases:
  - { name: p, duration: 300ms, rate: 20 }
guardrails:
  - success == 100%
"""


def text(origin, *changes) -> str:
    result = GOOD.replace("@PORT@", str(origin.port))
    for old, new in changes:
        assert old in result, old
        result = result.replace(old, new)
    return result


def refused(run, *words) -> str:
    """One line that holds all these words, exit 2, and no report."""
    lines = [line for line in run.err.splitlines() if line.strip()]
    assert run.code == USAGE and len(lines) == 1, run
    for word in words:
        assert word in lines[0], (word, lines[0])
    assert not run.reports, run.reports
    return lines[0]


# ---- wrong files

WRONG = {
    "unknown-key": ([("rate: 20", "rat: 20")], ["campaign.yaml:7: phases[0].rat: unknown key, did you mean 'rate'?"]),
    "unknown-top-key": ([("guardrails:", "guardrail:")], ["campaign.yaml:8: guardrail: unknown key"]),
    "missing-variable": ([("get: /", "get: '/{{nobody}}'")], ["campaign.yaml:5: ", "get: '{{nobody}}' has no value"]),
    "missing-environment": ([("get: /", "get: '/${NO_SUCH_VARIABLE}'")], ["campaign.yaml:5: ", "NO_SUCH_VARIABLE is not set"]),
    "missing-data": ([("targets:", "data: { d: { file: no/such.csv } }\ntargets:")],
                     ["campaign.yaml:1: data.d.file: ", "no/such.csv", "No such file or directory"]),
    "missing-body": ([("get: /", "post: /\n        body_file: nope.bin")], ["campaign.yaml:6: ", "nope.bin", "No such file"]),
    "missing-key": ([("targets:", "tokens: { k: { key: nope.pem } }\ntargets:")], ["campaign.yaml:1: tokens.k.key: ", "nope.pem"]),
    "unknown-target": ([("get: /", "get: /\n        target: x")], ["campaign.yaml:6: ", "there is no target 'x'"]),
    "unknown-phase": ([("- success == 100%", "- { check: success == 100%, phase: q }")], ["campaign.yaml:9: ", "there is no phase 'q'"]),
    "unknown-fault": ([("- success == 100%", "- recovery(f) < 1s")], ["campaign.yaml:9: guardrails[0]", "there is no fault 'f'"]),
    "unknown-process": ([("guardrails:", "faults: { name: f, at: 0s, kill: x }\nguardrails:")], ["campaign.yaml:8: ", "there is no process 'x'"]),
    "unit": ([("success == 100%", "p95 < 50")], ["campaign.yaml:9: guardrails[0]"]),
    "share-as-number": ([("success == 100%", "success > 0.99")], ["campaign.yaml:9: guardrails[0]"]),
    "unknown-measure": ([("success == 100%", "sucess == 100%")], ["campaign.yaml:9: guardrails[0]", "sucess"]),
    "no-comparison": ([("success == 100%", "success")], ["campaign.yaml:9: guardrails[0]"]),
    "yaml": ([("steps:", "steps: [")], ["campaign.yaml:"]),
    "twice": ([("phases:", "seed: 1\nseed: 2\nphases:")], ["campaign.yaml:7: seed: is given twice"]),
    "control": ([("get: /", 'get: "/a\\nb"')], ["campaign.yaml:5: "]),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_campaign_is_one_line_with_file_line_and_key(tmp_path, origin, kind):
    changes, words = WRONG[kind]
    content = text(origin, *changes)
    line = refused(prove(tmp_path, content), *words)
    assert line.startswith(f"sekisho: {tmp_path}/campaign.yaml:"), line
    checked = sekisho("prove", "check", tmp_path / "campaign.yaml")
    assert checked.returncode == 2 and checked.stderr.strip() == line
    assert not origin.requests


@pytest.mark.parametrize("content, words", [
    ("", ["targets: is missing"]), ("- a\n- b\n", ["campaign.yaml:1: "]), ("just text\n", ["campaign.yaml:1: "]),
    ("a: \0\n", ["NUL"]), ("\xff\xfe", ["campaign.yaml"]), ("a: &x [*x]\n", ["campaign.yaml"]),
], ids=["empty", "list", "text", "nul", "odd-bytes", "alias"])
def test_what_is_no_campaign_at_all(tmp_path, content, words):
    (tmp_path / "campaign.yaml").write_bytes(content.encode("latin-1"))
    refused(prove(tmp_path, None), *words)


def test_a_campaign_that_there_is_not(tmp_path):
    refused(prove(tmp_path, None), "campaign.yaml: cannot be read: No such file or directory")


def test_a_good_campaign_is_checked_without_a_request(tmp_path, origin):
    file = tmp_path / "c.yaml"
    file.write_text(text(origin))
    done = sekisho("prove", "check", file, cwd=tmp_path)
    assert done.returncode == 0 and "good, 1 scenarios, 1 phases, 1 guardrails" in done.stdout, done
    assert not origin.requests and sorted(os.listdir(tmp_path)) == ["c.yaml"]


@pytest.mark.parametrize("arguments", [
    ["run"], ["run", "c.yaml", "--bogus"], ["bogus"], [], ["run", "c.yaml", "--time-scale", "0"], ["run", "c.yaml", "--time-scale", "x"],
    ["run", "c.yaml", "--time-scale", "-1"], ["ab", "c.yaml"], ["compare"], ["report"], ["compare", "only-one.json"],
    ["run", "c.yaml", "--set", "novalue"], ["run", "c.yaml", "--set", "=x"], ["report", "nope.json"],
], ids=lambda words: " ".join(words) or "none")
def test_a_wrong_command_line_is_exit_2(tmp_path, arguments):
    done = sekisho("prove", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.strip(), done
    assert max(map(len, done.stderr.splitlines())) < 200, done.stderr
    assert not os.listdir(tmp_path)


def test_a_name_that_is_set_and_not_asked_for_is_an_error(tmp_path, origin):
    refused(prove(tmp_path, text(origin, ("rate: 20", "rate: '${RATE:-20}'")), settings={"RTE": "5"}),
            "--set: the file has no ${RTE}, did you mean 'RATE'?")


def test_values_that_are_set_reach_the_campaign(tmp_path, origin):
    run = prove(tmp_path, text(origin, ("rate: 20", "rate: '${RATE:-20}'")), settings={"RATE": "50"})
    assert run.code in (PASS, INVALID) and origin.count("/") == 15, run


def test_the_time_scale_multiplies_and_stands_in_every_report(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=10, windows={"w": {"from": "2s", "to": "4s"}}), "--time-scale", "0.05")
    assert run.code == PASS, run
    assert origin.count("/") == 25
    assert run.result["environment"]["time_scale"] == 0.05
    assert "0.05" in run.out and "0.05" in run.text("report.md") and "0.05" in run.text("report.html")
    assert run.summary["sekisho"]["time_scale"] == 0.05


def test_secrets_are_in_no_report_and_in_no_error(tmp_path, origin):
    secret = "the-secret-that-nobody-shall-read-anywhere"
    content = campaign(origin.url, [{"get": "/", "headers": {"A": "{{k}}"}}], rate=20, seconds=0.3,
                       tokens={"k": {"key": {"value": "${KEY}"}}})
    run = prove(tmp_path, content, env={"KEY": secret})
    assert run.code == PASS, run
    for name in run.reports:
        assert secret not in run.text(name), name
    content["tokens"]["k"]["algorithm"] = "ES256"
    assert secret not in refused(prove(tmp_path, content, env={"KEY": secret}), "not a private key")


# ---- reports


def test_reports_of_an_earlier_run_do_not_survive_one_that_fails(tmp_path, origin):
    good = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3))
    assert good.reports == set(REPORTS)
    refused(prove(tmp_path, text(origin, ("rate: 20", "rat: 20"))))
    assert prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3)).reports == set(REPORTS)
    refused(prove(tmp_path, campaign(origin.url, setup={"command": "false"})), "setup[0]")


def test_a_baseline_that_is_none_is_known_before_the_load(tmp_path, origin):
    (tmp_path / "none.json").write_text("{}")
    for name, words in (("nope.json", "No such file"), ("none.json", "no result of sekisho prove")):
        refused(prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3), "--baseline", tmp_path / name), name, words)
    assert not origin.requests


def test_the_folder_of_reports_may_be_deep_and_new(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3), out=tmp_path / "a" / "b" / "c")
    assert run.code == PASS and run.reports == set(REPORTS), run


@pytest.mark.parametrize("out", ["/proc/nope", "a-file"])
def test_a_folder_that_cannot_be_made_is_known_before_the_load(tmp_path, origin, out):
    (tmp_path / "a-file").write_text("precious")
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3), out=out if out[0] == "/" else tmp_path / out)
    assert run.code == USAGE and len(run.err.splitlines()) == 1 and out in run.err, run
    assert not origin.requests
    assert (tmp_path / "a-file").read_text() == "precious"


def test_a_folder_of_the_users_is_not_emptied(tmp_path, origin):
    """--out may name a folder that has other things in it: what is not the harness's own stays."""
    out = tmp_path / "work"
    (out / "run").mkdir(parents=True)
    (out / "run" / "precious").write_text("mine")
    (out / "notes.md").write_text("mine")
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3), out=out)
    refused(run, "work/run", "another folder")
    assert (out / "run" / "precious").exists() and (out / "notes.md").exists()


@pytest.fixture
def tiny(tmp_path):
    """A file system of 256 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)],
                                           capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_no_report_that_looks_whole(tmp_path, origin, tiny):
    (tiny / "filler").write_bytes(bytes(200 << 10))
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=1), out=tiny / "out")
    assert run.code == USAGE, run
    assert "No space left on device" in run.err and len([line for line in run.err.splitlines() if "sekisho:" in line]) == 1
    assert not run.reports, run.reports
    assert not [name for name in os.listdir(tiny / "out") if name.endswith(".part")]


def test_a_disk_that_was_full_all_the_time(tmp_path, origin, tiny):
    try:
        (tiny / "filler").write_bytes(bytes(512 << 10))
    except OSError:
        pass
    (tiny / "out").mkdir(exist_ok=True)
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=0.5, guardrails=["success == 0%"]), out=tiny / "out")
    assert run.code in (USAGE, FAIL), run
    assert "No space left on device" in run.err and not run.reports


def test_a_baseline_that_cannot_be_saved_is_no_pass(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3), "--save", "/nowhere/baseline.json")
    assert run.code == USAGE and "/nowhere/baseline.json: No such file or directory" in run.err, run


# ---- INVALID


def spoiled(run, name) -> None:
    assert run.code == INVALID and run.verdict == "INVALID", run
    assert any(name in spoiler for spoiler in run.spoiled_by()), (name, run.spoiled_by())
    assert run.out.startswith("INVALID"), run.out
    assert run.reports == set(REPORTS)
    assert int(run.junit.find("testsuite").get("errors")) > 0
    assert "INVALID" in run.text("report.html") and "INVALID" in run.text("report.md")


STRICT = {"rate": "99%", "send_lag": "10ms", "tail_samples": 10}


def overloaded(tmp_path, origin, *guardrails):
    origin.on("/", Seen(lambda ask: time.sleep(0.1) or ask.reply(b"x")))
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=1, validity={"rate": "99%"}, guardrails=[*guardrails],
                                   scenarios={"s": {"connections": 1, "steps": [{"get": "/"}]}}))
    assert origin.count("/") < 50
    return run


def test_an_offered_rate_that_is_not_reached_is_invalid_where_no_goal_is_broken(tmp_path, origin):
    spoiled(overloaded(tmp_path, origin, "status(5xx) == 0"), "offered rate")


def test_and_a_broken_goal_is_not_excused_by_it(tmp_path, origin):
    run = overloaded(tmp_path, origin, "success == 100%")
    assert run.code == FAIL and "the offered rate was reached" in run.out and "`connections`" in run.out, run


def test_a_rate_that_a_generator_cannot_send_is_invalid(tmp_path, nginx):
    run = prove(tmp_path, campaign(f"http://127.0.0.1:{nginx.port}", [{"get": "/none"}], rate=2_000_000, seconds=0.5, backlog=1000,
                                   grace="100ms", validity=STRICT | {"busy": "5%"}))
    spoiled(run, "generator was not the limit")
    assert "the offered rate was reached" in run.spoiled_by()
    assert run.sent() < 500_000 < sum(run.counts().values())


def stopped_for_a_while(tmp_path, origin, *guardrails):
    return prove(tmp_path, campaign(origin.url, rate=100, seconds=0.5, guardrails=list(guardrails), validity={"send_lag": "1ms"}),
                 prefix=["sh", "-c", '"$@" & p=$!; sleep 0.25; kill -STOP $p; sleep 0.2; kill -CONT $p; wait $p', "sh"])


def test_a_check_that_turns_on_a_generator_that_was_late_makes_the_run_invalid(tmp_path, origin):
    run = stopped_for_a_while(tmp_path, origin, "max < 50ms")
    spoiled(run, "arrivals were taken up in time")
    assert "the harness may have added" in run.check("max < 50ms")["why"], run


def test_one_that_does_not_survives_it(tmp_path, origin):
    run = stopped_for_a_while(tmp_path, origin, "max < 30s", "success == 100%", "rate > 90/s")
    assert run.code == PASS, run
    run = stopped_for_a_while(tmp_path / "broken", origin, "failed > 0%")
    assert run.code == FAIL, run


def test_too_few_samples_for_a_percentile_are_invalid(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=1, validity=STRICT | {"send_lag": "500ms"}, guardrails=["p99 < 10s"]))
    spoiled(run, "enough requests for each percentile and share")
    check = run.check("p99 < 10s")
    assert check["state"] == "unknown" and "10 are needed" in check["why"]
    run = prove(tmp_path, campaign(origin.url, rate=50, seconds=1, validity={"tail_samples": 5}, guardrails=["p90 < 10s"]))
    assert run.code == PASS, run  # five of fifty lie beyond it


def test_a_slope_over_too_short_a_time_is_invalid(tmp_path, origin):
    run = prove(tmp_path, campaign({"url": origin.url, "pid": os.getpid()}, rate=20, seconds=0.5, guardrails=["rss_slope < 1GB/h"]))
    spoiled(run, "long enough for each slope")
    run = prove(tmp_path, campaign({"url": origin.url, "pid": os.getpid()}, rate=20, seconds=1.5, interval="200ms",
                                   guardrails=["rss_slope < 1000GB/h", "rss > 1MB", "cpu >= 0", "fds > 3", "threads >= 1"],
                                   validity={"slope": "1s"}))
    assert run.code == PASS, run


@pytest.mark.parametrize("metrics", ["missing-series", "no-such-page", "nobody-there", "not-asked"])
def test_a_series_that_is_missing_is_invalid(tmp_path, origin, metrics):
    origin.on("/metrics", lambda ask: ask.reply(b"# TYPE other_total counter\nother_total 1\n"))
    origin.on("/404", lambda ask: ask.reply(b"x", 404))
    url = {"missing-series": origin.url + "/metrics", "no-such-page": origin.url + "/404",
           "nobody-there": f"http://127.0.0.1:{free_port()}/metrics", "not-asked": None}[metrics]
    target = {"url": origin.url} | ({"metrics": url} if url else {})
    content = campaign(target, rate=20, seconds=0.5, guardrails=["delta(hits_total) > 0"])
    run = prove(tmp_path, content)
    if metrics == "not-asked" and run.code == USAGE:
        return refused(run, "hits_total")
    spoiled(run, "every series that is asked for")


def test_a_series_is_scraped_with_its_headers_and_counted_exactly(tmp_path, origin):
    def metrics(ask):
        assert ask.get("Authorization") == "Bearer m"
        ask.reply(f"# TYPE hits_total counter\nhits_total{{kind=\"a\"}} {origin.count('/a')}\nhits_total{{kind=\"b\"}} {origin.count('/b')}\n"
                  f"# TYPE depth gauge\ndepth 7\n".encode())

    origin.on("/metrics", metrics)
    origin.on("/a", Seen())
    run = prove(tmp_path, campaign(
        {"url": origin.url, "metrics": origin.url + "/metrics", "metrics_headers": {"Authorization": "Bearer m"}}, rate=60, seconds=1,
        scenarios={"a": {"weight": 2, "steps": [{"get": "/a"}]}, "b": {"steps": [{"get": "/b"}]}},
        guardrails=["delta(hits_total) == requests", 'delta(hits_total{kind="a"}) + delta(hits_total{kind="b"}) == 60',
                    "last(depth) == 7", "max(depth) - min(depth) == 0", 'delta(hits_total{kind="a"}) > delta(hits_total{kind="b"})']))
    assert run.code == PASS, run


def test_a_broken_requirement_is_invalid_and_not_fail(tmp_path, origin):
    origin.on("/metrics", lambda ask: ask.reply(b"# TYPE hits_total counter\nhits_total 5\n"))
    run = prove(tmp_path, campaign({"url": origin.url, "metrics": origin.url + "/metrics"}, rate=20, seconds=0.5,
                                   requires=[{"check": "delta(hits_total) > 0", "name": "the cache was asked"}]))
    spoiled(run, "the cache was asked")
    assert run.check("the cache was asked")["measured"] == "0"
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.5, requires=["requests > 1000"], guardrails=["success < 50%"]))
    spoiled(run, "requests > 1000")  # what proves nothing does not fail either


def test_a_campaign_without_a_guardrail_proves_nothing(tmp_path, origin):
    spoiled(prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3, guardrails=None)), "something is asked")


def test_a_run_without_a_request_proves_nothing(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=0, seconds=0.3))
    spoiled(run, "requests were sent")


def test_a_scope_without_a_request_proves_nothing(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, phases=[load("one", 0.3, rate=20, only="a"), load("two", 0.3, rate=20, only="a")],
                                   scenarios={"a": {"steps": [{"get": "/"}]}, "b": {"steps": [{"get": "/"}]}},
                                   guardrails=[{"check": "success == 100%", "scenario": "b"}]))
    assert run.code == INVALID, run
    assert run.check("success == 100%")["state"] == "unknown"


def test_the_limits_of_validity_are_configurable_and_printed(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3, validity={"rate": "42%", "send_lag": "321ms", "busy": "77%"}))
    printed = " ".join(check["check"] for check in run.checks("validity"))
    for value in ("42 %", "321 ms", "77 %"):
        assert value in printed, printed
        assert value in run.text("report.html").replace("\u00a0", " ").replace("&nbsp;", " "), value


# ---- FAIL


@pytest.fixture
def mixed(origin):
    """Half of the phases good: /a is fast and ok; in phase `bad`, /b is refused and slow."""
    origin.on("/a", lambda ask: ask.reply(b"a" * 100))
    origin.on("/b", lambda ask: time.sleep(0.4) or ask.reply(b"b", 500))
    origin.on("/d", lambda ask: ask.reply(b"d", 401))
    return campaign(origin.url, phases=[load("good", 0.5, rate=60, only=["a", "d"]), load("bad", 0.5, rate=60)],
                    scenarios={"a": {"steps": [{"get": "/a"}]}, "b": {"steps": [{"get": "/b"}]},
                               "d": {"steps": [{"get": "/d", "expect": 401}]}},
                    windows={"early": {"from": "100ms", "to": "400ms"}, "late": {"from": "600ms", "to": "900ms"}})


BROKEN = ["success == 100%", "ok > 99%", "failed < 1%", "count(failed) == 0", "reason(status) < 1", "status(5xx) == 0", "status(500) == 0",
          "p50(failed) < 40ms", "service.max < 45ms", "first_byte.max < 45ms", "max < 45ms", "requests < 60", "rate > 100/s",
          "bytes_per_second > 1GB/s", "offered < 50/s", "limited > 0%", "timed_out > 1%", "skipped > 1%", "retries > 0",
          "mean(failed) < 40ms", "p50 - service.p50 > 1s", "2 * count(failed) < count(failed)", "lag.p50 > 1s",
          "count(ok) > 0.99 * requests"]


def test_each_kind_of_guardrail_can_fail(tmp_path, mixed):
    run = prove(tmp_path, mixed | {"guardrails": BROKEN})
    assert run.code == FAIL and run.verdict == "FAIL" and run.out.startswith("FAIL"), run
    held = [check["check"] for check in run.checks("guardrail") if check["state"] != "broken" and check["line"]]
    assert not held, held
    suite = run.junit.find("testsuite")
    assert int(suite.get("failures")) == len(BROKEN) and suite.get("errors") == "0"
    assert sum(1 for case in suite.iter("testcase") if case.find("failure") is not None) == len(BROKEN)


def test_a_scope_narrows_a_guardrail(tmp_path, mixed):
    held = [{"check": "success == 100%", "scenario": "a"}, {"check": "success == 100%", "phase": "good"},
            {"check": "success == 100%", "window": "early"}, {"check": "success == 100%", "window": "before late", "phase": "good"},
            {"check": "success == 100%", "scenario": "d", "phase": "bad"}, {"check": "denied == 100%", "scenario": "d"},
            {"check": "success > 0%", "window": "after early"}, "success(phase=good) == 100%", 'success(scenario=a, phase=bad) == 100%']
    broken = [{"check": "success == 100%", "scenario": "b"}, {"check": "success == 100%", "phase": "bad"},
              {"check": "success == 100%", "window": "late"}, {"check": "success == 100%", "window": "after early"},
              {"check": "success == 100%", "window": "before late"}, "success(phase=bad) == 100%"]
    run = prove(tmp_path, mixed | {"guardrails": held + broken})
    assert run.code == FAIL, run
    states = [check["state"] for check in run.checks("guardrail") if check["line"]]
    assert states == ["held"] * len(held) + ["broken"] * len(broken), run


def test_define_gives_names_to_expressions(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.5, define={"hits": "count(ok)", "share": "100% * hits / requests"},
                                   guardrails=["share == 100%", "hits == 10"]))
    assert run.code == PASS, run


def test_denials_that_are_expected_must_come(tmp_path, origin):
    origin.on("/", lambda ask: ask.reply(b"", 200 if origin.count("/") == 5 else 401))
    run = prove(tmp_path, campaign(origin.url, [{"get": "/", "expect": 401}], rate=40, seconds=0.5, guardrails=["denied == 100%"]))
    assert run.code == FAIL, run
    assert run.counts() == {"denied": 19, "failed": 1} and run.reasons() == {"not_denied": 1}
    assert run.check("denied == 100%")["measured"].startswith("95")


# ---- where it is told


@pytest.mark.parametrize("words", ['"$@" >/dev/full', '"$@" 2>/dev/full', '"$@" >&- 2>&-', '"$@" 2>&1 | :; exit ${PIPESTATUS[0]}'],
                         ids=["full-stdout", "full-stderr", "closed", "pipe"])
def test_a_verdict_does_not_depend_on_where_it_is_printed(tmp_path, origin, words):
    for guardrail, code in (("success == 100%", PASS), ("success < 50%", FAIL)):
        run = prove(tmp_path, campaign(origin.url, rate=20, seconds=0.3, guardrails=[guardrail]),
                    prefix=["bash", "-c", words, "bash"])
        assert run.code == code and run.reports == set(REPORTS), run


def test_a_name_that_does_not_resolve_is_one_line_and_exit_2(tmp_path):
    refused(prove(tmp_path, campaign("http://no-such-host.invalid:80/")), "campaign.yaml:2: ", "no-such-host.invalid", "resolve")


def test_an_authority_that_is_no_certificate_is_one_line_and_exit_2(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    refused(prove(tmp_path, campaign({"url": "https://127.0.0.1:1", "tls": {"ca_file": "ca.pem"}})), "campaign.yaml:2: ", "ca.pem")


def test_more_connections_than_the_system_allows_is_one_line_and_exit_2(tmp_path, origin):
    run = prove(tmp_path, campaign(origin.url), prefix=["bash", "-c", 'ulimit -n 60; exec "$@"', "bash"])
    refused(run, "campaign.yaml", "descriptors", "60")
    assert not origin.requests
