"""Which verdict `prove ab` must come to of two sides that differ as their names say."""
import itertools
import time

import pytest

from lib.origin import Origin
from lib.prove import FAIL, INVALID, PASS, campaign, prove


def every(n: int, other):
    """Well, but every n-th time."""
    numbers = itertools.count(1)
    return lambda ask: other(ask) if next(numbers) % n == 0 else ask.reply(b"ok")


def no(ask):
    ask.reply(b"no", 500)


SIDES = {
    "well": lambda: lambda ask: ask.reply(b"ok"),
    "500": lambda: no,
    "one in 4 is 500": lambda: every(4, no),
    "takes 40 ms": lambda: lambda ask: time.sleep(0.04) or ask.reply(b"ok"),
    "takes 40 ms too": lambda: lambda ask: time.sleep(0.04) or ask.reply(b"ok"),
    "takes 41 ms": lambda: lambda ask: time.sleep(0.041) or ask.reply(b"ok"),
    "takes 80 ms": lambda: lambda ask: time.sleep(0.08) or ask.reply(b"ok"),
}
GUARDED = ["success == 100%"]
LAX = ["success >= 0%"]
TWICE = ["--runs", "9", "--threshold", "60", "--points", "60"]

# A, B, guardrails, options, verdict, a word of the output
TABLE = [
    # a side that fails is no figure: nothing is thrown away
    ("well", "500", GUARDED, ["--runs", "1"], FAIL, "B FAILs its campaign in 1 of 1 runs, and A in 0 of 1"),
    ("well", "one in 4 is 500", GUARDED, ["--runs", "2"], FAIL, "B FAILs its campaign in 2 of 2 runs"),
    ("500", "500", GUARDED, ["--runs", "1"], INVALID, "A: 1 runs, 0 PASS, 1 FAIL, 0 INVALID"),
    ("500", "well", GUARDED, ["--runs", "1"], INVALID, "B: 1 runs, 1 PASS, 0 FAIL, 0 INVALID"),
    # who fails fast is not faster
    ("takes 40 ms", "500", LAX, ["--runs", "9"], FAIL, "confirmed: p50 response"),
    ("well", "one in 4 is 500", LAX, ["--runs", "9", "--threshold", "1000"], FAIL, "success"),
    # one run shows nothing; many may
    ("well", "well", GUARDED, ["--runs", "1"], INVALID, "Not decided: p50 response"),
    ("takes 40 ms", "takes 40 ms too", GUARDED, TWICE, PASS, "PASS: no regression"),
    ("takes 40 ms", "takes 41 ms", GUARDED, TWICE, PASS, "PASS: no regression"),
    ("takes 40 ms", "takes 80 ms", GUARDED, TWICE, FAIL, "confirmed: p50 response"),
    ("takes 80 ms", "takes 40 ms", GUARDED, ["--runs", "9", "--threshold", "40", "--points", "60"], PASS, "improvement"),
]


def name_of(row) -> str:
    a, b, guardrails, options, _, _ = row
    return f"{a} | {b}, {guardrails[0]} {' '.join(options)}"


def compare(tmp_path, a, b, options, **more):
    origin = Origin()
    try:
        origin.forgiving = True
        origin.on("/a", a)
        origin.on("/b", b)
        content = campaign(origin.url, [{"get": "/${SIDE}"}], rate=100, seconds=0.1, grace="1s", **more)
        return prove(tmp_path, content, "--a", "SIDE=a", "--b", "SIDE=b", *options, command="ab", seconds=120)
    finally:
        origin.stop()


def in_runs(bad, *numbers):
    """Well, but in these runs of ten requests each, counted from 0."""
    seen = itertools.count()
    return lambda ask: bad(ask) if next(seen) // 10 in numbers else ask.reply(b"ok")


@pytest.mark.parametrize("row", TABLE, ids=name_of)
def test_ab_comes_to(tmp_path, row):
    a, b, guardrails, options, verdict, word = row
    run = compare(tmp_path, SIDES[a](), SIDES[b](), options, guardrails=guardrails)
    assert run.code == verdict, run
    assert word in run.out, run


WIDE = ["--runs", "9", "--threshold", "1000", "--points", "100"]


def test_runs_that_prove_nothing_are_counted_and_said(tmp_path):
    """A side that is INVALID each time: the other's runs are not thrown away, and nothing ends in silence."""
    run = compare(tmp_path, SIDES["well"](), no, ["--runs", "3"], requires=["success == 100%"])
    assert run.code == INVALID, run
    assert "A: 6 runs, 6 PASS, 0 FAIL, 0 INVALID" in run.out and "B: 6 runs, 0 PASS, 0 FAIL, 6 INVALID" in run.out
    assert "Not decided: of the 3 runs that were wanted of each side there are 0" in run.out


def test_a_session_without_hope_ends_early_and_says_so(tmp_path):
    run = compare(tmp_path, no, no, WIDE, requires=["success == 100%"])
    assert run.code == INVALID and "ended early: the last 6 runs were INVALID" in run.out, run
    assert "A: 3 runs, 0 PASS, 0 FAIL, 3 INVALID" in run.out


def test_a_side_of_which_many_runs_are_invalid_is_not_passed(tmp_path):
    """Half of B's runs are no proof; what is left of them looks as good as A."""
    run = compare(tmp_path, SIDES["well"](), in_runs(no, *range(1, 99, 2)), WIDE, requires=["success == 100%"])
    assert run.code == INVALID, run
    assert "B: 17 runs, 9 PASS, 0 FAIL, 8 INVALID" in run.out, run
    assert "Not decided: B is INVALID clearly more often, 8 of 17 runs against 0 of 17" in run.out, run


def test_a_side_that_fails_more_often_is_not_passed(tmp_path):
    """One FAIL of A hides none of B's five."""
    run = compare(tmp_path, in_runs(no, 2), in_runs(no, 0, 2, 4, 6, 8), WIDE)
    assert run.code == INVALID and "B FAILs its campaign in 5 of 9 runs, and A in 1 of 9" in run.out, run


def test_a_run_that_was_lost_whole_is_not_the_same(tmp_path):
    run = compare(tmp_path, SIDES["well"](), in_runs(no, 4), ["--runs", "9", "--metric", "success", "--points", "5"],
                  guardrails=LAX)
    assert run.code == INVALID and "not decided" in run.out, run


def test_where_nothing_works_nothing_is_the_same(tmp_path):
    run = compare(tmp_path, no, no, WIDE, guardrails=LAX)
    assert run.code == INVALID and "p50 response" in run.out.split("Not decided:")[1], run


def test_a_share_needs_requests(tmp_path):
    """Nine runs of ten requests say nothing of one in a thousand."""
    run = compare(tmp_path, SIDES["well"](), SIDES["well"](), ["--runs", "9", "--metric", "success"])
    assert run.code == INVALID and "success may have changed" in run.out, run


def test_a_row_that_there_is_not_decides_nothing(tmp_path):
    run = compare(tmp_path, SIDES["well"](), SIDES["well"](), ["--runs", "1", "--metric", "p95"])
    assert run.code == INVALID and "Not decided: p95 is not in every run" in run.out, run


@pytest.mark.parametrize("option, value", [("--alpha", "3"), ("--alpha", "nan"), ("--alpha", "0"), ("--threshold", "nan"),
                                           ("--threshold", "-1"), ("--points", "101")])
def test_an_option_that_means_nothing_is_refused(tmp_path, option, value):
    run = compare(tmp_path, no, no, [option, value])
    assert run.code == 2 and option in run.err, run
