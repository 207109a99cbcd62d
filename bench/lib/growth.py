"""Whether the harness keeps to its memory: RSS each second at full rate after the warm-up, a straight line through
it, and what that line gains in half an hour."""

import contextlib
import time

from . import efficiency, generators
from .generators import Load
from .process import BenchError
from .stats import Bar, slope
from .target import Target

SERVERS = ["sekisho"]
HALF_HOUR = 1800
REACHED = 0.95  # of the rate that was calibrated
ENOUGH = 300  # seconds: a bar is asked of no shorter run


def run(lab, rates, warm_up, seconds):
    """{rate, seconds, rss: [[second, bytes]…], grows: bytes in half an hour}"""
    with contextlib.ExitStack() as stack:
        target = Target(lab, stack)
        rate = efficiency.calibrate(lab, target, "sekisho", rates)
        load = Load(warm_up + seconds + 5, efficiency.CONNECTIONS, rate)
        before = target.count()
        process, folder = generators.launch(lab, stack, "sekisho", target.url, load)
        efficiency.wait_for_load(target, process, before)
        time.sleep(warm_up)
        began, first = time.monotonic(), target.count()
        samples = []
        for second in range(seconds + 1):
            time.sleep(max(0.0, began + second - time.monotonic()))
            if process.popen.poll() is not None:
                raise BenchError(f"{process.name} ended early: {process.popen.returncode}")
            samples.append([time.monotonic() - began, process.rss()])
        reached = (target.count() - first) / (time.monotonic() - began)
        code = process.wait(60)
        said = generators.read("sekisho", folder)
    # A hiccup of the machine spoils a verdict about latency and none about memory, so an invalid run (3) will do.
    if code not in (0, 3) or said["failed"] or reached < REACHED * rate:
        raise BenchError(f"memory: exit code {code}, {said['failed']} failed, {reached:,.0f} of {rate:,} a second")
    return {"rate": rate, "warm_up": warm_up, "seconds": seconds, "rss": samples, "reached": reached,
            "exit": code, "grows": slope(samples) * HALF_HOUR}


def table(result):
    rss = result["rss"]
    return [["memory at full rate", "rate", "seconds", "RSS MB, first", "last", "grows in 30 min, MB"],
            ["sekisho", f"{result['rate']:,}", str(result["seconds"]), f"{rss[0][1] / 1e6:.2f}",
             f"{rss[-1][1] / 1e6:.2f}", f"{result['grows'] / 1e6:.2f}"]]


def bars(result):
    if result["seconds"] >= ENOUGH:
        yield Bar("memory-30-minutes-mb", result["grows"] / 1e6, 10, ["sekisho"])
