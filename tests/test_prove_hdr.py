"""Latency files of `sekisho prove`, read by a foreign library: HdrHistogram's Python port (scripts/peers hdrhistogram).

The interval log must hold every request once; what it says of percentiles must be what result.json says; a histogram of
result.json must be one for others too.
"""
import base64
import json
import os
import re
import sys

import pytest

from lib.gateway import run
from lib.peers import PEERS

CAMPAIGN = """\
name: hdr
targets: {{ site: "{url}" }}
scenarios: {{ read: {{ steps: [ {{ get: / }} ] }} }}
phases: [ {{ name: load, duration: 3s, rate: 200 }} ]
guardrails: [ success == 100% ]
"""
LOWEST, HIGHEST, DIGITS = 1_000, 3_600_000_000_000, 3


@pytest.fixture(scope="module")
def hdrh():
    sys.path.insert(0, str(PEERS / "hdrhistogram"))
    try:
        import hdrh.histogram
        import hdrh.log
    except ImportError as missing:
        if os.environ.get("SEKISHO_REQUIRE_PEERS") == "1":
            pytest.fail(f"the peer hdrhistogram is required but not installed: {missing}", pytrace=False)
        pytest.skip("the peer hdrhistogram is not installed: scripts/peers hdrhistogram")
    finally:
        sys.path.pop(0)
    return hdrh


@pytest.fixture(scope="module")
def folder(tmp_path_factory, nginx):
    out = tmp_path_factory.mktemp("hdr")
    (out / "campaign.yaml").write_text(CAMPAIGN.format(url=nginx.url))
    (nginx.directory / "html" / "index.html").write_text("hello\n")
    done = run("prove", "run", out / "campaign.yaml", "--quiet", "--out", out / "report", timeout=60)
    assert done.returncode in (0, 3), done.stdout + done.stderr  # a busy machine may make it INVALID
    return out / "report"


def outcomes(folder):
    result = json.loads((folder / "result.json").read_text())
    return [outcome for segment in result["segments"] for scenario in segment["steps"] for step in scenario if step
            for outcome in step["outcomes"].values()]


def test_the_interval_log_holds_every_request(hdrh, folder):
    sums = {}
    reader = hdrh.log.HistogramLogReader(str(folder / "latency.hlog"),
                                         hdrh.histogram.HdrHistogram(LOWEST, HIGHEST, DIGITS))
    while (interval := reader.get_next_interval_histogram()) is not None:
        assert interval.get_end_time_stamp() >= interval.get_start_time_stamp()
        sums.setdefault(interval.get_tag(), hdrh.histogram.HdrHistogram(LOWEST, HIGHEST, DIGITS)).add(interval)
    assert sorted(sums) == ["response", "service"]
    kept = [outcome["response"] for outcome in outcomes(folder) if outcome["response"]]
    assert sums["response"].get_total_count() == sum(outcome["count"] for outcome in outcomes(folder))
    largest = max(histogram["max"] for histogram in kept)
    assert sums["response"].get_max_value() == pytest.approx(largest, rel=1e-3, abs=512)


def test_a_histogram_of_the_result_is_one_for_others(hdrh, folder):
    for outcome in outcomes(folder):
        for which in ("response", "service", "first_byte"):
            if not outcome[which]:
                continue
            foreign = hdrh.histogram.HdrHistogram.decode(outcome[which]["hdr"])
            assert foreign.get_total_count() <= outcome["count"]
            assert foreign.get_max_value() == pytest.approx(outcome[which]["max"], rel=1e-3, abs=512)
            mean = outcome[which]["sum"] / foreign.get_total_count()
            assert foreign.get_mean_value() == pytest.approx(mean, rel=1e-3, abs=512)


def test_the_interval_log_is_of_version_1_3(folder):
    lines = (folder / "latency.hlog").read_text().splitlines()
    assert lines[1] == "#[Histogram log format version 1.3]"
    rows = [line for line in lines if line.startswith("Tag=")]
    assert len(rows) >= 4
    for row in rows:
        tag, start, seconds, largest, histogram = row.split(",")
        assert tag in ("Tag=response", "Tag=service")
        assert float(seconds) >= 0 and float(largest) >= 0 and float(start) >= 0
        assert re.match(rb"\x1c\x84\x93\x14", base64.b64decode(histogram))
