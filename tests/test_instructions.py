"""`scripts/instructions`, the gate of instruction counts: what it lets pass, and what turns it red."""
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from lib.gateway import BINARY

SCRIPT = Path(__file__).resolve().parent.parent / "scripts/instructions"
PREFIX = "pipeline/hit-"  # three cases, a second each

pytestmark = pytest.mark.skipif(not (BINARY.parent / "bench/sekisho_instr").exists() or not shutil.which("valgrind"),
                                reason="sanitized builds have no sekisho_instr, or valgrind is missing")


def gate(baseline, *more):
    done = subprocess.run([SCRIPT, "--build", BINARY.parent, "--only", PREFIX, "--baseline", baseline, *more],
                          capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("instructions") / "baseline.json"
    code, said = gate(path, "--save")
    assert code == 0, said
    return json.loads(path.read_text())


@pytest.fixture
def against(saved, tmp_path):
    """against(change): the gate's answer when the baseline was another one."""
    def answer(change):
        baseline = json.loads(json.dumps(saved))
        change(baseline)
        path = tmp_path / "baseline.json"
        path.write_text(json.dumps(baseline))
        return gate(path)
    return answer


def scale(row, by):
    return lambda baseline: baseline["counts"].update({row: baseline["counts"][row] * by})


def test_the_same_binary_passes(against):
    code, said = against(lambda baseline: None)
    assert code == 0 and "FAILED" not in said and "3 cases, 0 rows above 2%" in said, said


@pytest.mark.parametrize("row", ["pipeline/hit-range", "pipeline/hit-range system calls"])
def test_five_percent_more_is_red(against, row):
    code, said = against(scale(row, 1 / 1.05))
    assert code == 1 and "above the baseline of" in said and f": {row};" in said, said


def test_one_percent_more_passes(against):
    code, said = against(scale("pipeline/hit-range", 1 / 1.01))
    assert code == 0, said


def test_five_percent_less_passes_and_is_said(against):
    code, said = against(scale("pipeline/hit-range", 1.05))
    assert code == 0 and "better by more than 2%: pipeline/hit-range; `make instr-save`" in said, said


@pytest.mark.parametrize("fact", ["compiler", "flags", "openssl", "glibc", "valgrind"])
def test_counts_of_another_environment_are_not_compared(against, fact):
    code, said = against(lambda baseline: baseline["environment"].update({fact: "another"}))
    assert code == 3 and said.count("\n") == 1 and f"{fact} another there" in said and "make instr-save" in said, said


@pytest.mark.parametrize("row", ["pipeline/hit-range", "pipeline/hit-range system calls"])
def test_a_row_without_baseline_is_red(against, row):
    code, said = against(lambda baseline: baseline["counts"].pop(row))
    assert code == 1 and f"not in both, the baseline and this build: {row};" in said, said


def test_a_row_that_is_gone_is_red(against):
    code, said = against(lambda baseline: baseline["counts"].update({PREFIX + "gone": 1}))
    assert code == 1 and PREFIX + "gone" in said, said


def test_without_a_baseline_it_cannot_run(tmp_path):
    code, said = gate(tmp_path / "none.json")
    assert code == 2 and "make instr-save" in said, said


def test_part_of_a_baseline_is_not_renewed(saved, tmp_path):
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(saved))
    code, said = gate(path, "--save")
    assert code == 2 and json.loads(path.read_text()) == saved, said
