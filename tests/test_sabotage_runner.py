"""What scripts/sabotage calls caught: red is not enough, it must be red by the check that is about the mistake."""
import importlib.machinery
import importlib.util

import pytest
import yaml

from lib.gateway import ROOT

loader = importlib.machinery.SourceFileLoader("sabotage_runner", str(ROOT / "scripts/sabotage"))
runner = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
loader.exec_module(runner)

ABOUT_IT = ("strangers stay outside", "it was 0 %")
ANOTHER = ("hits are fast", "it was 20 ms")
LATE = ("arrivals were taken up in time", "42 ms late")


def ran(verdict, broken, **row):
    judged = runner.Ran(row=runner.Row("gate", **row), verdict=verdict)
    names = [{"name": name, "why": why, "state": "broken"} for name, why in broken]
    runner.judge(judged, {"checks": [{"name": "success", "why": "", "state": "held"}] + names})
    return judged


@pytest.mark.parametrize("verdict, broken, right", [
    ("FAIL", [ABOUT_IT], True),
    ("INVALID", [ANOTHER, ABOUT_IT], True),
    ("PASS", [], False),
    ("FAIL", [ANOTHER], False),
    ("INVALID", [LATE], False),
    ("INVALID", [ABOUT_IT, LATE], False),
    ("", [ABOUT_IT], False),
])
def test_a_mistake_is_caught_only_by_the_check_that_is_about_it(verdict, broken, right):
    assert ran(verdict, broken, sabotage="auth-off", by="strangers stay outside").right is right


def test_a_rule_of_the_harness_that_the_mistake_breaks_is_no_trouble_of_its_own():
    row = {"wire": "bandwidth:1KiB", "by": "strangers stay outside"}
    assert not ran("INVALID", [ABOUT_IT, LATE], **row).right
    assert ran("INVALID", [ABOUT_IT, LATE], **row, also=LATE[0]).right


@pytest.mark.parametrize("verdict", ["PASS", "FAIL", "INVALID", ""])
def test_a_control_must_pass(verdict):
    assert ran(verdict, []).right is (verdict == "PASS")


def test_the_reason_is_the_check_that_the_row_names():
    assert ran("FAIL", [ANOTHER, ABOUT_IT], sabotage="auth-off", by="outside").reason == ": ".join(ABOUT_IT)


def test_every_mistake_of_the_build_is_in_the_table():
    table = yaml.safe_load((ROOT / "campaigns/sabotage/table.yaml").read_text())
    assert runner.forgotten(table) == []
    table["caught"] = [row for row in table["caught"] if row.get("sabotage") != "auth-off"]
    assert runner.forgotten(table) == ["auth-off"]
