"""Which verdict a campaign must get of a target that is well, dead, wrong, slow or hung: the table by which `prove` is judged.

A row: how the target behaves, the load, the guardrails, the verdict, and a word of the line that says why. Rows whose
verdict depends on time leave a factor of ten for the machine.
"""
import pytest

from lib.prove import FAIL, INVALID, PASS
from lib.judged import BRIEF, CLOSED, DENIED, GET, LIMITED, OPEN, PATIENT, TIGHT, judge, name_of

# target, steps, load, guardrails, verdict, a word of the line that says why
TABLE = [
    ("well", GET, OPEN, ["p99 < 500ms", "success == 100%", "rate > 90/s", "failed == 0%"], PASS, ""),
    ("well", GET, CLOSED, ["p99 < 500ms", "failed == 0%", "rate > 10/s"], PASS, ""),
    ("well", GET, OPEN, ["p99 < 500ms", "p99.9 < 500ms"], INVALID, "are needed"),
    ("well", GET, OPEN, ["max < 1us"], FAIL, "must be < 1us"),
    # failures are fast
    ("refuses", GET, OPEN, ["p99 < 50ms"], FAIL, "100 of 100 requests did not end as expected"),
    ("refuses", GET, OPEN, ["p99 < 50ms", "timed_out == 0%", "status(5xx) == 0"], FAIL, "did not end as expected"),
    ("refuses", GET, OPEN, ["max < 1s"], FAIL, "did not end as expected"),
    ("refuses", GET, OPEN, ["mean < 1s"], FAIL, "did not end as expected"),
    ("refuses", GET, OPEN, ["min < 1s"], FAIL, "did not end as expected"),
    ("refuses", GET, OPEN, ["service.p50 < 1s"], FAIL, "did not end as expected"),
    ("refuses", GET, OPEN, ["first_byte.p50 < 1s"], FAIL, "did not end as expected"),
    ("refuses", GET, OPEN, ["rate >= 90/s"], FAIL, "it was 0/s"),
    # what never ends holds nothing
    ("refuses", GET, OPEN, ["p50 > 1ms"], INVALID, "did not end as expected"),
    ("refuses", GET, OPEN, ["min >= 1ms"], INVALID, "did not end as expected"),
    ("500", GET, OPEN, ["p50 <= 1.2 * p50(scenario=s)"], INVALID, "did not end as expected"),
    ("500", GET, OPEN, ["p50(ok) < p50"], INVALID, "no request"),
    ("500", GET, OPEN, ["1ms < p50"], INVALID, "did not end as expected"),
    ("500", GET, OPEN, ["p50(failed) < p50"], INVALID, ""),
    ("500", GET, CLOSED, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("refuses", GET, OPEN, ["p99(ok) < 50ms"], INVALID, "no request"),
    ("500", GET, OPEN, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("500", GET, OPEN, ["50ms > p99"], FAIL, "50ms > p99 was asked"),
    ("500", GET, OPEN, ["p99 + 1ms < 50ms"], FAIL, "did not end as expected"),
    ("500", GET, OPEN, ["rate >= 90/s"], FAIL, "it was 0/s"),
    ("500", GET, OPEN, ["p99(failed) < 1s", "failed == 100%", "wrong == 100%"], PASS, ""),
    ("500", [{"get": "/", "expect": 500}], OPEN, ["p99 < 500ms", "rate >= 90/s", "failed == 0%"], PASS, ""),
    ("404", GET, OPEN, ["p50 < 50ms"], FAIL, "did not end as expected"),
    ("closes", GET, OPEN, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("resets", GET, OPEN, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("no HTTP", GET, OPEN, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("403", GET, OPEN, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("403", DENIED, OPEN, ["p99 < 500ms", "failed == 0%", "denied == 100%", "rate > 90/s"], PASS, ""),
    ("well", DENIED, OPEN, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("429", GET, OPEN, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("429", GET, OPEN, ["failed == 0%"], FAIL, "it was 100 %"),
    ("429", GET, OPEN, ["wrong == 0%", "limited == 100%", "failed == 100%", "p99(failed) < 1s"], PASS, ""),
    ("429", LIMITED, OPEN, ["p99 < 500ms", "failed == 0%", "limited == 100%", "rate > 90/s"], PASS, ""),
    # some of them
    ("half 500", GET, OPEN, ["p99 < 500ms"], FAIL, "50 of 100 requests did not end as expected"),
    ("half 500", GET, OPEN, ["rate >= 90/s"], FAIL, "it was 50/s"),
    ("half 500", GET, OPEN, ["count(failed) == 0"], FAIL, "it was 50"),
    ("a tenth 500", GET, OPEN, ["p95 < 500ms"], FAIL, "10 of 100 requests did not end as expected"),
    ("a tenth 500", GET, OPEN, ["p90 < 500ms"], PASS, ""),
    ("a tenth 500", GET, OPEN, ["p95(ok) < 500ms", "failed <= 10%"], PASS, ""),
    ("a tenth 429", GET, OPEN, ["p95 < 500ms"], FAIL, "10 of 100 requests did not end as expected"),
    ("a tenth 429", LIMITED, OPEN, ["p95 < 500ms"], PASS, ""),
    # hung and slow
    ("hangs", BRIEF, OPEN, ["failed == 0%"], FAIL, "it was 100 %"),
    ("hangs", BRIEF, OPEN, ["p99 < 50ms"], FAIL, "did not end as expected"),
    ("hangs", BRIEF, OPEN, ["p99 < 5s"], FAIL, "did not end as expected"),
    ("hangs", GET, OPEN, ["p99 < 50ms"], FAIL, "cut off by the end of the run"),
    ("hangs", GET, OPEN, ["max < 50ms"], FAIL, "cut off by the end of the run"),
    ("hangs", GET, OPEN, ["p99 < 10s"], INVALID, "`grace`"),
    ("hangs", GET, CLOSED, ["max < 50ms"], FAIL, "cut off by the end of the run"),
    ("hangs", GET, TIGHT, ["success == 100%"], FAIL, "`connections`"),
    ("hangs", GET, TIGHT, ["max < 50ms"], FAIL, "`connections`"),
    ("hangs", GET, TIGHT, ["max < 10s"], INVALID, "`connections`"),
    ("hangs", GET, TIGHT, ["p99 < 10s", "p50 < 10s"], INVALID, "`connections`"),
    ("a tenth hangs", BRIEF, OPEN, ["p95 < 5s"], FAIL, "10 of 100 requests did not end as expected"),
    ("a tenth hangs", PATIENT, OPEN | {"grace": "3s"}, ["p90 < 5s"], PASS, ""),
    ("a tenth hangs", GET, OPEN, ["p95 < 50ms"], FAIL, "cut off by the end of the run"),
    ("takes 200 ms", GET, OPEN, ["p50 < 50ms"], FAIL, "must be < 50ms"),
    ("takes 200 ms", GET, OPEN, ["p50 < 2s"], PASS, ""),
    ("takes 200 ms", BRIEF, OPEN, ["p50 < 2s"], FAIL, "did not end as expected"),
    ("takes 200 ms", GET, {"rate": 100, "connections": 2}, ["p50 < 150ms"], FAIL, "must be < 150ms"),
    ("takes 200 ms", GET, {"rate": 100, "connections": 2}, ["p50 < 1h"], INVALID, "`connections`"),
    # what is wrong with the load comes first
    ("500", GET, OPEN | {"without": True}, [], INVALID, "no guardrail"),
    ("500", GET, OPEN | {"mishap": True}, ["p99 < 50ms"], INVALID, "INVALID"),
]


@pytest.mark.parametrize("row", TABLE, ids=name_of)
def test_the_verdict_is(tmp_path, row):
    judge(tmp_path, row)
