"""Mistakes of the harness itself, switched on one at a time: a row of the tables of verdicts must notice each.

`make sabotage` builds the binary (`cmake --preset sabotage`); without it the file is skipped. The rows run in a pytest of
their own with that binary: once with nothing switched on, where all of them hold, and then each with its mistake.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lib.gateway import ROOT

BINARY = Path(os.environ.get("SEKISHO_SABOTAGED_BIN", ROOT / "build/sabotage/sekisho")).resolve()
if not BINARY.exists():
    pytest.skip("no sabotaged build (cmake --preset sabotage)", allow_module_level=True)

VERDICT = "test_prove_verdicts.py::test_the_verdict_is"
SENT = "test_prove_verdicts_send.py::test_the_verdict_is"
BOUNDS = "test_prove_verdicts_bounds.py"
AB = "test_prove_verdicts_ab.py"
SEEN = "test_prove_verdicts_seen.py"

CAUGHT_BY = {
    "failures-are-fast": VERDICT + "[500, rate: p99 < 50ms]",
    "time-outs-forgotten": VERDICT + "[hangs, rate: failed == 0%]",
    "retries-not-counted": SENT + "[resets what is kept, rate+: retries == 0]",
    "resends-in-silence": SENT + "[resets what is kept, rate+: success == 100%0]",
    "status-not-checked": VERDICT + "[404, rate: p50 < 50ms]",
    "limits-are-well": VERDICT + "[429, rate: failed == 0%]",
    "body-not-checked": SENT + "[is long, rate+: reason(body) == 3]",
    "broken-goal-passes": VERDICT + "[well, rate: max < 1us]",
    "unknown-goal-passes": VERDICT + "[well, rate: p99 < 500ms; p99.9 < 500ms]",
    "mishap-passes": VERDICT + "[500, rate+: p99 < 50ms]",
    "rate-counts-failures": VERDICT + "[500, rate: rate >= 90/s]",
    "failed-is-one-outcome": VERDICT + "[429, rate: failed == 0%]",
    "one-request-shows-all": BOUNDS + "::test_a_share_needs_requests[well, rate+: success >= 99.9%]",
    "values-raw": SENT + "[says a space, rate+: success == 100%0]",
    "line-breaks-sent": SENT + "[says a line break, rate+: reason(bad_value) == 3; status(2xx) == 3]",
    "first-field-only": SENT + "[varies twice, rate+: success == 100%0]",
    "unseen-is-zero": SENT + '[well, rate+: delta(shop_requests_total{code="5xx"}) == 0]',
    "uploads-are-whole": SENT + "[answers unread, rate+: uploaded == 100%0]",
    "recovers-for-a-second": BOUNDS + "::test_a_recovery_is_whole_and_stays"
                                      "[wrong for a moment after a second, rate+: recovery(f) < 700ms0]",
    "ab-drops-failures": AB + "::test_ab_comes_to[well | 500, success == 100% --runs 1]",
    "ab-drops-invalid": AB + "::test_runs_that_prove_nothing_are_counted_and_said",
    "ab-fast-failures": AB + "::test_ab_comes_to[takes 40 ms | 500, success >= 0% --runs 9]",
    "ab-unsure-is-same": AB + "::test_ab_comes_to[well | well, success == 100% --runs 1]",
    "keeps-no-sample": SEEN + "::test_so_many_of_each_step_and_reason_are_kept[None-3]",
    "shows-secrets": SEEN + "::test_secrets_are_masked_wherever_they_stand",
    "family-of-one": BOUNDS + "::test_a_leak_of_a_child_is_the_targets[{python} {leak} $PORT_A & wait]",
}


def run(rows, mistake: str = ""):
    """How many of these rows passed and failed; whoever cannot be found is neither."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", *rows],
                          cwd=ROOT / "tests", capture_output=True, text=True, timeout=300,
                          env=os.environ | {"SEKISHO_BIN": str(BINARY), "SEKISHO_SABOTAGE": mistake})
    count = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed)", done.stdout.splitlines()[-1])}
    return count.get("passed", 0), count.get("failed", 0), done.stdout


def test_every_mistake_of_the_harness_has_a_row():
    names = re.findall(r'Row\{"sabotage:prove-([a-z0-9-]+)"', (ROOT / "src/base/sabotage.h").read_text())
    assert set(CAUGHT_BY) == set(names) and len(names) >= 12


def test_without_a_mistake_all_rows_hold():
    rows = set(CAUGHT_BY.values())
    passed, failed, out = run(rows)
    assert (passed, failed) == (len(rows), 0), out[-3000:]


@pytest.mark.parametrize("mistake", CAUGHT_BY)
def test_a_mistake_is_caught(mistake):
    passed, failed, out = run([CAUGHT_BY[mistake]], f"prove-{mistake}")
    assert (passed, failed) == (0, 1), out[-3000:]
