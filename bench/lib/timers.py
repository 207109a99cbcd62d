"""How late the harness sends when nothing hinders it: what its own self-test says."""

import json
import os
import subprocess

from .process import BenchError
from .stats import Bar

SERVERS = ["sekisho"]
SECONDS = 120  # that a self-test may take


def run(lab):
    """{exit, lag_p50: seconds, figures: as the self-test has them}"""
    path = os.path.join(lab.folder("selftest"), "selftest.json")
    try:
        done = subprocess.run([lab.program("sekisho"), "prove", "selftest", "--json", path], capture_output=True,
                              text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchError(f"the self-test did not end within {SECONDS} s") from None
    if not os.path.exists(path):
        raise BenchError(f"the self-test left no figures: {(done.stderr or done.stdout).strip()[-300:]}")
    with open(path) as f:
        figures = json.load(f)["figures"]
    lag = next(figure["measured_ns"] for figure in figures if figure["name"] == "send lag p50")
    return {"exit": done.returncode, "lag_p50": lag / 1e9, "figures": figures}


def table(result):
    return [["self-test", "µs"], ["send lag at idle, p50", f"{result['lag_p50'] * 1e6:.1f}"]]


def bars(result):
    yield Bar("send-lag-p50-us", result["lag_p50"] * 1e6, 50, ["sekisho"])
