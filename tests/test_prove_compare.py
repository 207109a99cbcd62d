"""Baselines: `compare`, `--baseline` and `ab` call what is worse, and nothing else."""
import json
import os
import signal
import time
from types import SimpleNamespace

import pytest

from lib.gateway import run as sekisho
from lib.prove import FAIL, INVALID, PASS, REPORTS, USAGE, Running, campaign, prove
from lib.deadline import until


def compare(*files, more=()):
    return sekisho("prove", "compare", *files, *more)


def edited(folder, source, name, change) -> str:
    """A copy of a result with something else in it."""
    document = json.loads(source.read_text())
    change(document)
    (folder / name).write_text(json.dumps(document))
    return str(folder / name)


@pytest.fixture(scope="module")
def slowed(tmp_path_factory, module_origin):
    """`ab` of a side that answers at once and of one that takes 25 ms, nine runs each."""
    module_origin.on("/slow", lambda ask: time.sleep(0.025) or ask.reply(b"x"))
    module_origin.on("/fast", lambda ask: ask.reply(b"x"))
    folder = tmp_path_factory.mktemp("slowed")
    content = campaign(module_origin.url, [{"get": "/${SIDE}"}], rate=100, seconds=0.1, guardrails=["success == 100%"])
    run = prove(folder, content, "--a", "SIDE=fast", "--b", "SIDE=slow", "--runs", "9", command="ab", seconds=120)
    return SimpleNamespace(run=run, folder=folder / "out", requests=list(module_origin.requests))


def side(slowed, name, number=1, count=9) -> list:
    return [slowed.folder / f"{number}-{name}-{n}" / "result.json" for n in range(1, count + 1)]


def test_ab_confirms_a_side_that_is_slower(slowed):
    assert slowed.run.code == FAIL, slowed.run
    assert "REGRESSION" in slowed.run.out and "p50 response" in slowed.run.out.split("FAIL: confirmed:")[1]
    assert slowed.run.out.count("p50 response") == 3  # two rounds, and what was confirmed
    assert "99 % interval" in slowed.run.out and slowed.run.out.count("A: 9 runs, 9 PASS, 0 FAIL, 0 INVALID") == 2


def test_ab_takes_its_sides_in_turn(slowed):
    order = []
    for ask in slowed.requests:
        if not order or order[-1][0] != ask.path:
            order.append([ask.path, 0])
        order[-1][1] += 1
    # A B, B A, A B, …: two runs of 10 in a row but for the first and the last
    assert [path for path, _ in order][:4] == ["/fast", "/slow", "/fast", "/slow"]
    assert [number for _, number in order][:4] == [10, 20, 20, 20], order
    assert sum(number for path, number in order if path == "/fast") == sum(number for path, number in order if path == "/slow") == 18 * 10


def test_ab_keeps_the_reports_of_each_run(slowed):
    for name in "ab":
        for file in side(slowed, name):
            assert set(REPORTS) <= set(os.listdir(file.parent))
            assert json.loads(file.read_text())["verdict"] == "PASS"


def test_compare_calls_it_too_where_it_may(slowed):
    a, b = side(slowed, "a"), side(slowed, "b")
    refused = compare(a[0], more=["--candidate", b[0]])
    assert refused.returncode == 2 and "campaign" in refused.stderr and "--anyway" in refused.stderr, refused
    done = sekisho("prove", "compare", *a, "--candidate", *b, "--anyway")
    assert done.returncode == 1 and "REGRESSION" in done.stdout and "warning" in done.stdout, done
    better = sekisho("prove", "compare", *b, "--candidate", *a, "--anyway")
    assert better.returncode == 0 and "improvement" in better.stdout and "REGRESSION" not in better.stdout, better


def test_fewer_than_nine_runs_call_no_regression(slowed):
    done = sekisho("prove", "compare", *side(slowed, "a", count=8), "--candidate", *side(slowed, "b", count=8), "--anyway")
    assert done.returncode == 0 and "not decided" in done.stdout and "REGRESSION" not in done.stdout, done


def test_the_threshold_says_how_large_a_change_must_be(slowed):
    """Of what takes a few hundredths of the time there is nearly nothing left: less than all of it cannot go."""
    a, b = side(slowed, "a"), side(slowed, "b")
    verdicts = {}
    for threshold in ("10", "100"):
        done = sekisho("prove", "compare", *b, "--candidate", *a, "--anyway", "--threshold", threshold)
        assert done.returncode == 0, done
        verdicts[threshold] = [line for line in done.stdout.splitlines() if line.startswith("p50 response")][0]
    assert "improvement" in verdicts["10"] and verdicts["100"].endswith("small"), verdicts


def test_the_same_side_twice_is_the_same(slowed):
    a = side(slowed, "a")
    done = compare(*a[:1], more=["--candidate", *a[:1]])
    assert done.returncode == 0 and "REGRESSION" not in done.stdout, done
    done = compare(*a, more=["--candidate", *side(slowed, "a", number=2)])
    assert "Mann-Whitney" in done.stdout and done.returncode in (0, 1)  # other requests ran beside one of them


def test_compare_refuses_what_differs(slowed, tmp_path):
    good = side(slowed, "a")[0]
    changes = {
        "machine": lambda d: d["environment"].__setitem__("machine", "another"),
        "build": lambda d: d["environment"].__setitem__("build", "debug"),
        "time scale": lambda d: d["environment"].__setitem__("time_scale", 0.5),
        "campaign": lambda d: d["environment"].__setitem__("campaign_hash", "0"),
        "INVALID": lambda d: d.__setitem__("verdict", "INVALID"),
    }
    for word, change in changes.items():
        other = edited(tmp_path, good, "other.json", change)
        for files in ((good, other), (other, good)):
            done = compare(*files)
            assert done.returncode == 2 and word in done.stderr and not done.stdout, (word, done)
            assert compare(*files, more=["--anyway"]).returncode == 0
    commit = edited(tmp_path, good, "other.json", lambda d: d["environment"].__setitem__("commit", "another"))
    assert compare(good, commit).returncode == 0  # which is what one compares


@pytest.mark.parametrize("content", ["", "{}", "[1]", "nonsense", '{"sekisho_prove": 99}', '{"sekisho_prove": 1}'],
                         ids=["empty", "object", "list", "text", "newer", "hollow"])
def test_what_is_no_result_is_one_line_and_exit_2(slowed, tmp_path, content):
    bad = tmp_path / "bad.json"
    bad.write_text(content)
    for done in (compare(side(slowed, "a")[0], bad), sekisho("prove", "report", bad), compare(bad, bad)):
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "bad.json" in done.stderr, done
    assert os.listdir(tmp_path) == ["bad.json"]


def test_a_damaged_histogram_is_found(slowed, tmp_path):
    def damage(document):
        for segment in document["segments"]:
            for steps in segment["steps"]:
                for cell in steps:
                    if cell and cell["outcomes"]["ok"]["response"]:
                        cell["outcomes"]["ok"]["response"]["hdr"] = "AAAA" + cell["outcomes"]["ok"]["response"]["hdr"][4:]

    bad = edited(tmp_path, side(slowed, "a")[0], "bad.json", damage)
    done = compare(bad, bad)
    assert done.returncode == 2 and "response" in done.stderr, done


def test_a_saved_baseline_is_set_beside_a_run(tmp_path, origin):
    content = campaign(origin.url, rate=50, seconds=0.3)
    saved = tmp_path / "baseline.json"
    first = prove(tmp_path / "c", content, "--save", saved)
    assert first.code == PASS and json.loads(saved.read_text()) == first.result, first
    second = prove(tmp_path / "c", content, "--baseline", saved)
    assert second.code == PASS and "p50 response" in second.out and "1 baseline" in second.out, second


def test_a_run_is_not_set_beside_a_baseline_of_another_campaign(tmp_path, origin):
    saved = tmp_path / "baseline.json"
    assert prove(tmp_path / "c", campaign(origin.url, rate=50, seconds=0.3), "--save", saved).code == PASS
    other = prove(tmp_path / "c", campaign(origin.url, rate=60, seconds=0.3), "--baseline", saved)
    assert other.code == USAGE and "campaign" in other.err and "p50 response" not in other.out, other
    assert other.verdict == "PASS" and other.reports == set(REPORTS)
    failed = prove(tmp_path / "c", campaign(origin.url, rate=60, seconds=0.3, guardrails=["success < 1%"]), "--baseline", saved)
    assert failed.code == FAIL, failed


def test_ab_of_identical_sides_finds_nothing(tmp_path, nginx):
    (nginx.directory / "html" / "ab").write_text("x")
    content = campaign(f"http://127.0.0.1:{nginx.port}", [{"get": "/ab", "headers": {"Side": "${SIDE}"}}], rate=200, seconds=0.1)
    run = prove(tmp_path, content, "--a", "SIDE=1", "--b", "SIDE=2", "--runs", "9", command="ab", seconds=90)
    assert run.code in (PASS, INVALID), run  # what is left possible may be more than a tenth: then it is not decided
    assert "9 baseline" in run.out and "9 candid." in run.out and "confirmed:" not in run.out


def test_ab_of_a_side_that_cannot_run_is_no_pass(tmp_path, origin):
    content = campaign("${URL}", rate=50, seconds=0.2)
    run = prove(tmp_path, content, "--a", f"URL={origin.url}", "--b", "URL=nonsense", "--runs", "1", command="ab")
    assert run.code == USAGE and "targets.t" in run.err, run
    run = prove(tmp_path, content, "--a", f"URL={origin.url}", "--b", f"URL={origin.url}", "--b", "NOPE=1", "--runs", "1", command="ab")
    assert run.code == USAGE and "NOPE" in run.err, run


def test_ab_of_sides_that_prove_nothing_is_invalid(tmp_path, origin):
    content = campaign(origin.url, [{"get": "/${SIDE}"}], rate=50, seconds=0.2, requires=["requests > 1000"])
    run = prove(tmp_path, content, "--a", "SIDE=a", "--b", "SIDE=b", "--runs", "1", command="ab")
    assert run.code == INVALID, run


def test_ab_is_interrupted_in_order(tmp_path, origin):
    content = campaign(origin.url, [{"get": "/${SIDE}"}], rate=50, seconds=10)
    running = Running(tmp_path, content, ["--a", "SIDE=a", "--b", "SIDE=b"], command="ab")
    try:
        until(lambda: origin.count("/a"), 10, "the first request")
        running.signal(signal.SIGINT)
        run = running.wait(10)
    finally:
        running.stop()
    assert run.code == INVALID, run
    assert not origin.count("/b")
